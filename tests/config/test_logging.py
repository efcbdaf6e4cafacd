"""What a log line contains, and what it must not contain."""

import json
import logging

import pytest

from config.logging import JsonFormatter, ReadableFormatter


def record_of(error: ValueError) -> logging.LogRecord:
    with pytest.raises(ValueError, match="duplicate") as caught:
        raise error
    failure = (caught.type, caught.value, caught.tb)
    return logging.LogRecord("x", logging.ERROR, "x.py", 1, "failed", (), failure)


@pytest.mark.parametrize("formatter", [ReadableFormatter(), JsonFormatter()])
def test_the_row_that_a_driver_quotes_is_cut(formatter: logging.Formatter) -> None:
    quoted = (
        "duplicate key\nDETAIL:  Failing row contains (4711, Ann).\nCONTEXT:  COPY staged_voter,"
        " line 1\nunnamed portal parameter $4 = 'ann@x.edu\nLee'"
    )
    text = formatter.format(record_of(ValueError(quoted)))
    assert "duplicate key" in text
    assert [secret for secret in ("4711", "Ann", "ann@x.edu", "Lee") if secret in text] == []


def test_fields_of_extra_stand_beside_the_event() -> None:
    record = logging.makeLogRecord({"msg": "claimed", "levelname": "INFO", "job_id": "7"})
    assert json.loads(JsonFormatter().format(record))["job_id"] == "7"
    assert ReadableFormatter().format(record).endswith("claimed job_id=7")
