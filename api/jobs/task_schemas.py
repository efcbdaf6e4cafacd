"""The schemas of a job's status: while it waits, while it runs and after its end."""

from marshmallow import fields
from marshmallow.validate import OneOf

from api.jobs.report_schemas import ReportSchema
from api.rest.schemas import (
    SHA256,
    STATUS_URL,
    TASK_ID,
    AnswerSchema,
    count_field,
    meaning,
    task_id_field,
    time_field,
)
from shared.jobs.states import JobState, Phase


class AcceptedSchema(AnswerSchema):
    """The response to an upload that a worker will process."""

    sometimes = frozenset({"duplicate_of"})

    message = fields.String(
        metadata=meaning("Always the same.", "File uploaded and processing started")
    )
    task_id = fields.String(metadata={**meaning("The id of the job.", TASK_ID), "format": "uuid"})
    status_url = fields.String(
        metadata={
            **meaning("The URL where you can ask for the outcome.", STATUS_URL),
            "format": "uri",
        }
    )
    duplicate_of = task_id_field("The latest earlier job with the same bytes, or null.")


class ProgressSchema(AnswerSchema):
    """The progress of the current attempt."""

    phase = fields.String(
        validate=OneOf(list(Phase)), metadata=meaning("What the job is doing.", Phase.READING)
    )
    rows_read = count_field("Rows read so far.", 12_000)
    percent = fields.Float(
        allow_none=True,
        metadata=meaning("From 0 to 100. Null if the service does not know it.", 41.5),
    )


class FileSchema(AnswerSchema):
    """The uploaded file, as it was sent and as the service reads it."""

    name = fields.String(metadata=meaning("The client's name of the file.", "roll.csv"))
    size_bytes = count_field("Its size.", 48_211)
    sha256 = fields.String(metadata=meaning("The SHA-256 of its bytes.", SHA256))
    format = fields.String(metadata=meaning("Detected from the content.", "csv"))
    encoding = fields.String(allow_none=True, metadata=meaning("Of a CSV file.", "utf-8"))
    delimiter = fields.String(allow_none=True, metadata=meaning("Of a CSV file.", ";"))
    sheet = fields.String(allow_none=True, metadata=meaning("Of a workbook.", "Roll 2026"))


class FailureSchema(AnswerSchema):
    """Why the job failed."""

    code = fields.String(metadata=meaning("For programs.", "MISSING_COLUMNS"))
    message = fields.String(
        metadata=meaning(
            "For people.",
            "The file has no column for the email address. Name the column, for example email.",
        )
    )


class TaskStatusSchema(AnswerSchema):
    """A job: one uploaded file and what becomes of it."""

    task_id = fields.String(metadata={**meaning("The id of the job.", TASK_ID), "format": "uuid"})
    state = fields.String(
        validate=OneOf(list(JobState)),
        metadata=meaning("The state of the job.", JobState.STARTED),
    )
    status = fields.String(
        metadata=meaning("The state in a sentence.", "Reading the file: 12,000 rows so far.")
    )
    result = fields.String(
        allow_none=True, metadata=meaning("The outcome in a sentence. Null until then.", None)
    )
    dry_run = fields.Boolean(
        metadata=meaning("Whether the job is a preview, which changes nothing.", False)
    )
    attempts = count_field("The number of attempts that began.", 1)
    created_at = time_field("When the file was accepted.")
    started_at = time_field("When the latest attempt began.")
    finished_at = time_field("When the outcome was final.")
    progress = fields.Nested(
        ProgressSchema, metadata={"description": "The progress of the current attempt."}
    )
    file = fields.Nested(
        FileSchema,
        metadata={"description": "The file as it was uploaded and as the service read it."},
    )
    report = fields.Nested(
        ReportSchema,
        allow_none=True,
        metadata={"description": "What became of every row. Null until SUCCESS."},
    )
    error = fields.Nested(
        FailureSchema,
        allow_none=True,
        metadata={"description": "Why the job failed. Null if it did not."},
    )
