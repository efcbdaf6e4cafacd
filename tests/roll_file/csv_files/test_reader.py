import csv
from collections.abc import Sequence
from io import BytesIO, StringIO
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.roll_file.csv_files.encoding import CHUNK_BYTES
from shared.roll_file.errors import FileCode, WarningCode
from shared.roll_file.formats import Format
from shared.roll_file.limits import ReadOptions
from shared.roll_file.reader import open_roll
from tests.roll_file.roll_samples import (
    CLEAN,
    LABELS,
    codes_of,
    csv_roll,
    fault_of,
    results_of,
    rows_of,
)

HEAD = b"ID,Mail,Dept\n"


def test_the_reader_shows_what_it_detected() -> None:
    with open_roll(BytesIO(csv_roll([CLEAN], delimiter=";"))) as reader:
        assert (reader.format, reader.encoding, reader.delimiter) == (Format.CSV, "utf-8", ";")
        assert reader.sheet is None
        assert reader.header.labels == LABELS
        assert list(reader) == [(2, list(CLEAN))]
        assert not reader.warnings
        assert reader.assumptions == []


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("line_end", ["\r\n", "\n", "\r"])
def test_encoding_delimiter_and_line_ends_are_found_out(
    delimiter: str, encoding: str, line_end: str
) -> None:
    rows = [["1", "Zoë", "Łoś", "z@uni.example", "A, B; C | D\tE", "3", "yes"]] * 3
    data = csv_roll(rows, encoding=encoding, delimiter=delimiter, line_end=line_end)
    assert rows_of(data) == [(line, rows[0]) for line in (2, 3, 4)]


def test_utf16_big_endian_is_read_by_its_mark() -> None:
    data = b"\xfe\xff" + csv_roll([CLEAN], encoding="utf-16-be")
    assert rows_of(data) == [(2, list(CLEAN))]


def test_mixed_line_ends_leave_line_numbers_physical() -> None:
    data = b"ID,Mail\r\n1,a@b.cd\r2,a@b.cd\n\n3,a@b.cd\r\r4,a@b.cd"
    assert [line for line, cells in rows_of(data) if cells] == [2, 3, 5, 7]


def test_a_blank_line_is_a_row_without_cells() -> None:
    assert rows_of(HEAD + b"\n1,a@b.cd,X\n\n") == [(2, []), (3, ["1", "a@b.cd", "X"]), (4, [])]


def test_a_row_counts_from_the_line_where_it_starts() -> None:
    data = HEAD + b'1,a@b.cd,"two\nlines"\n2,a@b.cd,"three\r\n\r\nlines"\r\n3,a@b.cd,X\n'
    assert rows_of(data) == [
        (2, ["1", "a@b.cd", "two\nlines"]),
        (4, ["2", "a@b.cd", "three\r\n\r\nlines"]),
        (7, ["3", "a@b.cd", "X"]),
    ]


def test_quotes_within_quotes_and_after_a_blank_are_understood() -> None:
    assert rows_of(HEAD + b'1, a@b.cd, "The ""old"" hall, west"\n') == [
        (2, ["1", "a@b.cd", 'The "old" hall, west'])
    ]


def test_the_delimiter_is_the_one_that_yields_most_columns() -> None:
    data = b"Roll, 2026; first draft\nStudent ID;Surname, Names;E-mail;Dept\n1;Moss;a@b.cd;X\n"
    with open_roll(BytesIO(data)) as reader:
        assert reader.delimiter == ";"
        assert dict(reader.header.columns) == {"student_id": 0, "email": 2, "department": 3}


@pytest.mark.parametrize("first", [b"sep=;\n", b"SEP=;\r\n", b'"sep=;"\n', b"\xef\xbb\xbfsep=;\n"])
def test_a_line_that_states_the_delimiter_is_used_and_counted(first: bytes) -> None:
    data = first + b"ID;Mail;a,b\n1;a@b.cd;X\n"
    with open_roll(BytesIO(data)) as reader:
        assert reader.delimiter == ";"
        assert reader.header.line == 2
        assert list(reader) == [(3, ["1", "a@b.cd", "X"])]


def test_the_stated_delimiter_may_be_any_sign() -> None:
    assert rows_of(b"sep=^\nID^Mail\n1^a@b.cd\n") == [(3, ["1", "a@b.cd"])]


def test_rows_that_repeat_the_header_are_skipped_and_counted() -> None:
    data = HEAD + b"1,a@b.cd,X\n" + HEAD + b"\xef\xbb\xbf" + HEAD + b"2,a@b.cd,X\n"
    with open_roll(BytesIO(data)) as reader:
        assert [line for line, _ in reader] == [2, 5]
        assert reader.warnings == {WarningCode.REPEATED_HEADER: 2}


def test_non_utf8_text_is_read_as_windows_1252_with_a_warning() -> None:
    data = csv_roll([("1", "Zoë", "Muñoz – Ž", *CLEAN[3:])], encoding="windows-1252")
    with open_roll(BytesIO(data)) as reader:
        assert reader.encoding == "windows-1252"
        assert [cells[1:3] for _, cells in reader] == [["Zoë", "Muñoz – Ž"]]
        assert reader.warnings == {WarningCode.ENCODING_ASSUMED: 1}
        assert "Windows-1252" in reader.assumptions[0]


@pytest.mark.parametrize(
    "name",
    [
        *("FACULTÉ\u00a0DES, Müller", "JOSÉ\u00a0, Peña", "Strauß–Kahn, Müller", "CAFÉ’S, é"),
        *("ÉCOLE «\u00a0É\u00a0», é", "Ü·Ö, ö", "Renée\u00a0», é", "JOSÉ\u00a0" * 9 + "é"),
        # Nine bytes that are not UTF-8, and three pairs that may be.
        "MÄKELÄ\u00a0" * 3 + "ö, " * 9,
    ],
)
def test_accents_before_typographic_signs_are_not_damaged_utf8(name: str) -> None:
    data = csv_roll([("1", name, *CLEAN[2:])], encoding="windows-1252")
    with open_roll(BytesIO(data)) as reader:
        assert reader.encoding == "windows-1252"
        assert [cells[1] for _, cells in reader] == [name]


@pytest.mark.parametrize(
    "name", ["Zoë", "Łódź", "山田", "’", "é" * 100, "Дмитрий", "Šárka", "à", "ơ, ệ"]
)
@pytest.mark.parametrize("damage", [b"\xe9", b"\xc3", b"\xe2\x80"])
def test_utf8_that_is_damaged_is_not_read_as_something_else(name: str, damage: bytes) -> None:
    fault = fault_of(HEAD + f"1,a@b.cd,{name}\n2,a@b.cd,".encode() + damage + b"\n")
    assert fault.code is FileCode.ENCODING_ERROR
    assert "Line 3 " in fault.message


def test_a_sign_that_two_blocks_share_is_counted_once() -> None:
    start = HEAD + b"1,a@b.cd,X\n" * 5_000 + b"1,a@b.cd,"
    start += b"X" * (CHUNK_BYTES - 1 - len(start))
    assert len(start) == CHUNK_BYTES - 1
    assert fault_of(start + "ë\n".encode() + b"2,a@b.cd,\xe9\n").code is FileCode.ENCODING_ERROR


def test_a_late_byte_decides_the_encoding_of_the_whole_file() -> None:
    rows = [CLEAN] * 5000
    data = csv_roll(rows) + "2,Zoë,Moss,z@uni.example,Law,1,no\n".encode("latin-1")
    with open_roll(BytesIO(data)) as reader:
        assert reader.encoding == "windows-1252"
        assert [cells[1] for _, cells in reader][-1] == "Zoë"


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (HEAD + "1,a@b.cd,Zoë\n".encode() + b"2,a@b.cd,Zo\xeb\n", 3),
        (HEAD + b"1,a@b.cd,Zo\xeb\n" + "2,a@b.cd,Zoë\n".encode(), 2),
        (b"\xef\xbb\xbf" + HEAD + b"\r\n1,a@b.cd,\xff\n", 3),
        (HEAD + b"1,a@b.cd,\x81\n", 2),
        (HEAD + b"1,a@b.cd,X\n" * 70_000 + "ë".encode() + b"\n\r\n\r\xe9", 70_005),
        ("\ufeff".encode("utf-16-le") + "ID,Mail\n1".encode("utf-16-le") + b"\x00\xd8,\x00", 2),
        ("\ufeffID,Mail\n1,a".encode("utf-16-le") + b"x", 2),
    ],
)
def test_damaged_text_is_a_fault_that_names_the_first_bad_line(data: bytes, line: int) -> None:
    fault = fault_of(data)
    assert fault.code is FileCode.ENCODING_ERROR
    assert f"Line {line:,} " in fault.message


def test_the_encoding_can_be_stated() -> None:
    data = csv_roll([("1", "Łoś", *CLEAN[2:])], encoding="iso8859-2")
    (row,) = rows_of(data, ReadOptions(encoding="latin2"))
    assert row[1][1] == "Łoś"
    assert fault_of(data, ReadOptions(encoding="utf-8")).code is FileCode.ENCODING_ERROR


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-16", "utf-32"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_stated_encoding_wins_over_what_the_bytes_look_like(encoding: str, mark: str) -> None:
    data = (mark + csv_roll([CLEAN]).decode()).encode(encoding)
    assert rows_of(data, ReadOptions(encoding=encoding)) == [(2, list(CLEAN))]


def test_what_is_no_roll_in_the_stated_encoding_is_still_refused() -> None:
    options = ReadOptions(encoding="utf-16-le")
    assert fault_of("<html>".encode("utf-16-le"), options).code is FileCode.UNSUPPORTED_FORMAT
    assert fault_of(" \n".encode("utf-16-le"), options).code is FileCode.EMPTY_FILE
    data = csv_roll([CLEAN]) * 2
    assert fault_of(data, options).code in (FileCode.ENCODING_ERROR, FileCode.MISSING_COLUMNS)


@pytest.mark.parametrize("name", ["klingon", "rot13", "hex", "punycode", "a\x00b", ""])
def test_an_encoding_that_files_do_not_have_is_refused(name: str) -> None:
    fault = fault_of(csv_roll([CLEAN]), ReadOptions(encoding=name))
    assert fault.code is FileCode.ENCODING_ERROR


def test_the_delimiter_can_be_stated() -> None:
    assert rows_of(b"ID:Mail\n1:a@b.cd\n", ReadOptions(delimiter=":")) == [(2, ["1", "a@b.cd"])]
    fault = fault_of(b"ID,Mail\n1,a@b.cd\n", ReadOptions(delimiter=";"))
    assert fault.code is FileCode.MISSING_COLUMNS


@pytest.mark.parametrize("delimiter", ["", ",,", '"', "\n", " "])
def test_an_impossible_delimiter_is_no_crash(delimiter: str) -> None:
    fault = fault_of(csv_roll([CLEAN]), ReadOptions(delimiter=delimiter))
    assert fault.code is FileCode.MISSING_COLUMNS


def test_headers_that_no_delimiter_divides_are_named() -> None:
    fault = fault_of(b"Student;Name;Phone\n1;Moss;555\n")
    assert fault.code is FileCode.MISSING_COLUMNS
    assert '"Name", "Phone"' in fault.message


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        (b'1,a@b.cd,"X\n2,a@b.cd,X\n', 2),
        (b'1,a@b.cd,X\n2,a@b.cd,"X', 3),
        (b'1,a@b.cd,X\n"', 3),
        (b'1,a@b.cd,"X\n' + b"2,a@b.cd,X\n" * 500 + b'3,a@b.cd,X"\n', 2),
        (b'1,a@b.cd,"X\n' + b"2,a@b.cd,X\n" * 50 + b'3,a@b.cd,"X\n', 2),
        (b'1,"a@b.cd,X\n2,"a@b.cd,X\n', 2),
        (b'1,"a@b.cd,X\n2,a@b.cd,X\n3,"a@b.cd,X\n', 2),
        (b'1,a@b.cd,"X\n2,a@b.cd,X"\n', 2),
        (b'1,"a@b.cd,X\r2,"a@b.cd,X\r', 2),
        (b'1,a@b.cd,"' + b"\n" * 200 + b'"\n', 2),
    ],
)
def test_an_unclosed_quote_is_a_fault_of_the_line_that_opens_it(rows: bytes, line: int) -> None:
    fault = fault_of(HEAD + rows)
    assert fault.code is FileCode.UNCLOSED_QUOTE
    assert f"line {line:,} " in fault.message


@pytest.mark.parametrize(
    ("header", "row"),
    [
        (b"ID,Mail,Address", b'1,a@b.cd,"1 High St\nOxford, OX1, UK"'),
        (b"Address,ID,Mail", b'"Flat 2, Block B, High St\nOxford",1,a@b.cd'),
        (b"ID,Address,Mail,Town", b'1,"Flat 2, High St\nOxford",a@b.cd,UK'),
    ],
)
def test_an_address_in_several_lines_is_no_open_quote(header: bytes, row: bytes) -> None:
    ((line, cells),) = rows_of(header + b"\n" + row + b"\n")
    assert line == 2
    assert [cell for cell in cells if isinstance(cell, str) and "\n" in cell]
    assert len(cells) == header.count(b",") + 1


def test_a_quote_that_is_not_closed_in_the_header_is_found() -> None:
    assert fault_of(b'ID,Mail,"Dept\n1,a@b.cd,X\n').code is FileCode.UNCLOSED_QUOTE


def test_a_multiline_cell_with_delimiters_is_no_unclosed_quote() -> None:
    address = "Flat 3, Block B,\nMain Street 5, Town,\nCountry"
    data = csv_roll([(*CLEAN, address)], labels=(*LABELS, "Address"))
    assert rows_of(data) == [(2, [*CLEAN, address])]


def test_nul_and_control_characters_are_faults_of_their_rows() -> None:
    data = csv_roll([CLEAN, ("S\x002", *CLEAN[1:]), ("S3", "bell\x07", *CLEAN[2:]), CLEAN])
    good, nul, bell, last = results_of(data)
    assert isinstance(good, tuple)
    assert isinstance(last, tuple)
    assert codes_of(nul) == codes_of(bell) == ["CONTROL_CHARACTER"]


def test_cells_too_few_or_too_many_are_faults_of_their_rows() -> None:
    results = results_of(HEAD + b"1,a@b.cd\n2,a@b.cd,X,Y\n3,a@b.cd,X,,\n")
    assert [codes_of(result) for result in results[:2]] == [["COLUMN_COUNT"], ["COLUMN_COUNT"]]
    assert isinstance(results[2], tuple)


def test_too_many_rows_are_refused_and_blank_rows_do_not_count() -> None:
    data = HEAD + b"\n,,\n" * 10 + b"1,a@b.cd,X\n" * 3
    assert len(rows_of(data, max_rows=3)) == 23
    fault = fault_of(data, max_rows=2)
    assert fault.code is FileCode.TOO_MANY_ROWS
    assert "2 rows" in fault.message


@pytest.mark.parametrize("data", [b"", b"\n", b" \r\n\t\n", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_a_file_without_text_is_empty(data: bytes) -> None:
    assert fault_of(data).code is FileCode.EMPTY_FILE


def test_a_header_alone_yields_no_rows() -> None:
    assert rows_of(HEAD) == []
    assert rows_of(HEAD.rstrip()) == []


def test_the_fraction_grows_to_one() -> None:
    with open_roll(BytesIO(csv_roll([CLEAN] * 20_000))) as reader:
        fractions = [reader.fraction() or 0.0 for _ in reader]
    assert fractions == sorted(fractions)
    assert fractions[0] < 0.2
    assert fractions[-1] == 1.0


def test_a_stream_stays_open_and_its_two_readers_do_not_mix() -> None:
    stream = BytesIO(csv_roll([CLEAN] * 3))
    with open_roll(stream) as reader:
        first = list(reader)
    with open_roll(stream) as reader:
        assert list(reader) == first


signs = st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r\n\ufeff")
cell = st.text(st.one_of(signs, st.sampled_from(',;|\t"\n ')), max_size=12)
QUOTING: tuple[Literal[0, 1], ...] = (csv.QUOTE_MINIMAL, csv.QUOTE_ALL)
ROUND_TRIP_ENCODINGS = ["utf-8", "utf-8-sig", "utf-16"]


@given(
    rows=st.lists(st.tuples(cell, cell, cell), max_size=6),
    encoding=st.sampled_from(ROUND_TRIP_ENCODINGS),
    delimiter=st.sampled_from(",;\t|"),
    quoting=st.sampled_from(QUOTING),
    line_end=st.sampled_from(["\r\n", "\n"]),
)
def test_what_is_written_is_read_back(
    rows: Sequence[tuple[str, str, str]],
    encoding: str,
    delimiter: str,
    quoting: Literal[0, 1],
    line_end: str,
) -> None:
    text = StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator=line_end)
    writer.writerows([("ID", "E-mail", "Dept", "Note"), *((*row, "end") for row in rows)])
    read = rows_of(text.getvalue().encode(encoding))
    # Spaces before a cell have no meaning, and `csv` drops them if the cell needs no quotes.
    assert [[str(cell).lstrip(" ") for cell in cells] for _, cells in read] == [
        [*(cell.lstrip(" ") for cell in row), "end"] for row in rows
    ]
