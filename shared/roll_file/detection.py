"""Detect the format of a file from its content alone."""

import re
import struct
import zlib
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE, BOM_UTF32_LE
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile

from shared.roll_file.csv_files.encoding import known_encoding
from shared.roll_file.errors import FileCode, FileFault
from shared.roll_file.formats import Format
from shared.roll_file.limits import KIB, Limits
from shared.roll_file.workbooks.faults import damaged, password_protected
from shared.roll_file.workbooks.zip_guard import open_archive

_DEFAULT_LIMITS = Limits()
HEAD_BYTES = 64 * KIB
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_DIRECTORY_BYTES = 4 * KIB
# Control bytes that text does not contain except by accident: C0 without tab, line feed, vertical
# tab, form feed and carriage return, and also DEL.
_CONTROLS = bytes(code for code in range(32) if code not in b"\t\n\x0b\x0c\r") + b"\x7f"
_SAVE_AS = "Save the roll as .xlsx or CSV and upload that."
_SIGNATURES = (
    (re.compile(rb"%PDF-"), "a PDF document"),
    (re.compile(rb"\{\\rtf"), "a text document (RTF)"),
    (re.compile(rb"\x89PNG|\xff\xd8\xff|GIF8[79]a|II\*\x00|MM\x00\*"), "an image"),
    (re.compile(rb"\x1f\x8b|7z\xbc\xaf|Rar!\x1a|BZh\d1AY|\xfd7zXZ"), "a packed archive"),
    (re.compile(rb"SQLite format 3\x00"), "a database"),
)
_MARKUP = (
    (re.compile(rb"<(!doctype\s+html|html|head|body|table|style|meta|div)\b", re.I), "a web page"),
    (
        # Markup has attributes or an end tag. A title such as <Student roll> has neither.
        re.compile(
            rb"<(\?xml|!--|!doctype|[a-z][\w.-]*(:[\w.-]+)?(\s+[\w.:-]+\s*=|\s*/>|\s*>(?s:.*)</))",
            re.I,
        ),
        "an XML document",
    ),
    (re.compile(rb"\{\s*(\"|\})|\[\s*[{\[]\s*[\"\]{}]"), "a JSON document"),
)
_ZIP_KINDS = (
    ("word/", "a Word document"),
    ("ppt/", "a PowerPoint presentation"),
    ("content.xml", "an OpenDocument file that is not a spreadsheet"),
)
_XLS_STREAMS = ("Workbook", "Book")
# [MS-XLS] 2.4.21: the first bytes of an .xls workbook of Excel 5 or later. They stand at the start
# of a sector of 64 bytes or more.
_XLS_START = re.compile(rb"\x09\x08[\x08\x10]\x00\x00[\x05\x06]\x05\x00")
_SMALLEST_SECTOR_BYTES = 64
_ODS_TYPE = b"application/vnd.oasis.opendocument.spreadsheet"


def detect_format(
    stream: BinaryIO, limits: Limits = _DEFAULT_LIMITS, encoding: str | None = None
) -> Format:
    """Return the format of the file: CSV or one of the workbook formats.

    Reads at most 64 KiB and the directory of a zip. Resets the stream to 0. `encoding` is the
    encoding that the uploader states for a text.

    Raises `FileFault`:
    - EMPTY_FILE
    - UNSUPPORTED_FORMAT, with what the file looks like
    - PASSWORD_PROTECTED
    - UNREADABLE_FILE
    - WORKBOOK_TOO_LARGE for a zip that is not safe to open
    """
    stream.seek(0)
    head = stream.read(HEAD_BYTES)
    try:
        if head.startswith(OLE_MAGIC):
            return _ole_format(stream, head)
        if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
            return _zip_format(stream, limits)
    finally:
        stream.seek(0)
    is_whole = len(head) < HEAD_BYTES
    _check_text(_as_utf8(head, encoding) if encoding else head, is_whole=is_whole)
    return Format.CSV


def _as_utf8(head: bytes, encoding: str) -> bytes:
    """Convert the head to UTF-8. Return it unchanged if its stated encoding is unknown."""
    try:
        name = known_encoding(encoding)
    except FileFault:
        return head
    return head.decode(name, "replace").encode("utf-8", "replace")


def _check_text(head: bytes, *, is_whole: bool) -> None:
    if head.startswith((BOM_UTF32_LE, BOM_UTF32_BE)):
        raise _unsupported("text in UTF-32")
    if head.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        text = head[2:].replace(b"\x00", b"")
    else:
        _check_binary(head)
        text = head.removeprefix(BOM_UTF8)
    text = text.lstrip()
    if not text and is_whole:
        raise FileFault(FileCode.EMPTY_FILE, "The file is empty. Export the roll again.")
    for pattern, name in _MARKUP:
        if pattern.match(text):
            raise _unsupported(name)


def _check_binary(head: bytes) -> None:
    for pattern, name in _SIGNATURES:
        if pattern.match(head):
            raise _unsupported(name)
    zeros = sorted((head[0::2].count(0), head[1::2].count(0)))
    if zeros[1] > len(head) // 6 and zeros[0] < len(head) // 50 + 1:
        raise FileFault(
            FileCode.UNSUPPORTED_FORMAT,
            "The file looks like text in UTF-16 without its mark (BOM). Save it as CSV"
            " UTF-8 and upload that, or name its encoding (utf-16-le) when you upload it.",
        )
    controls = len(head) - len(head.translate(None, _CONTROLS))
    if controls > len(head) * 3 // 10 or (controls > len(head) // 20 and not _is_utf8(head)):
        raise _unsupported("a binary file")


def _is_utf8(head: bytes) -> bool:
    try:
        head.decode()
    except UnicodeDecodeError as error:
        # The head may end in the middle of a character.
        return error.start > len(head) - 4
    return True


def _zip_format(stream: BinaryIO, limits: Limits) -> Format:
    with open_archive(stream, limits) as archive:
        names = archive.namelist()
        if "content.xml" in names and _mimetype(archive).startswith(_ODS_TYPE):
            return Format.ODS
    if "xl/workbook.bin" in names:
        return Format.XLSB
    for start, name in _ZIP_KINDS:
        if any(member.startswith(start) for member in names):
            raise _unsupported(name)
    if "[Content_Types].xml" not in names or not any("workbook" in name for name in names):
        raise _unsupported("a packed archive (zip)")
    return Format.XLSX


def _mimetype(archive: ZipFile) -> bytes:
    """Return the part that states the document type (ODF 1.3 part 2, 3.3)."""
    try:
        with archive.open("mimetype") as part:
            return part.read(len(_ODS_TYPE))
    except KeyError:
        return b""
    except (
        BadZipFile,
        NotImplementedError,
        EOFError,
        ValueError,
        struct.error,
        zlib.error,
    ) as error:
        raise damaged() from error


def _ole_format(stream: BinaryIO, head: bytes) -> Format:
    """Return the format of an OLE file, or raise the fault.

    The sector size is at offset 30, the first directory sector at offset 48 ([MS-CFB] 2.2).
    """
    if len(head) >= 512:
        sector_bits, first_sector = struct.unpack_from("<H16xL", head, 30)
        stream.seek((first_sector + 1) << min(sector_bits, 12))
        directory = stream.read(_OLE_DIRECTORY_BYTES)
        if "EncryptedPackage".encode("utf-16-le") in directory:
            raise password_protected()
        if any(name.encode("utf-16-le") in directory for name in _XLS_STREAMS):
            return Format.XLS
        if any(start.start() % _SMALLEST_SECTOR_BYTES == 0 for start in _XLS_START.finditer(head)):
            # The directory with the stream's name is cut off or damaged.
            raise damaged()
    raise _unsupported("an old Office document")


def _unsupported(name: str) -> FileFault:
    return FileFault(FileCode.UNSUPPORTED_FORMAT, f"The file looks like {name}. {_SAVE_AS}")
