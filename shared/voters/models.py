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


class StagedVoter(BaseModel):
    """One good row of the file being imported; NULL where the row states nothing.

    The table belongs to the attempt's own connection: it is gone with it, whatever happens.
    """

    line = IntegerField()
    student_id = BytewiseTextField()
    first_name = BytewiseTextField(null=True)
    last_name = BytewiseTextField(null=True)
    # In the database's own order: there alone LOWER folds the case of all letters.
    email = TextField()
    department = BytewiseTextField(null=True)
    year = SmallIntegerField(null=True)
    is_eligible = BooleanField(null=True)

    class Meta:
        primary_key = False
        temporary = True


class RejectedRow(StagedVoter):
    """What can be read of a rejected row; NULL where it states nothing, or nothing legible."""

    email = TextField(null=True)  # type: ignore[assignment]

    class Meta:
        primary_key = False
        temporary = True


class RepeatedId(BaseModel):
    """A student id that stands in several rows of the file being imported, one of them good."""

    student_id = BytewiseTextField(primary_key=True)
    first_line = IntegerField()
    row_count = IntegerField()
    is_conflict = BooleanField()

    class Meta:
        temporary = True


class ConflictRow(BaseModel):
    """A row of the file being imported that contradicts another, and the fault that says so."""

    line = IntegerField(primary_key=True)
    student_id = BytewiseTextField()
    message = BytewiseTextField()

    class Meta:
        temporary = True
