"""The outbox of webhook calls with a real HTTP server on loopback."""

import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from config.settings import PROJECT_ROOT, WebhookSettings
from consumer.webhook.call import headers_of
from consumer.webhook.sender import WebhookSender
from shared.database.connection import database
from shared.database.sql import clock
from shared.jobs import jobs, transitions
from shared.jobs.claims import Claim
from shared.jobs.jobs import StoredFile
from shared.jobs.models import Job, OutboxEntry
from shared.jobs.states import OutboxState
from shared.jobs.status_document import describe
from shared.roll_file.report import Report
from tests.support.outbox_entries import call_of, set_calls
from tests.support.receiver import Receiver

pytestmark = pytest.mark.usefixtures("any_database")

FILE = StoredFile(key="k", name="rôle.csv", size_bytes=3, sha256="0" * 64, format="csv")
SECRET = "a secret of at least thirty-two characters"
DOCS = PROJECT_ROOT / "docs" / "webhook.md"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver().open() as opened:
        yield opened


def webhook_sender(port: int, *, allow_private: bool = True) -> WebhookSender:
    return WebhookSender(WebhookSettings(f"http://127.0.0.1:{port}/hook", SECRET, allow_private))


def started_job() -> Claim:
    return jobs.create_started(
        FILE, uploaded_by="tests", dry_run=False, worker="w", lease_seconds=30
    )


def finished_job() -> Claim:
    claim = started_job()
    with database.atomic():
        transitions.finish(claim, Report(rows_read=1, created=1).to_dict(), [])
    return claim


def job_of(claim: Claim) -> Job:
    job = jobs.find(claim.job_id)
    assert job is not None
    return job


def make_due() -> None:
    set_calls(due_at=clock(-1))


def function_of_docs() -> Callable[[Any, bytes, str], bool]:
    """The function that the documentation gives receivers to verify a call."""
    [block] = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(block, names)  # noqa: S102 - the document's own example
    verify: Callable[[Any, bytes, str], bool] = names["is_genuine"]
    return verify


def test_a_finished_job_is_sent_once_with_its_status_document(receiver: Receiver) -> None:
    claim = finished_job()
    called = webhook_sender(receiver.port)
    assert called.send_one() is True
    assert called.send_one() is False
    [(path, headers, body)] = receiver.calls
    assert path == "/hook"
    assert headers["webhook-id"] == str(claim.job_id)
    assert json.loads(body) == describe(job_of(claim))
    assert json.loads(body)["state"] == "SUCCESS"
    assert call_of(claim.job_id).state == OutboxState.SENT


def test_a_failed_job_is_sent_too_and_a_running_one_is_not(receiver: Receiver) -> None:
    started_job()
    failed = started_job()
    transitions.fail(failed, "NO_ROWS", "The file has no rows.")
    called = webhook_sender(receiver.port)
    assert [called.send_one(), called.send_one()] == [True, False]
    [(_, _, body)] = receiver.calls
    assert json.loads(body)["error"]["code"] == "NO_ROWS"


def test_the_documented_check_knows_a_call_and_no_other(receiver: Receiver) -> None:
    is_genuine = function_of_docs()
    finished_job()
    webhook_sender(receiver.port).send_one()
    [(_, headers, body)] = receiver.calls
    assert is_genuine(headers, body, SECRET)
    assert not is_genuine(headers, body + b" ", SECRET)
    assert not is_genuine(headers, body, SECRET + "x")
    later = str(int(headers["webhook-timestamp"]) + 1)
    assert not is_genuine({**headers, "webhook-timestamp": later}, body, SECRET)
    assert not is_genuine({**headers, "webhook-id": "another"}, body, SECRET)
    assert not is_genuine({**headers, "webhook-signature": "v1,ä"}, body, SECRET)


def test_an_old_call_sent_again_is_not_believed(receiver: Receiver) -> None:
    is_genuine = function_of_docs()
    old = int(time.time()) - 301
    headers = headers_of(b"{}", call_id="1", timestamp=old, secret=SECRET)
    assert not is_genuine(headers, b"{}", SECRET)
    fresh = headers_of(b"{}", call_id="1", timestamp=old + 10, secret=SECRET)
    assert is_genuine(fresh, b"{}", SECRET)


@pytest.mark.parametrize("status", [302, 400, 404, 410, 500, 503])
def test_an_answer_that_is_no_success_leaves_the_call_due_later(
    receiver: Receiver, status: int
) -> None:
    receiver.status = status
    claim = finished_job()
    called = webhook_sender(receiver.port)
    assert [called.send_one(), called.send_one()] == [True, False]
    call = call_of(claim.job_id)
    assert (job_of(claim).state, call.state) == ("SUCCESS", OutboxState.PENDING)
    assert (call.error, call.attempts) == (f"HTTP {status}", 1)
    receiver.status = 200
    make_due()
    assert called.send_one() is True
    call = call_of(claim.job_id)
    assert (call.state, call.error) == (OutboxState.SENT, None)
    first, second = (headers["webhook-id"] for _, headers, _ in receiver.calls)
    assert first == second


def test_the_delay_grows_up_to_half_an_hour() -> None:
    claim = finished_job()
    called = webhook_sender(1)
    delays = []
    for _ in range(12):
        make_due()
        called.send_one()
        call = call_of(claim.job_id)
        late = OutboxEntry.select().where(
            (OutboxEntry.job == call.job_id) & (OutboxEntry.channel == call.channel)
        )
        delays += [
            next(
                bound
                for bound in (6, 11, 21, 41, 81, 161, 321, 641, 1281, 1801)
                if late.where(OutboxEntry.due_at < clock(bound)).exists()
            )
        ]
    assert delays == [6, 11, 21, 41, 81, 161, 321, 641, 1281, 1801, 1801, 1801]


def test_a_receiver_that_is_away_never_changes_the_job() -> None:
    claim = finished_job()
    before = describe(job_of(claim))
    webhook_sender(1).send_one()
    assert describe(job_of(claim)) == before
    assert call_of(claim.job_id).error == "ConnectionRefusedError"


def test_an_address_inside_is_refused(receiver: Receiver) -> None:
    claim = finished_job()
    webhook_sender(receiver.port, allow_private=False).send_one()
    assert call_of(claim.job_id).error == "AddressRefused"
    assert receiver.calls == []


def test_a_call_is_given_up_after_a_day() -> None:
    claim = finished_job()
    set_calls(asked_at=clock(-25 * 3600.0))
    webhook_sender(1).send_one()
    assert call_of(claim.job_id).state == OutboxState.FAILED
    assert webhook_sender(1).send_one() is False


def test_a_sender_that_died_leaves_the_call_due_again(receiver: Receiver) -> None:
    finished_job()
    set_calls(due_at=clock(-1), attempts=1)
    assert webhook_sender(receiver.port).send_one() is True
    assert len(receiver.calls) == 1


def test_without_a_url_no_call_is_sent() -> None:
    claim = finished_job()
    silent = WebhookSender(WebhookSettings("", "", allow_private=False))
    assert [silent.send_one(), silent.send_one()] == [True, False]
    assert call_of(claim.job_id).state == OutboxState.NONE


def test_the_log_names_the_job_and_neither_address_nor_secret(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    finished_job()
    webhook_sender(1).send_one()
    shown = " ".join(str(vars(record)) for record in caplog.records)
    assert "webhook not sent" in shown
    assert SECRET not in shown
    assert "/hook" not in shown


def test_a_call_has_the_time_of_the_database(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished_job()
    right_time = time.time
    with monkeypatch.context() as patched:
        patched.setattr(time, "time", lambda: right_time() + 86_400)
        assert webhook_sender(receiver.port).send_one()
    [(_, headers, _)] = receiver.calls
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
