"""The roll, and the TEMP tables in which an attempt compares a file with it."""

from typing import Any

from peewee import (
    SQL,
    AutoField,
    BigIntegerField,
    BooleanField,
    DateTimeField,
    IntegerField,
    NodeList,
    SmallIntegerField,
    TextField,
    UUIDField,
)

from shared.database.connection import BaseModel, is_postgresql

OPTIONAL = ("first_name", "last_name", "department", "year", "is_eligible")
COMPARED = ("email", *OPTIONAL)


class BytewiseTextField(TextField):
    """Text of a TEMP table, compared byte by byte as the roll's key is.

    In the language's order that a PostgreSQL database may have by default, sorting and grouping
    take several times as long, and new voters would not come in the order of the key.
    """

    def ddl(self, ctx: Any) -> Any:
        """The column's definition."""
        definition = super().ddl(ctx)
        return NodeList((definition, SQL('COLLATE "C"'))) if is_postgresql() else definition


class Voter(BaseModel):
    """One line of the roll. The registrar's student id is the key: text, never a number."""

    student_id = TextField(primary_key=True)
    first_name = TextField(default="")
    last_name = TextField(default="")
    email = TextField()
    department = TextField(default="")
    year = SmallIntegerField(null=True)
    is_eligible = BooleanField(default=False)


class VoterHistory(BaseModel):
    """A voter's entry as it was before a change, and who changed it when and why.

    What the change was is told by the next entry of the same voter, or by the roll.
    """

    id = AutoField()
    student_id = TextField()
    first_name = TextField()
    last_name = TextField()
    email = TextField()
    department = TextField()
    year = SmallIntegerField(null=True)
    is_eligible = BooleanField()
    changed_at = DateTimeField()
    changed_by = TextField()
    reason = TextField(default="")
    job = UUIDField(null=True, column_name="job_id")


class Roll(BaseModel):
    """The roll as a whole, in one row: each committed change of any voter raises `version`."""

    id = IntegerField(primary_key=True)
    version = BigIntegerField()
    changed_at = DateTimeField()
    # Of which the roll's groups are.
    counted_version = BigIntegerField(null=True)


class RollGroup(BaseModel):
    """How many voters have one department and one year; see `shared.voters.counts`."""

    department = TextField()
    year = SmallIntegerField(null=True)
    voters = IntegerField()
    eligible = IntegerField()

    class Meta:
        primary_key = False
