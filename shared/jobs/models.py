"""The tables of jobs, of what is sent about them, and of their row faults."""

from uuid import UUID

from peewee import (
    BigIntegerField,
    BooleanField,
    CompositeKey,
    DateTimeField,
    FloatField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    TextField,
    UUIDField,
)

from shared.database.connection import BaseModel
from shared.jobs.states import OutboxState, Phase


class Job(BaseModel):
    """One uploaded file and what becomes of it. Times are the database's, in UTC, without a zone.

    Only the modules of `shared.jobs` write here, and `shared.deletion` when it erases the roll.
    """

    id = UUIDField(primary_key=True)
    state = TextField()
    dry_run = BooleanField(default=False)
    options = JSONField(default=dict)
    uploaded_by = TextField(default="")
    idempotency_key = TextField(null=True)
    duplicate_of = UUIDField(null=True)
    preview_of = UUIDField(null=True)
    retry_of = UUIDField(null=True)
    cancelled_by = TextField(null=True)
    # The request that created the job. Only the log uses it.
    request_id = TextField(null=True)

    attempts = IntegerField(default=0)
    deaths = IntegerField(default=0)
    worker = TextField(default="")
    created_at = DateTimeField()
    started_at = DateTimeField(null=True)
    finished_at = DateTimeField(null=True)
    not_before = DateTimeField()
    lease_expires_at = DateTimeField(null=True)

    phase = TextField(default=Phase.QUEUED)
    rows_read = IntegerField(default=0)
    percent = FloatField(null=True)

    file_key = TextField()
    file_name = TextField()
    size_bytes = BigIntegerField()
    sha256 = TextField()
    format = TextField()
    encoding = TextField(null=True)
    delimiter = TextField(null=True)
    sheet = TextField(null=True)

    report = JSONField(null=True)
    # The version of the roll that a preview was compared with, or that an import has produced.
    roll_version = BigIntegerField(null=True)
    rejects_key = TextField(null=True)
    files_purged_at = DateTimeField(null=True)
    error_code = TextField(null=True)
    error_message = TextField(null=True)


class OutboxEntry(BaseModel):
    """The report email or the webhook call of a finished job. A job that is not final has none.

    Only `shared.jobs.outbox` writes here.
    """

    job = ForeignKeyField(Job)
    # The id without a query for the job. peewee adds this attribute.
    job_id: UUID
    channel = TextField()
    state = TextField(default=OutboxState.NONE)
    attempts = IntegerField(default=0)
    # The time of the next attempt. While a sender works on it, another may begin then.
    due_at = DateTimeField()
    # The job's end, or the time of the last request to send it again.
    asked_at = DateTimeField()
    error = TextField(null=True)
    sent_at = DateTimeField(null=True)

    class Meta:
        table_name = "outbox"
        primary_key = CompositeKey("job", "channel")


class JobFault(BaseModel):
    """One row fault of a finished job. The first thousand of a job are kept."""

    job = UUIDField()
    number = IntegerField()
    line = IntegerField()
    column = TextField(column_name="column_label")
    code = TextField()
    value = TextField()
    message = TextField()

    class Meta:
        primary_key = CompositeKey("job", "number")
