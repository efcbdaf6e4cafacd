"""The outbox in the database: which entries it accepts, and which sender may change one."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID, uuid4

import pytest
from peewee import IntegrityError

from shared.database.connection import database
from shared.database.sql import clock
from shared.jobs import jobs, outbox
from shared.jobs.jobs import StoredFile
from shared.jobs.models import OutboxEntry
from shared.jobs.states import Channel, OutboxState
from tests.support.outbox_entries import call_of, mail_of, set_mails

pytestmark = pytest.mark.usefixtures("any_database")

FILE = StoredFile(key="k", name="roll.csv", size_bytes=3, sha256="0" * 64, format="csv")
SENDERS = 4


def final_job() -> UUID:
    job_id = jobs.create(FILE, uploaded_by="tests")
    assert jobs.cancel(job_id, by="tests")
    return job_id


def claim_entry(channel: Channel = Channel.MAIL) -> OutboxEntry:
    entry = outbox.claim(channel)
    assert entry is not None
    return entry


def test_a_channel_claims_only_its_own_entries_in_turn() -> None:
    first, second = final_job(), final_job()
    OutboxEntry.update(due_at=clock(-9)).where(OutboxEntry.job == second).execute()
    assert [claim_entry().job_id, claim_entry().job_id] == [second, first]
    assert outbox.claim(Channel.MAIL) is None
    assert claim_entry(Channel.WEBHOOK).job.id == second
    assert call_of(first).attempts == 0


def test_senders_at_the_same_time_claim_an_entry_once() -> None:
    final_job()
    start = Barrier(SENDERS)

    def claim() -> bool:
        try:
            start.wait()
            return outbox.claim(Channel.MAIL) is not None
        finally:
            database.close()

    with ThreadPoolExecutor(SENDERS) as pool:
        claims = [pool.submit(claim) for _ in range(SENDERS)]
    assert sorted(one.result() for one in claims) == [False, False, False, True]


def test_a_sender_that_was_overtaken_changes_nothing() -> None:
    job_id = final_job()
    slow = claim_entry()
    set_mails(due_at=clock(-1))
    outbox.note_sent(claim_entry())
    outbox.note_unsent(slow, "OSError")
    outbox.note_nobody(slow, "No ADMIN_EMAIL is set.")
    mail = mail_of(job_id)
    assert (mail.state, mail.attempts, mail.error) == (OutboxState.SENT, 2, None)


def test_an_overtaken_sender_leaves_the_claim_of_the_next() -> None:
    job_id = final_job()
    slow = claim_entry()
    set_mails(due_at=clock(-1))
    following = claim_entry()
    outbox.note_sent(slow)
    assert mail_of(job_id).state == OutboxState.PENDING
    outbox.note_unsent(following, "OSError")
    assert mail_of(job_id).error == "OSError"


def test_asking_again_needs_a_final_job_whose_mail_is_done() -> None:
    waiting, ended = jobs.create(FILE, uploaded_by="tests"), final_job()
    assert not outbox.ask_again(waiting, Channel.MAIL)
    assert not outbox.ask_again(ended, Channel.MAIL)
    outbox.note_nobody(claim_entry(), "No ADMIN_EMAIL is set.")
    assert outbox.ask_again(ended, Channel.MAIL)
    mail = mail_of(ended)
    assert (mail.state, mail.attempts, mail.error) == (OutboxState.PENDING, 0, None)


def test_a_job_read_before_its_end_has_blank_entries() -> None:
    read = jobs.find(jobs.create(FILE, uploaded_by="tests"))
    assert read is not None
    jobs.cancel(read.id, by="tests")
    [entries] = outbox.entries_of([read]).values()
    assert {channel: entry.state for channel, entry in entries.items()} == {
        Channel.MAIL: OutboxState.NONE,
        Channel.WEBHOOK: OutboxState.NONE,
    }
    assert outbox.entries_of([]) == {}


@pytest.mark.parametrize(
    "values",
    [
        {"state": "lost"},
        {"state": "sent"},
        {"channel": "fax"},
        {"attempts": -1},
        {"due_at": None},
        {"asked_at": None},
        {"job": uuid4()},
    ],
)
def test_the_database_refuses_a_wrong_entry(values: dict[str, object]) -> None:
    final_job()
    with pytest.raises(IntegrityError):
        OutboxEntry.update(**values).where(OutboxEntry.channel == Channel.MAIL).execute()
