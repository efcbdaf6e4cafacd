"""A rejects file is at most a few times as large as its upload, and says if rows are left out."""

import csv
from collections.abc import Iterable
from io import BytesIO, StringIO

from shared.importing.rejected_rows import Rejections
from shared.roll_file.errors import RowCode, RowError
from shared.roll_file.reader import open_roll
from shared.roll_file.rows.row import Row
from shared.roll_file.rows.validation import FaultyRow, compile_validator
from shared.roll_file.writing.rejects import CHARS_PER_BYTE, FREE_CHARS, RejectsWriter, most_chars
from tests.roll_file.roll_samples import csv_roll

FAULT = RowError(7, "email", RowCode.INVALID_EMAIL, "x", "Give one email address.")
LABELS = ("id", "email", "hall")


def size_of(rejections: Rejections) -> int:
    rejections._writer.finish()
    rejections._text.flush()
    return rejections._spool.tell()


def rejections_of(data: bytes) -> Rejections:
    """The rejected rows of a file, as an attempt collects them."""
    with open_roll(BytesIO(data)) as reader:
        rejections = Rejections(reader.header.labels, reader.header.unnamed, len(data))
        validate = compile_validator(reader.header)
        for line, cells in reader:
            row = validate(line, cells)
            assert isinstance(row, FaultyRow)
            rejections.add(line, cells, row)
    return rejections


def write_rejects(rows: Iterable[Row], max_chars: int) -> tuple[RejectsWriter, str]:
    file = StringIO(newline="")
    writer = RejectsWriter(file, LABELS, max_chars=max_chars)
    for line, cells in rows:
        writer.write(line, cells, [FAULT])
    writer.finish()
    return writer, file.getvalue().removeprefix("\ufeff")


def test_short_rows_below_a_wide_header_make_no_large_file() -> None:
    labels = ["id", "email", *(f"c{number}" for number in range(998))]
    data = csv_roll([["x"]] * 20_000, labels=labels)
    with rejections_of(data) as rejections:
        # The last row has a delimiter for each column, and the sentence.
        assert size_of(rejections) <= most_chars(len(data)) + len(labels) + 200
        assert rejections.count == 20_000
        (sentence,) = rejections.assumptions
        assert "no room for" in sentence


def test_a_long_text_in_many_rows_makes_no_large_file() -> None:
    text = "x" * 32_767
    writer, content = write_rejects(
        ((line, ["1", text, text]) for line in range(5_000)), FREE_CHARS
    )
    assert len(content) < FREE_CHARS + 1_000
    assert writer.count + writer.left_out == 5_000


def test_every_row_of_an_honest_file_has_room() -> None:
    rows = [(f"S{number:06}", "Ann", "Lee", "ann", "Law", "x", "maybe") for number in range(4_000)]
    data = csv_roll(rows)
    with rejections_of(data) as rejections:
        assert size_of(rejections) <= CHARS_PER_BYTE * len(data)
        assert rejections.assumptions == []


def test_a_file_that_is_half_full_names_faults_by_their_codes() -> None:
    rows = ((line, ["1", "x", "South"]) for line in range(40))
    writer, content = write_rejects(rows, 2_000)
    header, *found = csv.reader(StringIO(content, newline=""))
    assert header == [*LABELS, "_line", "_errors"]
    assert found[0][4] == "email: INVALID_EMAIL. Give one email address."
    assert found[39] == ["1", "x", "South", "39", "INVALID_EMAIL"]
    assert (writer.count, writer.left_out) == (40, 0)


def test_a_full_file_says_how_many_rows_it_lacks() -> None:
    rows = ((line, ["1", "x", "South"]) for line in range(100))
    writer, content = write_rejects(rows, 1_000)
    *_, last = csv.reader(StringIO(content, newline=""))
    assert writer.count + writer.left_out == 100
    assert last == ["", "", "", "", writer.left_out_sentence]
    assert f"no room for {writer.left_out} more rejected rows" in last[4]


def test_a_file_without_room_for_any_row_has_a_header() -> None:
    _, content = write_rejects([(7, ["1", "x" * 900, ""]), (8, ["1", "x" * 900, ""])], 500)
    assert content.splitlines()[0] == "id,email,hall,_line,_errors"
    assert len(content.splitlines()) == 2
