"""Unhandled errors in the log, and the values that a database quotes in them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from peewee import IntegrityError

from config.settings import PROJECT_ROOT
from config.tracebacks import format_traceback

START_WEB = "from api.app import create_app; create_app()"
START_OTHER = (
    "from config.process import begin_process; from config.settings import load_settings;"
    " begin_process(load_settings())"
)
# The quoted row looks like the next part of a traceback. The redaction must not stop there.
QUOTED = "duplicate key\\nDETAIL:  Key (email)=(Ann\\nTraceback of ann@x.edu) already exists."
ENDS = {
    "process": f'raise ValueError("{QUOTED}")',
    "thread": f"""
import threading
def fail():
    raise ValueError("{QUOTED}")
thread = threading.Thread(target=fail)
thread.start()
thread.join()
""",
    "ignored": f"""
class Closing:
    def __del__(self):
        raise ValueError("{QUOTED}")
Closing()
""",
}


def log_of(*command: str) -> list[str]:
    with subprocess.Popen(
        [sys.executable, *command],
        cwd=PROJECT_ROOT,
        env={**os.environ, "SECRET_KEY": "dX4k9_QmTz7wLr2bVnE8hYcJ0pGsUa5F", "DEBUG": "0"},
        # A job process ends when its standard input closes, so it must be an open pipe.
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        return process.stderr.read().splitlines()


@pytest.mark.parametrize("start", [START_WEB, START_OTHER], ids=["web", "other"])
@pytest.mark.parametrize("end", list(ENDS))
def test_an_unhandled_error_is_a_log_line(start: str, end: str) -> None:
    lines = [json.loads(line) for line in log_of("-c", f"{start}\n{ENDS[end]}")]
    [line] = [line for line in lines if "exception" in line]
    assert "duplicate key" in line["exception"]
    assert [secret for secret in ("Ann", "ann@x.edu") if secret in str(lines)] == []


def test_an_unhandled_error_of_a_job_process_is_a_log_line() -> None:
    lines = [json.loads(line) for line in log_of("-m", "consumer.job_process", "no id", "1")]
    assert "badly formed hexadecimal UUID" in lines[-1]["exception"]


@pytest.mark.service
def test_a_real_error_of_a_database_is_logged_without_its_row(postgresql_url: str) -> None:
    with psycopg.connect(postgresql_url) as connection:
        connection.execute("CREATE TEMP TABLE person (email TEXT UNIQUE, year INT)")
        connection.execute("INSERT INTO person VALUES ('ann@x.edu', 1)")
        for statement in (
            "INSERT INTO person VALUES ('ann@x.edu', 1)",
            "INSERT INTO person VALUES ('x', CAST('ann@x.edu' || year AS INT))",
            "SELECT CAST(email AS INT) FROM person",
        ):
            with pytest.raises(psycopg.Error) as raised, connection.transaction():
                connection.execute(statement)
            error = IntegrityError(raised.value, *raised.value.args)
            error.__cause__ = raised.value
            text = format_traceback(error, raised.value.__traceback__)
            assert type(raised.value).__name__ in text
            assert "ann@x.edu" not in text


def test_the_errors_that_led_to_an_error_are_shown() -> None:
    first, second, third = KeyError("first"), ValueError("second"), RuntimeError("third")
    second.__context__ = first
    third.__cause__ = second
    with pytest.raises(RuntimeError) as raised:
        raise third
    text = format_traceback(raised.value, raised.value.__traceback__)
    assert text.index("first") < text.index("During handling") < text.index("second")
    assert text.index("second") < text.index("direct cause") < text.index("third")
    assert Path(__file__).name in text
