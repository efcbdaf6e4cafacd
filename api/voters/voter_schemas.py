"""The schemas of voters: an entry, its history, the counts of the roll."""

from marshmallow import fields

from api.rest.schemas import TASK_ID, AnswerSchema, count_field, meaning
from shared.voters.summary import MAX_DEPARTMENTS


class VoterSchema(AnswerSchema):
    """A voter: one line of the roll."""

    student_id = fields.String(metadata=meaning("The registrar's id, as text.", "0012345"))
    first_name = fields.String(metadata=meaning("Empty when never stated.", "Amina"))
    last_name = fields.String(metadata=meaning("Empty when never stated.", "Okafor"))
    email = fields.String(metadata=meaning("The voter's email address.", "a.okafor@uni.example"))
    department = fields.String(metadata=meaning("Empty when never stated.", "Physics"))
    year = fields.Integer(allow_none=True, metadata=meaning("Year of study, 1 to 12.", 2))
    is_eligible = fields.Boolean(metadata=meaning("Whether the student may vote.", True))


class DifferenceSchema(AnswerSchema):
    """One field of a change."""

    field = fields.String(metadata=meaning("Its name.", "department"))
    before = fields.Raw(allow_none=True, metadata=meaning("What it was.", "Physics"))
    after = fields.Raw(allow_none=True, metadata=meaning("What it became.", "Mathematics"))


class ChangeSchema(AnswerSchema):
    """One change of a voter's entry."""

    changed_at = fields.String(
        metadata={
            **meaning("When it changed, as RFC 3339 in UTC.", "2026-01-31T09:30:00.125Z"),
            "format": "date-time",
        }
    )
    changed_by = fields.String(metadata=meaning("The user or token that changed it.", "registrar"))
    reason = fields.String(
        metadata=meaning(
            "The reason. Empty for an import.", "The registrar's letter of 3 November."
        )
    )
    job_id = fields.String(
        allow_none=True,
        metadata={
            **meaning("The import that changed it, or null.", TASK_ID),
            "format": "uuid",
        },
    )
    changes = fields.List(
        fields.Nested(DifferenceSchema), metadata={"description": "What changed, field by field."}
    )


class DepartmentSchema(AnswerSchema):
    """The voters of one department."""

    department = fields.String(metadata=meaning("Empty when never stated.", "Physics"))
    voters = count_field("Voters of the department.", 1200)
    eligible = count_field("Those of them who are eligible.", 1100)


class YearSchema(AnswerSchema):
    """The voters of one year of study."""

    year = fields.Integer(allow_none=True, metadata=meaning("Null when never stated.", 2))
    voters = count_field("Voters of the year.", 900)
    eligible = count_field("Those of them who are eligible.", 850)


class SummarySchema(AnswerSchema):
    """The counts of the roll, all from one moment."""

    voters = count_field("All voters of the roll.", 5400)
    eligible = count_field("Those of them who are eligible.", 5000)
    departments = count_field("How many departments there are.", 12)
    by_department = fields.List(
        fields.Nested(DepartmentSchema),
        metadata={"description": f"The largest {MAX_DEPARTMENTS:,} departments, largest first."},
    )
    by_year = fields.List(
        fields.Nested(YearSchema), metadata={"description": "In order. The unknown year is last."}
    )
