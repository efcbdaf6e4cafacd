"""The migration to the outbox table, and processes of the release before that still run."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from peewee import (
    BigIntegerField,
    BooleanField,
    DateTimeField,
    IntegerField,
    TextField,
    UUIDField,
)
from playhouse.migrations import Runner

from shared.database.connection import BaseModel, database
from shared.database.schema import MIGRATIONS
from shared.jobs import outbox
from shared.jobs.models import Job, OutboxEntry
from shared.jobs.states import Channel
from tests.support.outbox_entries import call_of, mail_of

pytestmark = pytest.mark.usefixtures("new_database")

OUTBOX = "0014_outbox"
BEFORE = "0013_worker_troubles"
END = datetime.fromisoformat("2026-11-01T09:00:00.500")
LATER = END + timedelta(days=2)


class OldJob(BaseModel):
    """A cancelled job, with the columns that the release before uses for it."""

    id = UUIDField(primary_key=True, default=uuid4)
    state = TextField(default="REVOKED")
    dry_run = BooleanField(default=False)
    options = TextField(default="{}")
    uploaded_by = TextField(default="ann")
    attempts = IntegerField(default=0)
    deaths = IntegerField(default=0)
    worker = TextField(default="")
    created_at = DateTimeField(default=END)
    finished_at = DateTimeField(null=True, default=END)
    not_before = DateTimeField(default=END)
    phase = TextField(default="done")
    rows_read = IntegerField(default=0)
    file_key = TextField(default="key")
    file_name = TextField(default="roll.csv")
    size_bytes = BigIntegerField(default=10)
    sha256 = TextField(default="sha")
    format = TextField(default="csv")
    report_mail = TextField(default="none")
    report_mail_attempts = IntegerField(default=0)
    report_mail_due_at = DateTimeField(null=True)
    report_mail_error = TextField(null=True)
    report_mail_sent_at = DateTimeField(null=True)
    report_mail_asked_at = DateTimeField(null=True)
    webhook = TextField(default="none")
    webhook_attempts = IntegerField(default=0)
    webhook_due_at = DateTimeField(null=True)
    webhook_error = TextField(null=True)
    webhook_sent_at = DateTimeField(null=True)

    class Meta:
        table_name = "job"


def migrations() -> Runner:
    return Runner(database.obj, str(MIGRATIONS))


def old_job(**values: object) -> UUID:
    job_id: UUID = OldJob.create(**values).id
    return job_id


def columns_of(entry: OutboxEntry) -> tuple[object, ...]:
    return (entry.state, entry.attempts, entry.due_at, entry.asked_at, entry.error, entry.sent_at)


def old_pending() -> int:
    """The number of jobs about which a worker of the release before would send something."""
    is_pending = (OldJob.report_mail == "pending") | (OldJob.webhook == "pending")
    return int(OldJob.select().where(is_pending).count())


def test_the_columns_of_finished_jobs_become_entries() -> None:
    migrations().up(BEFORE)
    old_job(state="PENDING", finished_at=None)
    refused = old_job(
        report_mail="pending", report_mail_attempts=3, report_mail_due_at=LATER,
        report_mail_error="OSError", report_mail_sent_at=END, report_mail_asked_at=LATER,
        webhook="failed", webhook_attempts=9, webhook_due_at=LATER, webhook_error="HTTP 500",
    )  # fmt: skip
    sent = old_job(
        report_mail="sent", report_mail_attempts=1, report_mail_due_at=END,
        report_mail_sent_at=LATER, webhook_error="No WEBHOOK_URL is set.",
    )  # fmt: skip
    migrations().up()

    assert columns_of(mail_of(refused)) == ("pending", 3, LATER, LATER, "OSError", END)
    assert columns_of(call_of(refused)) == ("failed", 9, LATER, END, "HTTP 500", None)
    assert columns_of(mail_of(sent)) == ("sent", 1, END, END, None, LATER)
    assert columns_of(call_of(sent)) == ("none", 0, END, END, "No WEBHOOK_URL is set.", None)
    assert {entry.job_id for entry in OutboxEntry.select()} == {refused, sent}
    assert old_pending() == 0


def test_a_migration_taken_back_restores_what_was_due() -> None:
    migrations().up(BEFORE)
    due = {"report_mail": "pending", "report_mail_due_at": LATER, "report_mail_attempts": 3}
    asked = {"report_mail_sent_at": END, "report_mail_asked_at": LATER}
    call = {"webhook": "pending", "webhook_due_at": LATER, "webhook_error": "HTTP 500"}
    job_id = old_job(**due, **asked, **call)
    migrations().up()
    migrations().down(OUTBOX)
    restored = OldJob.get_by_id(job_id).__data__
    assert restored.items() >= {**due, **asked, **call}.items()


def test_a_job_that_an_older_process_ends_has_entries() -> None:
    migrations().up(BEFORE)
    job_id = old_job(state="PENDING", finished_at=None)
    migrations().up()
    ended = OldJob.update(
        state="REVOKED", finished_at=END,
        report_mail="pending", report_mail_due_at=END, webhook="pending", webhook_due_at=END,
    )  # fmt: skip
    assert ended.execute() == 1
    for entry in (mail_of(job_id), call_of(job_id)):
        assert columns_of(entry) == ("pending", 0, END, END, None, None)
    assert old_pending() == 0
    mail = outbox.claim(Channel.MAIL)
    assert mail is not None
    assert mail.job_id == job_id


def test_what_an_older_worker_sends_counts_as_sent() -> None:
    migrations().up(BEFORE)
    # The worker has claimed the mail before the migration, and sends it afterwards.
    job_id = old_job(report_mail="pending", report_mail_due_at=END, report_mail_attempts=1)
    migrations().up()
    OldJob.update(
        report_mail="pending", report_mail_due_at=LATER, report_mail_error="OSError"
    ).execute()
    assert columns_of(mail_of(job_id)) == ("pending", 1, LATER, END, "OSError", None)
    assert old_pending() == 0
    OldJob.update(report_mail="sent", report_mail_sent_at=LATER, report_mail_error=None).execute()
    assert columns_of(mail_of(job_id)) == ("sent", 1, LATER, END, None, LATER)


def test_a_report_that_an_older_process_asks_for_is_due() -> None:
    migrations().up(BEFORE)
    job_id = old_job(report_mail="sent", report_mail_due_at=END, report_mail_sent_at=END)
    migrations().up()
    OldJob.update(
        report_mail="pending", report_mail_due_at=LATER, report_mail_asked_at=LATER
    ).execute()
    assert columns_of(mail_of(job_id)) == ("pending", 0, LATER, LATER, None, END)


def test_an_older_process_creates_jobs_on_the_new_schema() -> None:
    migrations().up()
    job_id = old_job(state="PENDING", finished_at=None, phase="queued")
    assert Job.get_by_id(job_id).state == "PENDING"
    assert not OutboxEntry.select().exists()
