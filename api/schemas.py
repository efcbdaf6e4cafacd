"""What the API takes and gives, field by field; the OpenAPI document is made of this."""

from typing import Any, ClassVar

from marshmallow import EXCLUDE, Schema, fields
from marshmallow.validate import OneOf

from shared.jobs.states import JobState, Phase

TASK_ID = "7f9c24e5-2f6a-4c1b-9d55-0f4f3a4c2a10"
STATUS_URL = f"https://voters.example.edu/api/task-status/{TASK_ID}/"
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def described(text: str, example: object) -> dict[str, object]:
    """The metadata of a field: what it means, and a value it could have."""
    return {"description": text, "example": example}


def time_field(text: str) -> fields.String:
    metadata = described(f"{text} RFC 3339, UTC.", "2026-01-31T09:30:00.125Z")
    return fields.String(allow_none=True, metadata={**metadata, "format": "date-time"})


def task_id_field(text: str) -> fields.String:
    return fields.String(allow_none=True, metadata={**described(text, TASK_ID), "format": "uuid"})


def _count(text: str, example: int = 0) -> fields.Integer:
    return fields.Integer(metadata=described(text, example))


def _counts(text: str, example: dict[str, int]) -> fields.Dict:
    return fields.Dict(
        keys=fields.String(), values=fields.Integer(), metadata=described(text, example)
    )


class AnswerSchema(Schema):
    """What the API gives. A later version may add fields, which clients should bear.

    Each field is always there, and the document says so, but for those of `sometimes`.
    """

    sometimes: ClassVar[frozenset[str]] = frozenset()

    class Meta:
        unknown = EXCLUDE

    def on_bind_field(self, field_name: str, field_obj: "fields.Field[Any]") -> None:
        """A program that was made out of the document need not ask for what is always there."""
        field_obj.required = field_name not in self.sometimes


class AcceptedSchema(AnswerSchema):
    """An upload that a worker will process."""

    sometimes = frozenset({"duplicate_of"})

    message = fields.String(
        metadata=described("Always the same.", "File uploaded and processing started")
    )
    task_id = fields.String(metadata={**described("Names the job.", TASK_ID), "format": "uuid"})
    status_url = fields.String(
        metadata={**described("Where to ask for the outcome.", STATUS_URL), "format": "uri"}
    )
    duplicate_of = task_id_field("The last task before that got the same bytes, if there is one.")


class ProgressSchema(AnswerSchema):
    """How far the present attempt is."""

    phase = fields.String(
        validate=OneOf(list(Phase)), metadata=described("What it is at.", Phase.READING)
    )
    rows_read = _count("Rows read so far.", 12_000)
    percent = fields.Float(
        allow_none=True, metadata=described("0 to 100; null when it cannot be told.", 41.5)
    )


class FileSchema(AnswerSchema):
    """The uploaded file, as sent and as understood."""

    name = fields.String(metadata=described("The client's name of the file.", "roll.csv"))
    size_bytes = _count("Its size.", 48_211)
    sha256 = fields.String(metadata=described("The SHA-256 of its bytes.", SHA256))
    format = fields.String(metadata=described("Told by the content.", "csv"))
    encoding = fields.String(allow_none=True, metadata=described("Of a CSV file.", "utf-8"))
    delimiter = fields.String(allow_none=True, metadata=described("Of a CSV file.", ";"))
    sheet = fields.String(allow_none=True, metadata=described("Of a workbook.", "Roll 2026"))


class PreviewedVoterSchema(AnswerSchema):
    """One voter whom an import would change."""

    change = fields.String(
        validate=OneOf(["create", "update"]), metadata=described("What would happen.", "update")
    )
    student_id = fields.String(metadata=described("The voter.", "0012345"))
    line = _count("The line of the file.", 17)
    fields_ = fields.Dict(
        data_key="fields",
        attribute="fields",
        keys=fields.String(),
        values=fields.Dict(),
        metadata=described(
            "The fields that would change, each with its value now and then.",
            {"email": {"from": "a.okafor@uni.example", "to": "amina@uni.example"}},
        ),
    )


class ReportSchema(AnswerSchema):
    """What became of every row.

    `rows_read` is the sum of created, updated, unchanged, repeated and rejected.
    """

    # Those of a preview, and what reports told later than others.
    sometimes = frozenset({
        "columns", "assumptions", "signs", "eligibility_on", "eligibility_off", "would_create",
        "would_update", "differences",
    })  # fmt: skip

    rows_read = _count("Rows below the header that are not blank.", 1000)
    created = _count("Voters that are new on the roll.", 950)
    updated = _count("Voters whose entry changed.", 30)
    unchanged = _count("Voters who stood on the roll like this already.", 18)
    repeated = _count("Rows that repeat another row of the file.")
    rejected = _count("Rows with a fault; they changed nothing.", 2)
    blank_rows = _count("Rows without any content; not part of rows_read.")
    missing_columns = fields.List(
        fields.String(), metadata=described("Fields for which the file has no column.", ["year"])
    )
    ignored_columns = fields.List(
        fields.String(), metadata=described("Columns that mean nothing to a roll.", ["Phone"])
    )
    missing_fields = _counts("Rows that state nothing, by field.", {"department": 3})
    errors = _counts("Rejected rows, by fault code.", {"INVALID_EMAIL": 2})
    warnings = _counts("Rows worth a look, by warning code.", {"SHARED_EMAIL": 1})

    columns = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        metadata=described("The file's own label of each field.", {"student_id": "Matric No"}),
    )
    assumptions = fields.List(
        fields.String(),
        metadata=described(
            "What was decided without being told, in sentences.",
            ['The roll was read from the sheet "Roll"; not read: "Notes".'],
        ),
    )
    signs = fields.List(
        fields.Dict(keys=fields.String(), values=fields.String()),
        metadata=described(
            "What is odd about the file though its rows are good: code and message.",
            [{"code": "ONE_DEPARTMENT", "message": "All voters are of one department."}],
        ),
    )
    eligibility_on = _count("Updated voters who become eligible.", 4)
    eligibility_off = _count("Updated voters who are no longer eligible.", 1)
    would_create = _count("In a preview only: what an import would create.", 950)
    would_update = _count("In a preview only: what an import would update.", 30)
    differences = fields.List(
        fields.Nested(PreviewedVoterSchema),
        metadata={
            "description": (
                "In a preview only, and for tokens that may read the roll: up to 50 voters of"
                " those whom an import would change, the updated before the created."
            )
        },
    )


class FailureSchema(AnswerSchema):
    """Why the job failed."""

    code = fields.String(metadata=described("For programs.", "MISSING_COLUMNS"))
    message = fields.String(
        metadata=described("For people.", "The file has no column for the student's e-mail.")
    )


class TaskStatusSchema(AnswerSchema):
    """One uploaded file and what becomes of it."""

    task_id = fields.String(metadata={**described("Names the job.", TASK_ID), "format": "uuid"})
    state = fields.String(
        validate=OneOf(list(JobState)), metadata=described("Where it stands.", JobState.STARTED)
    )
    status = fields.String(
        metadata=described("The state in a sentence.", "Reading the file: 12,000 rows so far.")
    )
    result = fields.String(
        allow_none=True, metadata=described("The outcome in a sentence; null until then.", None)
    )
    dry_run = fields.Boolean(
        metadata=described("Whether it only finds out what would change.", False)
    )
    attempts = _count("How often a worker has begun.", 1)
    created_at = time_field("When the file was accepted.")
    started_at = time_field("When the latest attempt began.")
    finished_at = time_field("When the outcome was certain.")
    progress = fields.Nested(
        ProgressSchema, metadata={"description": "How far the present attempt is."}
    )
    file = fields.Nested(FileSchema, metadata={"description": "As sent and as understood."})
    report = fields.Nested(
        ReportSchema,
        allow_none=True,
        metadata={"description": "What became of every row; null until SUCCESS."},
    )
    error = fields.Nested(
        FailureSchema,
        allow_none=True,
        metadata={"description": "Why the job failed; null unless it did."},
    )


class VoterSchema(AnswerSchema):
    """One line of the roll."""

    student_id = fields.String(metadata=described("The registrar's id; text.", "0012345"))
    first_name = fields.String(metadata=described("Empty when never stated.", "Amina"))
    last_name = fields.String(metadata=described("Empty when never stated.", "Okafor"))
    email = fields.String(metadata=described("Where the voter is reached.", "a.okafor@uni.example"))
    department = fields.String(metadata=described("Empty when never stated.", "Physics"))
    year = fields.Integer(allow_none=True, metadata=described("Year of study, 1 to 12.", 2))
    is_eligible = fields.Boolean(metadata=described("Whether the student may vote.", True))


class ErrorDetailsSchema(AnswerSchema):
    """The errors of an answer, for a program."""

    sometimes = frozenset({"query", "json", "error_id"})

    code = fields.String(metadata=described("What went wrong; see docs/codes.md.", "NOT_FOUND"))
    query = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        metadata=described("Faults of query parameters.", {"year": ["Not a valid integer."]}),
    )
    json = fields.Dict(
        keys=fields.String(),
        metadata=described("Faults of the body's fields.", {"email": ["Not a valid string."]}),
    )
    error_id = fields.String(
        metadata=described("Of an INTERNAL_ERROR: leads to the log.", "4f1d0c2a9b7e")
    )


class ErrorSchema(AnswerSchema):
    """An answer that is not a success."""

    code = fields.Integer(metadata=described("The HTTP status.", 404))
    status = fields.String(metadata=described("The status in words.", "Not Found"))
    message = fields.String(
        metadata=described("What went wrong, in a sentence.", "There is nothing at this address."),
    )
    errors = fields.Nested(
        ErrorDetailsSchema,
        metadata={"description": "The code, and the faults of single parameters."},
    )


class RowErrorSchema(AnswerSchema):
    """One fault of one row."""

    line = _count("The physical line of the file, or row of the sheet, from 1.", 17)
    column = fields.String(metadata=described("The column as the file calls it.", "E-mail"))
    code = fields.String(metadata=described("What is wrong.", "INVALID_EMAIL"))
    value = fields.String(metadata=described("The value, shortened.", "ann(at)example.edu"))
    message = fields.String(
        metadata=described(
            "How to mend it.", "Give one e-mail address of the form name@university.edu."
        )
    )
