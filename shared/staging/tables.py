"""The TEMP tables of one attempt, which only its own connection sees."""

from peewee import (
    BooleanField,
    IntegerField,
    SmallIntegerField,
    TextField,
)

from shared.database.connection import BaseModel
from shared.voters.models import BytewiseTextField


class StagedVoter(BaseModel):
    """One good row of the file, with NULL where the row states nothing.

    The table belongs to the attempt's own connection and always disappears with it.
    """

    line = IntegerField()
    student_id = BytewiseTextField()
    first_name = BytewiseTextField(null=True)
    last_name = BytewiseTextField(null=True)
    # In the database's own collation, because only there LOWER changes the case of all letters.
    email = TextField()
    department = BytewiseTextField(null=True)
    year = SmallIntegerField(null=True)
    is_eligible = BooleanField(null=True)

    class Meta:
        primary_key = False
        temporary = True


class RejectedRow(StagedVoter):
    """The readable part of a rejected row, with NULL where it states nothing or is not readable."""

    email = TextField(null=True)  # type: ignore[assignment]

    class Meta:
        primary_key = False
        temporary = True


class RepeatedId(BaseModel):
    """A student id in several rows of the file, at least one of them good."""

    student_id = BytewiseTextField(primary_key=True)
    first_line = IntegerField()
    row_count = IntegerField()
    is_conflict = BooleanField()

    class Meta:
        temporary = True


class ConflictRow(BaseModel):
    """A row of the file that contradicts another, with the message of its fault."""

    line = IntegerField(primary_key=True)
    student_id = BytewiseTextField()
    message = BytewiseTextField()

    class Meta:
        temporary = True
