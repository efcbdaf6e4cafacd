"""The `flask` commands, through Click's runner and as a process."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from api.app import create_app
from benchmarks.rolls import write_csv
from config.settings import PROJECT_ROOT, Settings
from shared.access.models import ApiToken, User
from shared.access.scopes import Scope
from shared.access.tokens import find_token
from shared.database.schema import pending_migrations
from shared.jobs.models import Job
from shared.voters.models import Voter
from tests.roll_file.roll_samples import with_cells
from tests.support.api_client import HEADER, ROLL
from tests.support.running import WAIT_SECONDS, children, wait_for

FLASK = Path(sys.executable).with_name("flask")
BAD_ROWS = b"".join(b"%d,Ann,Lee,nothing,Law,3,yes\n" % number for number in range(100, 130))


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each test in its own folder, because commands write rejects files into it."""
    monkeypatch.chdir(tmp_path)


def run(app: Flask, *words: str | Path, answers: str = "") -> Result:
    return app.test_cli_runner().invoke(args=[str(word) for word in words], input=answers)


@pytest.fixture
def roll(tmp_path: Path) -> Path:
    path = tmp_path / "roll.csv"
    path.write_bytes(ROLL)
    return path


def test_migrate_reports_what_it_applied_and_may_be_repeated(settings: Settings) -> None:
    app = create_app(settings)
    first = run(app, "migrate")
    assert first.exit_code == 0
    assert "applied 0001" in first.stdout
    assert pending_migrations() == []
    assert run(app, "migrate").stdout == "The database is up to date.\n"


@pytest.mark.parametrize(
    "words",
    [
        ("create-token", "a"),
        ("list-tokens",),
        ("revoke-token", "a"),
        ("create-admin", "--username", "a", "--password", "long enough"),
        ("reset-password", "a"),
        ("import", "samples/roll.csv"),
    ],
)
def test_a_database_without_tables_gives_a_one_line_error(
    settings: Settings, words: tuple[str, ...]
) -> None:
    result = run(create_app(settings), *words)
    assert result.exit_code == 1
    assert result.stderr == ("Error: The database is not up to date. Run `flask migrate` first.\n")


def test_an_unavailable_database_gives_a_one_line_error(settings: Settings) -> None:
    away = replace(settings, database_url="postgresql://postgres@127.0.0.1:1/none")
    result = run(create_app(away), "migrate")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: The database cannot be used:")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("options", "scopes"),
    [
        ((), "import read"),
        (("--scope", "read"), "read"),
        (("--scope", "read", "--scope", "admin"), "admin read"),
    ],
)
def test_standard_output_holds_only_the_token(
    app: Flask, options: tuple[str, ...], scopes: str
) -> None:
    result = run(app, "create-token", "registrar", *options)
    found = find_token(result.stdout.strip())
    assert found is not None
    assert (found.name, found.scopes) == ("registrar", scopes)
    assert "registrar" in result.stderr


def test_only_the_digest_of_a_token_is_kept(app: Flask) -> None:
    token = run(app, "create-token", "registrar").stdout.strip()
    assert token not in str(list(ApiToken.select().dicts()))


def test_a_taken_name_of_a_token_is_refused(app: Flask) -> None:
    run(app, "create-token", "registrar")
    result = run(app, "create-token", "registrar")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "already" in result.stderr


def test_an_unknown_scope_is_refused(app: Flask) -> None:
    assert run(app, "create-token", "a", "--scope", "everything").exit_code == 2
    assert {str(scope) for scope in Scope} == {"read", "import", "metrics", "admin"}


def test_an_admin_is_created_from_the_answers_to_two_questions(app: Flask) -> None:
    result = run(app, "create-admin", answers="ada\nlong enough\nlong enough\n")
    assert result.exit_code == 0
    assert "long enough" not in result.output
    kept = User.get(User.username == "ada").password_hash
    assert kept.startswith("scrypt:")
    assert "long enough" not in kept


@pytest.mark.parametrize("password", ["short", "long enough"])
def test_a_short_password_or_a_taken_name_is_refused(app: Flask, password: str) -> None:
    run(app, "create-admin", "--username", "ada", "--password", "long enough")
    result = run(app, "create-admin", "--username", "ada", "--password", password)
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1


def test_an_import_saves_the_roll_and_prints_its_report(app: Flask, roll: Path) -> None:
    result = run(app, "import", roll)
    assert result.exit_code == 0, result.output
    assert "1 of 1 rows saved" in result.stdout
    assert "created: 1" in result.stdout
    assert Voter.get_by_id("1").email == "ann@x.edu"


def test_rows_that_a_mode_leaves_alone_are_not_called_saved(app: Flask, roll: Path) -> None:
    result = run(app, "import", roll, "--mode", "update_only")
    assert result.exit_code == 0, result.output
    assert "0 of 1 rows saved" in result.stdout
    assert "including 1 that update_only skips" in result.stdout
    assert Voter.select().count() == 0


@pytest.mark.parametrize("share", ["nan", "-1", "inf", "many"])
def test_a_share_that_is_none_is_an_error_of_usage(app: Flask, roll: Path, share: str) -> None:
    result = run(app, "import", roll, "--max-rejected-percent", share)
    assert result.exit_code == 2
    assert "--max-rejected-percent" in result.stderr
    assert Job.select().count() == 0


def test_a_dry_run_changes_nothing(app: Flask, roll: Path) -> None:
    result = run(app, "import", roll, "--dry-run")
    assert result.exit_code == 0
    assert "would be saved" in result.stdout
    assert Voter.select().count() == 0


def test_json_is_the_document_of_the_task_status(app: Flask, roll: Path) -> None:
    document = json.loads(run(app, "import", roll, "--json").stdout)
    assert document["state"] == "SUCCESS"
    assert document["task_id"] == str(Job.get().id)
    assert document["report"]["created"] == 1


def test_the_first_faults_are_printed_with_their_lines(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "faults.csv"
    path.write_bytes(HEADER + BAD_ROWS)
    result = run(app, "import", path)
    assert result.exit_code == 0
    assert "INVALID_EMAIL 30" in result.stdout
    assert "line 2, email: INVALID_EMAIL" in result.stdout
    assert result.stdout.count("INVALID_EMAIL:") == 20


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "EMPTY_FILE"),
        (b"%PDF-1.7 \n", "UNSUPPORTED_FORMAT"),
        (ROLL.ljust(100_001), "TOO_LARGE"),
        (None, "UNREADABLE_PATH"),
    ],
)
def test_a_refused_file_ends_with_status_1_and_a_sentence(
    app: Flask, tmp_path: Path, content: bytes | None, code: str
) -> None:
    path = tmp_path / "roll.csv"
    if content is not None:
        path.write_bytes(content)
    plain = run(app, "import", path)
    assert (plain.exit_code, plain.stdout) == (1, "")
    assert plain.stderr.endswith(".\n")
    machine = run(app, "import", path, "--json")
    assert machine.exit_code == 1
    assert json.loads(machine.stdout)["error"]["code"] == code
    assert Job.select().count() == 0


def test_a_failed_import_ends_with_status_1_and_its_sentence(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "roll.csv"
    path.write_bytes(b"Number,Town\n1,Ulm\n")
    result = run(app, "import", path)
    assert result.exit_code == 1
    assert result.stderr.startswith("File processing failed: ")
    assert json.loads(run(app, "import", path, "--json").stdout)["error"]["code"] == (
        "MISSING_COLUMNS"
    )


def test_flask_finds_the_application_from_the_project_folder(
    sqlite_url: str, tmp_path: Path
) -> None:
    environment = {"PATH": os.environ["PATH"], "DEBUG": "1", "DATABASE_URL": sqlite_url}
    result = subprocess.run(
        [FLASK, "migrate"], cwd=PROJECT_ROOT, env=environment, capture_output=True, check=False
    )
    assert result.returncode == 0, result.stderr
    with sqlite3.connect(tmp_path / "voters.db") as connection:
        assert connection.execute("SELECT count(*) FROM voter").fetchone() == (0,)
    connection.close()


def test_bad_settings_stop_every_command_with_one_message() -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "SECRET_KEY": "weak",
        "DATABASE_URL": "mysql://x",
        "DEBUG": "0",
    }
    result = subprocess.run(
        [FLASK, "migrate"],
        cwd=PROJECT_ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "SECRET_KEY" in result.stderr
    assert "DATABASE_URL" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_rejected_rows_are_written_beside_the_report(app: Flask, tmp_path: Path) -> None:
    roll = tmp_path / "autumn.csv"
    roll.write_text("id,email\n1,a@x.edu\n2,nobody\n", encoding="utf-8")
    done = run(app, "import", roll)
    assert "autumn.rejects.csv" in done.stderr
    assert "2,nobody,3," in (tmp_path / "autumn.rejects.csv").read_text("utf-8-sig")
    run(app, "import", roll, "--rejects", tmp_path / "other.csv")
    assert (tmp_path / "other.csv").exists()


def test_rejected_rows_overwrite_nothing_and_are_their_owner_s(app: Flask, tmp_path: Path) -> None:
    roll = tmp_path / "autumn.csv"
    roll.write_text("id,email\n1,a@x.edu\n2,nobody\n", encoding="utf-8")
    (tmp_path / "autumn.rejects.csv").write_text("mine")
    assert "autumn.rejects-2.csv" in run(app, "import", roll).stderr
    assert (tmp_path / "autumn.rejects.csv").read_text() == "mine"
    assert (tmp_path / "autumn.rejects-2.csv").stat().st_mode & 0o777 == 0o600


def test_a_roll_is_saved_although_its_rejects_cannot_be_written(app: Flask, tmp_path: Path) -> None:
    roll = tmp_path / "autumn.csv"
    roll.write_text("id,email\n1,a@x.edu\n2,nobody\n", encoding="utf-8")
    done = run(app, "import", roll, "--rejects", tmp_path / "nowhere" / "x.csv")
    assert done.exit_code == 0
    assert "could not be written: No such file or directory." in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_import_whose_terminal_closes_fails_at_once(
    settings: Settings, tmp_path: Path, number: signal.Signals
) -> None:
    process = started_import(settings, tmp_path)
    process.send_signal(number)
    process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 1
    (job,) = Job.select()
    assert (job.state, job.error_code) == ("FAILURE", "INTERRUPTED")
    assert Voter.select().count() == 0


def started_import(settings: Settings, folder: Path, *options: str) -> "subprocess.Popen[bytes]":
    """A running import command that has begun to read its file."""
    run(create_app(settings), "migrate")
    roll = write_csv(folder / "large.csv", 300_000)
    environment = {
        "PATH": os.environ["PATH"],
        "DEBUG": "1",
        "DATABASE_URL": settings.database_url,
        "UPLOAD_STORE": settings.upload_store,
        "FLASK_APP": "api.app",
        "PYTHONPATH": str(PROJECT_ROOT),
    }
    # A shell starts background processes with this signal ignored, and children inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [FLASK, "import", roll, *options],
        env=environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    read = Job.select().where(Job.rows_read > 0)
    wait_for(read.exists, "no progress was noted", every=0.02)
    return process


def test_a_workbook_beyond_the_memory_limit_ends_in_a_message(
    settings: Settings, tmp_path: Path
) -> None:
    """calamine holds the sheet in memory, and Rust aborts the process if there is too little."""
    roll = tmp_path / "large.xlsx"
    cell = f't="inlineStr"><is><t>{"x" * 1_500}</t></is></c>'
    rows = (f'<row r="{n}"><c r="A{n}" {cell}<c r="B{n}" {cell}</row>' for n in range(2, 30_000))
    roll.write_bytes(with_cells("".join(rows)))
    small = replace(
        settings, job_memory_limit_mb=128, fast_sheet_bytes=1 << 30, max_upload_bytes=1 << 30
    )
    app = create_app(small)
    run(app, "migrate")
    result = run(app, "import", roll, "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (document["state"], document["error"]["code"]) == ("FAILURE", "WORKBOOK_TOO_LARGE")
    assert "takes more memory to read than there is" in document["result"]
    assert Voter.select().count() == 0


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGKILL, "WORKER_CRASHED"),
        (signal.SIGXCPU, "TIME_LIMIT"),
        (signal.SIGABRT, "MEMORY_LIMIT"),
    ],
)
def test_an_import_whose_job_process_dies_ends_in_a_message(
    settings: Settings, tmp_path: Path, number: signal.Signals, code: str
) -> None:
    process = started_import(settings, tmp_path, "--json")
    kill_job_processes(process.pid, number)
    output, _ = process.communicate(timeout=WAIT_SECONDS)
    document = json.loads(output)
    assert process.returncode == 1
    assert (document["state"], document["error"]["code"]) == ("FAILURE", code)
    assert "The roll is unchanged" in document["error"]["message"]
    assert Voter.select().count() == 0


def kill_job_processes(parent: int, number: signal.Signals) -> None:
    [job_process] = children(parent)
    os.kill(job_process, number)


def test_an_import_that_takes_too_long_is_stopped(settings: Settings, tmp_path: Path) -> None:
    roll = write_csv(tmp_path / "large.csv", 300_000)
    app = create_app(replace(settings, job_time_limit_seconds=1, max_upload_bytes=1 << 30))
    run(app, "migrate")
    result = run(app, "import", roll)
    assert result.exit_code == 1
    assert "stopped after 1 seconds" in result.stderr
    assert Job.get().error_code == "TIME_LIMIT"


def test_the_options_of_reading_are_the_api_s(app: Flask, tmp_path: Path) -> None:
    roll = tmp_path / "roll.csv"
    roll.write_bytes("id\temail\tdept\n1\ta@x.edu\tПра\n".encode("cp1251"))
    done = run(app, "import", roll, "--encoding", "cp1251", "--delimiter", "tab", "--json")
    assert json.loads(done.stdout)["file"]["encoding"] == "cp1251"
