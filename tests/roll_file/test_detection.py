import struct
from io import BytesIO
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZipFile

import pytest

from shared.roll_file.detection import HEAD_BYTES, OLE_MAGIC, detect_format
from shared.roll_file.errors import FileCode, FileFault
from shared.roll_file.formats import Format
from tests.roll_file.roll_samples import CLEAN, csv_roll, xlsx_roll


def fault_of(data: bytes) -> FileFault:
    with pytest.raises(FileFault) as caught:
        detect_format(BytesIO(data))
    return caught.value


def zip_of(*names: str, method: int = ZIP_DEFLATED) -> bytes:
    file = BytesIO()
    with ZipFile(file, "w", method) as archive:
        for name in names:
            archive.writestr(name, "<x/>")
    return file.getvalue()


def ole_of(*names: str) -> bytes:
    """A compound file whose directory is in the sector after its header."""
    header = OLE_MAGIC + bytes(22) + struct.pack("<H", 9)
    header = (header + bytes(16) + struct.pack("<L", 1)).ljust(512, b"\x00")
    directory = b"".join(name.encode("utf-16-le").ljust(128, b"\x00") for name in names)
    return header + bytes(512) + directory


@pytest.mark.parametrize(
    "data",
    [
        csv_roll([CLEAN]),
        csv_roll([CLEAN], encoding="utf-16"),
        csv_roll([("S\x001", *CLEAN[1:])]),
        b"ID,Mail\n1\x00,a@b.cd\n",
        csv_roll([("1", "\x07\x1b", *CLEAN[2:])] * 3),
        csv_roll([("1", "Zoë", *CLEAN[2:])], encoding="latin-1"),
        b"one line of text",
        b"[Student ID];[E-mail]\n",
        b"<Student roll>\nID,Mail\n",
        b"<Roll>\nID,Mail\n1,a@b.cd\n",
        b"<Roll 2026/27>\nID,Mail\n",
    ],
)
def test_text_is_taken_for_csv(data: bytes) -> None:
    assert detect_format(BytesIO(data)) is Format.CSV


def test_a_workbook_is_detected_by_parts_and_its_stream_rewound() -> None:
    stream = BytesIO(xlsx_roll([CLEAN]))
    assert detect_format(stream) is Format.XLSX
    assert stream.tell() == 0


@pytest.mark.parametrize("data", [b"", b"  \r\n", b"\xef\xbb\xbf\n", b"\xff\xfe \x00"])
def test_nothing_but_white_space_is_empty(data: bytes) -> None:
    assert fault_of(data).code is FileCode.EMPTY_FILE


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"%PDF-1.7\n...", "PDF"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"\n <table><tr><td>ID", "web page"),
        (b'<?xml version="1.0"?><Workbook>', "XML"),
        (b"<students>\n<student/></students>", "XML"),
        (b"<roll year='2026'>", "XML"),
        (b"<ns:roll/>", "XML"),
        ("<?xml version='1.0'?>".encode("utf-16"), "XML"),
        (b'{"students": []}', "JSON"),
        (b'[{"id": 1}]', "JSON"),
        (b"{\\rtf1 ID,Mail}", "RTF"),
        (b"\x89PNG\r\n\x1a\n", "image"),
        (b"\xff\xd8\xff\xe0JFIF", "image"),
        (b"\x1f\x8b\x08\x00", "archive"),
        (b"SQLite format 3\x00", "database"),
        (bytes(range(256)) * 40, "binary"),
        (bytes(2_000_000), "binary"),
        (csv_roll([CLEAN], encoding="utf-16-le"), "UTF-16"),
        (csv_roll([CLEAN], encoding="utf-16-be"), "UTF-16"),
        (csv_roll([CLEAN], encoding="utf-32"), "UTF-32"),
        (zip_of("photo.jpg"), "archive (zip)"),
        (zip_of("[Content_Types].xml", "word/document.xml"), "Word"),
        (zip_of("mimetype", "content.xml"), "OpenDocument"),
        (ole_of("Root Entry", "WordDocument"), "old Office document"),
        (OLE_MAGIC, "old Office document"),
    ],
)
def test_what_is_not_a_roll_is_named(data: bytes, name: str) -> None:
    fault = fault_of(data)
    assert fault.code is FileCode.UNSUPPORTED_FORMAT
    assert name in fault.message
    assert "Save " in fault.message


def test_an_encrypted_workbook_is_refused_as_password_protected() -> None:
    fault = fault_of(ole_of("Root Entry", "EncryptionInfo", "EncryptedPackage"))
    assert fault.code is FileCode.PASSWORD_PROTECTED


@pytest.mark.parametrize(
    "data",
    [
        xlsx_roll([CLEAN])[:-30],
        xlsx_roll([CLEAN])[:200],
        b"PK\x03\x04",
        zip_of("[Content_Types].xml", "xl/workbook.xml", method=ZIP_BZIP2),
    ],
)
def test_a_damaged_zip_is_unreadable(data: bytes) -> None:
    assert fault_of(data).code is FileCode.UNREADABLE_FILE


def test_no_more_than_a_head_is_read_of_a_text() -> None:
    class Counting(BytesIO):
        count = 0

        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(size)
            self.count += len(data)
            return data

    stream = Counting(csv_roll([CLEAN] * 10_000))
    assert detect_format(stream) is Format.CSV
    assert stream.count == HEAD_BYTES
