"""One file from upload to mail, with the embedded defaults and as on a platform."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from config.settings import PROJECT_ROOT
from tests.support.running import Service, running_service, text_of

SAMPLES = PROJECT_ROOT / "samples"
HEADER = "student_id,first_name,last_name,email,department,year,is_eligible\n"


@pytest.fixture(
    scope="module", params=["embedded", pytest.param("deployed", marks=pytest.mark.service)]
)
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp(request.param)
    settings = {}
    if request.param == "deployed":
        settings = {
            "DATABASE_URL": request.getfixturevalue("postgresql_url"),
            "BROKER_URL": request.getfixturevalue("rabbitmq_url"),
            "UPLOAD_STORE": "database:",
        }
    with running_service(folder, **settings) as running:
        yield running


def test_a_csv_roll_is_saved_and_every_row_accounted_for(service: Service) -> None:
    status = service.imported((SAMPLES / "roll.csv").read_bytes())
    report = status["report"]
    assert status["state"] == "SUCCESS"
    assert report["rows_read"] == 400
    assert report["errors"] == {
        "MISSING_FIELD": 2,
        "INVALID_EMAIL": 1,
        "INVALID_YEAR": 2,
        "INVALID_ELIGIBILITY": 1,
        "ID_SCIENTIFIC": 1,
        "CONTROL_CHARACTER": 1,
        "CONFLICTING_ROWS": 2,
        "COLUMN_COUNT": 1,
    }
    assert report["ignored_columns"] == ["Hall"]
    roll = service.voters()
    saved = report["created"] + report["updated"] + report["unchanged"]
    assert saved + report["repeated"] + report["rejected"] == report["rows_read"]
    assert roll["2100001"]["email"] == "s2100001@students.example.edu"
    assert "2400010" not in roll


def test_a_workbook_is_saved_and_its_numbers_become_ids(service: Service) -> None:
    status = service.imported((SAMPLES / "roll.xlsx").read_bytes(), "roll.xlsx")
    report = status["report"]
    assert status["state"] == "SUCCESS"
    assert status["file"]["format"] == "xlsx"
    assert status["file"]["sheet"] == "Roll"
    assert report["rows_read"] == 300
    assert report["errors"] == {"MISSING_FIELD": 1, "INVALID_YEAR": 1}
    assert service.get("/api/voters/2400400/").body["student_id"] == "2400400"


def test_importing_a_file_again_changes_nothing(service: Service) -> None:
    roll = (HEADER + "again-1,A,B,again@x.edu,Law,1,yes\n").encode()
    service.imported(roll)
    report = service.imported(roll)["report"]
    assert (report["created"], report["updated"], report["unchanged"]) == (0, 0, 1)


def test_the_report_mail_shows_the_counts(service: Service) -> None:
    status = service.imported((SAMPLES / "roll.csv").read_bytes(), "autumn roll.csv")
    mail = service.inbox.mail_for(status["task_id"])
    text = text_of(mail)
    assert mail["To"] == "admin@example.edu"
    assert "autumn roll.csv" in mail["Subject"]
    assert "400" in text
    assert "INVALID_YEAR" in text
    assert "@students.example.edu" not in text


def test_missing_columns_fail_the_job_with_a_message_and_a_mail(service: Service) -> None:
    status = service.imported(b"Number;Town\n1;Ulm\n")
    assert status["state"] == "FAILURE"
    assert status["error"]["code"] == "MISSING_COLUMNS"
    # A row without a known heading may hold a voter's data, so the message does not quote it.
    assert "Town" not in status["error"]["message"]
    assert status["report"] is None
    mail = service.inbox.mail_for(status["task_id"])
    assert "MISSING_COLUMNS" in text_of(mail)


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"%PDF-1.7\n%\xe2\xe3", 415), (b"\x89PNG\r\n\x1a\n" + bytes(64), 415), (b"", 422)],
)
def test_what_is_no_roll_is_refused_whatever_its_name(
    service: Service, content: bytes, status: int
) -> None:
    assert service.upload(content, "roll.csv").status == status


def test_the_status_of_a_finished_job_matches_the_contract(service: Service) -> None:
    status = service.imported((HEADER + "shape-1,A,B,shape@x.edu,Law,1,yes\n").encode())
    assert set(status) == {
        "task_id", "state", "status", "result", "dry_run", "attempts", "created_at",
        "started_at", "finished_at", "progress", "file", "report", "error",
    }  # fmt: skip
    assert status["result"] == (
        "File processing completed successfully: 1 of 1 rows saved (1 created, 0 updated,"
        " 0 unchanged), 0 rejected."
    )
    assert status["progress"] == {"phase": "done", "rows_read": 1, "percent": 100.0}
    assert status["file"]["encoding"] == "utf-8"
    assert status["file"]["delimiter"] == ","


def test_an_upload_names_the_address_of_its_status(service: Service) -> None:
    answer = service.upload(HEADER.encode() + b"location-1,A,B,location@x.edu,Law,1,yes\n")
    task_id = answer.body["task_id"]
    assert answer.status == 202
    assert answer.body["message"] == "File uploaded and processing started"
    assert answer.headers["Location"] == answer.body["status_url"]
    assert answer.body["status_url"] == f"{service.url}/api/task-status/{task_id}/"
    assert service.finished(task_id)["state"] == "SUCCESS"


def test_the_command_line_runs_the_same_pipeline(service: Service, tmp_path: Path) -> None:
    roll = tmp_path / "roll.csv"
    roll.write_text(HEADER + "cli-1,A,B,cli@x.edu,Law,1,yes\n", encoding="utf-8")
    done = service.command("import", str(roll))
    assert done.returncode == 0, done.stderr
    assert "1 of 1 rows saved" in done.stdout
    assert service.get("/api/voters/cli-1/").status == 200
    refused = service.command("import", __file__)
    assert refused.returncode == 1
