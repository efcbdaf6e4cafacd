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
