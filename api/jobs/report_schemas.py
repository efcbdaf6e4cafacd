"""The schemas for the rows of a file: the report of a job, and one row fault."""

from marshmallow import fields
from marshmallow.validate import OneOf

from api.rest.schemas import AnswerSchema, count_field, counts_field, meaning


class PreviewedVoterSchema(AnswerSchema):
    """A voter that an import would change."""

    change = fields.String(
        validate=OneOf(["create", "update"]), metadata=meaning("What would happen.", "update")
    )
    student_id = fields.String(metadata=meaning("The voter.", "0012345"))
    line = count_field("The line of the file.", 17)
    fields_ = fields.Dict(
        data_key="fields",
        attribute="fields",
        keys=fields.String(),
        values=fields.Dict(),
        metadata=meaning(
            "The fields that would change, each with its old and its new value.",
            {"email": {"from": "a.okafor@uni.example", "to": "amina@uni.example"}},
        ),
    )


class ReportSchema(AnswerSchema):
    """What became of every row.

    `rows_read` is the sum of created, updated, unchanged, repeated and rejected.
    """

    # Fields of a preview, and fields that older reports do not have.
    sometimes = frozenset({
        "columns", "assumptions", "signs", "eligibility_on", "eligibility_off", "would_create",
        "would_update", "differences",
    })  # fmt: skip

    rows_read = count_field("Rows below the header that are not blank.", 1000)
    created = count_field("Voters that are new on the roll.", 950)
    updated = count_field("Voters whose entry changed.", 30)
    unchanged = count_field("Voters whose entry on the roll is already the same.", 18)
    repeated = count_field("Rows that repeat another row of the file.")
    rejected = count_field("Rows with a fault. They changed nothing.", 2)
    blank_rows = count_field("Rows without any content. They are not part of rows_read.")
    missing_columns = fields.List(
        fields.String(), metadata=meaning("Fields for which the file has no column.", ["year"])
    )
    ignored_columns = fields.List(
        fields.String(), metadata=meaning("Columns that the service does not use.", ["Phone"])
    )
    missing_fields = counts_field("Rows without a value, by field.", {"department": 3})
    errors = counts_field("Rejected rows, by fault code.", {"INVALID_EMAIL": 2})
    warnings = counts_field("Rows with a warning, by warning code.", {"SHARED_EMAIL": 1})

    columns = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        metadata=meaning("The file's own label of each field.", {"student_id": "Matric No"}),
    )
    assumptions = fields.List(
        fields.String(),
        metadata=meaning(
            "What the service assumed, in sentences.",
            ['The roll was read from the sheet "Roll". Not read: "Notes".'],
        ),
    )
    signs = fields.List(
        fields.Dict(keys=fields.String(), values=fields.String()),
        metadata=meaning(
            "What is odd about the file, although its rows are good: code and message.",
            [{"code": "ONE_DEPARTMENT", "message": "All voters are of one department."}],
        ),
    )
    eligibility_on = count_field("Updated voters who become eligible.", 4)
    eligibility_off = count_field("Updated voters who are no longer eligible.", 1)
    would_create = count_field(
        "In a preview only: the number of voters that an import would create.", 950
    )
    would_update = count_field(
        "In a preview only: the number of voters that an import would update.", 30
    )
    differences = fields.List(
        fields.Nested(PreviewedVoterSchema),
        metadata={
            "description": (
                "Only in a preview, and only for tokens that may read the roll: up to 50 of"
                " the voters that an import would change. Updated voters come before created"
                " ones."
            )
        },
    )


class RowErrorSchema(AnswerSchema):
    """A row fault."""

    line = count_field("The physical line of the file, or row of the sheet, from 1.", 17)
    column = fields.String(metadata=meaning("The column, as the file names it.", "E-mail"))
    code = fields.String(metadata=meaning("What is wrong.", "INVALID_EMAIL"))
    value = fields.String(metadata=meaning("The value, shortened.", "ann(at)example.edu"))
    message = fields.String(
        metadata=meaning(
            "How to fix it.", "Give one email address of the form name@university.edu."
        )
    )
