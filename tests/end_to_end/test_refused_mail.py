"""Report mails whose recipients the mail server refuses, some of them or all."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.running import Service, running_service, wait_for

ADMINS = ["first@example.edu", "gone@example.edu", "third@example.edu"]
ROLL = b"student_id,email\nmail-1,mail@x.edu\n"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with running_service(tmp_path, ADMIN_EMAIL=",".join(ADMINS)) as running:
        yield running


def mail_state(folder: Path) -> tuple[str, str | None]:
    """The state of the only job's report mail, and its error."""
    with closing(sqlite3.connect(folder / "voters.db")) as connection:
        query = "SELECT state, error FROM outbox WHERE channel = 'mail'"
        [row] = connection.execute(query).fetchall()
    return str(row[0]), row[1]


def test_one_refused_recipient_does_not_stop_mail_to_the_others(
    service: Service, tmp_path: Path
) -> None:
    service.inbox.refused = {"gone@example.edu"}
    task_id = service.imported(ROLL)["task_id"]
    service.inbox.mail_for(task_id)
    assert service.inbox.recipients == [["first@example.edu", "third@example.edu"]]
    noted = ("sent", "1 of 3 recipients refused (SMTP 550)")
    wait_for(lambda: mail_state(tmp_path) == noted, "not noted as sent")


def test_a_mail_refused_by_all_is_retried_and_the_job_unchanged(
    service: Service, tmp_path: Path
) -> None:
    service.inbox.refused = {*ADMINS}
    status = service.imported(ROLL)
    task_id = status["task_id"]
    refusal = ("pending", "SMTPRecipientsRefused")
    wait_for(lambda: mail_state(tmp_path) == refusal, "no refusal noted")
    assert service.inbox.mails == []
    service.inbox.refused = set()
    service.inbox.mail_for(task_id)
    assert service.inbox.recipients == [ADMINS]
    wait_for(lambda: mail_state(tmp_path) == ("sent", None), "not noted as sent")
    assert service.status(task_id) == status
