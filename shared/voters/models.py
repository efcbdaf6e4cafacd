"""The tables of the roll, its history and its counts, and the text type of TEMP tables."""

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


class BytewiseTextField(TextField):
    """Text of a TEMP table, compared byte by byte as the roll's key is.

    A PostgreSQL database may have the order of a language by default. Sorting and grouping in that
    order take several times as long, and new voters would not come in the order of the key.
    """

    def ddl(self, ctx: Any) -> Any:
        """Return the definition of the column."""
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


def empty_value(field: str) -> str | bool | None:
    """Return the value of a field that was never stated. None means unknown, or required."""
    value: str | bool | None = getattr(Voter, field).default
    return value


class VoterHistory(BaseModel):
    """A voter's entry as it was before a change, and who changed it, when and why.

    The next entry of the same voter, or the roll, shows what the change was.
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
    # The version of the roll to which its groups belong.
    counted_version = BigIntegerField(null=True)


class RollGroup(BaseModel):
    """The number of voters of one department and year. See `shared.voters.counts`."""

    department = TextField()
    year = SmallIntegerField(null=True)
    voters = IntegerField()
    eligible = IntegerField()

    class Meta:
        primary_key = False
