"""A finished job becomes the subject and text of a mail."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from consumer.mail.report import compose
from shared.jobs.models import Job, JobFault
from shared.jobs.states import JobState
from shared.roll_file.report import Report

REPORT = Report(
    rows_read=1000,
    created=900,
    updated=50,
    unchanged=40,
    repeated=3,
    rejected=7,
    blank_rows=2,
    missing_columns=["year"],
    ignored_columns=["Hall"],
    missing_fields={"year": 1000, "department": 12},
    errors={"INVALID_EMAIL": 5, "INVALID_YEAR": 2},
    warnings={"REPEATED_ROW": 3},
)


def job(**values: Any) -> Job:
    return Job(
        **{
            "id": UUID(int=7),
            "state": JobState.SUCCESS,
            "file_name": "roll.csv",
            "size_bytes": 12345,
            "sha256": "ab" * 32,
            "uploaded_by": "registrar",
            "created_at": datetime(2026, 11, 2, 9, 0, 0, tzinfo=UTC),
            "finished_at": datetime(2026, 11, 2, 9, 0, 8, tzinfo=UTC),
            "report": REPORT.to_dict(),
            "dry_run": False,
            **values,
        }
    )


def test_a_success_shows_every_count() -> None:
    mail = compose(job(), [])
    assert mail.subject == "[Voter roll] Imported: roll.csv, 993 of 1,000 rows"
    lines = [" ".join(line.split()) for line in mail.text.splitlines()]
    for line in (
        "Rows processed 1,000",
        "Rows saved 993",
        "created 900",
        "updated 50",
        "unchanged 40",
        "repeated 3",
        "Rows rejected 7",
        "Blank rows 2",
        "year 1,000",
        "department 12",
    ):
        assert line in lines
    assert "Columns that were not used: Hall" in mail.text
    assert "5 rows: The email address is not" in mail.text
    assert mail.text.index("INVALID_EMAIL") < mail.text.index("INVALID_YEAR")
    assert "2026-11-02 09:00:08 UTC" in mail.text
    assert "upload them again" in " ".join(mail.text.split())


def test_example_lines_name_line_and_code_and_no_value() -> None:
    faults = [
        JobFault(line=line, code="INVALID_EMAIL", value="private@", message="private@ is wrong")
        for line in (17, 17, 1040, 1041)
    ]
    mail = compose(job(), faults)
    assert "5 rows, for example line 17 and 1,040: The email address is not" in mail.text
    assert "  2 rows: The year of study" in mail.text
    assert "private" not in mail.text
    failed = compose(job(state=JobState.FAILURE, report=None), faults)
    assert "line 17: The email address is not" in failed.text


def test_a_roll_without_faults_asks_for_nothing() -> None:
    report = Report(rows_read=2, created=2)
    mail = compose(job(report=report.to_dict()), [])
    assert "nothing left to do" in mail.text
    assert "Most frequent faults" not in mail.text


def test_rows_that_a_mode_left_alone_are_counted_apart() -> None:
    report = Report(rows_read=3, created=1, unchanged=2, warnings={"NOT_UPDATED": 2})
    mail = compose(job(report=report.to_dict()), [])
    assert mail.subject == "[Voter roll] Imported: roll.csv, 1 of 3 rows"
    lines = [" ".join(line.split()) for line in mail.text.splitlines()]
    assert "Rows saved 1" in lines
    assert "Rows skipped by the mode 2" in lines
    assert "every row is on the roll" not in mail.text


def test_a_dry_run_says_that_nothing_was_changed() -> None:
    mail = compose(job(dry_run=True), [])
    assert mail.subject.startswith("[Voter roll] Checked")
    text = " ".join(mail.text.split())
    assert "Nothing was changed. To change the roll like this, apply the preview" in text
    assert "Fix the rejected rows" in text
    assert "Rows to be saved 993" in text
    assert "Rows saved" not in text


def test_a_dry_run_without_changes_does_not_ask_to_apply_it() -> None:
    report = Report(rows_read=2, unchanged=2)
    text = " ".join(compose(job(dry_run=True, report=report.to_dict()), []).text.split())
    assert "There is nothing to apply: the roll would stay as it is." in text
    assert "apply the preview" not in text
    assert "Mend" not in text


def test_a_failure_says_why_and_that_the_roll_is_unchanged() -> None:
    mail = compose(
        job(
            state=JobState.FAILURE,
            report=None,
            error_code="MISSING_COLUMNS",
            error_message="No column for the e-mail address.",
        ),
        [],
    )
    assert mail.subject == "[Voter roll] Not imported: roll.csv"
    assert "No column for the e-mail address. (MISSING_COLUMNS)" in mail.text
    assert "as it was before" in mail.text


@pytest.mark.parametrize("name", ["x" * 300 + ".csv", "große Liste.csv"])
def test_a_subject_stays_readable(name: str) -> None:
    mail = compose(job(file_name=name), [])
    assert len(mail.subject) < 120
    assert "\n" not in mail.subject


def test_a_cancelled_job_is_reported_with_who_cancelled_it() -> None:
    mail = compose(job(state=JobState.REVOKED, cancelled_by="ann"), [])
    assert mail.subject == "[Voter roll] Cancelled: roll.csv"
    assert mail.text.startswith("The import was cancelled by ann. The roll is as it was before.\n")


def test_the_html_says_the_same_and_escapes_file_names() -> None:
    name = "<script>alert(1)</script>&.csv"
    mail = compose(job(file_name=name), [], link="https://voters.example.edu/admin/imports/7/")
    assert name not in mail.html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&amp;.csv" in mail.html
    for text in (
        "993 of 1,000 rows saved",
        "5 rows: The email address is not",
        "2026-11-02 09:00:08 UTC",
    ):
        assert text in mail.html
    assert 'href="https://voters.example.edu/admin/imports/7/"' in mail.html
    assert "\nhttps://voters.example.edu/admin/imports/7/\n" in mail.text
    assert "http" not in compose(job(), []).text


def test_a_long_line_is_wrapped_for_every_mail_server() -> None:
    mail = compose(
        job(
            file_name="x" * 255,
            state=JobState.FAILURE,
            report=None,
            error_code="X",
            error_message="word " * 300,
        ),
        [],
    )
    assert max(map(len, mail.text.splitlines())) <= 78
