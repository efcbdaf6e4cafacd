"""The encoding of a text file, settled for the whole of it before the first row is read."""

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO

from shared.roll.errors import FileCode, FileFault
from shared.roll.limits import KIB

CHUNK_BYTES = 64 * KIB
FALLBACK = "windows-1252"
_UTF16_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# RFC 3629, section 4: characters of two to four bytes.
_MULTI_BYTE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}"
    rb"|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}"
    rb"|\xf4[\x80-\x8f][\x80-\xbf]{2}"
)
# Python's own codecs that take quadratic time, or read text as a program would.
_NOT_FOR_FILES = ("idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7")
_LINE_END = re.compile(r"\r\n|\r|\n")


def settle_encoding(stream: BinaryIO, wanted: str | None) -> str:
    """The name of an encoding in which every byte of the stream is text.

    Without `wanted`: what a BOM says, else UTF-8, else Windows-1252. Reads the whole stream in
    constant memory. Raises `FileFault` ENCODING_ERROR, which names the first line that is wrong.
    """
    if wanted is not None:
        encoding = known_encoding(wanted)
        _check(stream, encoding)
        return encoding
    stream.seek(0)
    mark = stream.read(3)
    if mark.startswith(_UTF16_BOMS):
        _check(stream, "utf-16")
        return "utf-16"
    if _first_bad_byte(stream, "utf-8") is None:
        return "utf-8"
    if mark == codecs.BOM_UTF8 or _has_multi_byte(stream):
        _check(stream, "utf-8")
    _check(stream, FALLBACK)
    return FALLBACK


def decoder_name(encoding: str) -> str:
    """The codec that reads `encoding` and swallows a BOM."""
    return "utf-8-sig" if encoding == "utf-8" else encoding


def check_lines(stream: BinaryIO, encoding: str, max_line_bytes: int) -> None:
    """Raise LINE_TOO_LONG, naming the line, for a line that is too long to be held in memory.

    Reads the whole stream in constant memory.
    """
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    length = offset = 0
    for chunk in _chunks(stream):
        text = decoder.decode(chunk)
        first = min(_index(text, "\n"), _index(text, "\r"))
        if length + first > max_line_bytes:
            raise _line_too_long(_line_at(stream, encoding, offset), max_line_bytes)
        last = max(text.rfind("\n"), text.rfind("\r"))
        length = length + len(text) if last < 0 else len(text) - last - 1
        offset += len(chunk)


def _index(text: str, sign: str) -> int:
    found = text.find(sign)
    return found if found >= 0 else len(text)


def _line_too_long(line: int, max_line_bytes: int) -> FileFault:
    return FileFault(
        FileCode.LINE_TOO_LONG,
        f"Line {line:,} is longer than {max_line_bytes:,} characters, so this is hardly a roll"
        " with one voter a line. Please export it again as CSV.",
    )


def known_encoding(name: str) -> str:
    """Our name of an encoding that text files have. Raises `FileFault` ENCODING_ERROR."""
    try:
        codec = codecs.lookup(name)
        is_text = codec._is_text_encoding
    except (LookupError, ValueError):
        is_text = False
    if not is_text or codec.name in _NOT_FOR_FILES:
        raise FileFault(
            FileCode.ENCODING_ERROR,
            f'The encoding "{name[:40]}" is not known. Please choose utf-8, utf-16 or'
            " windows-1252, or leave the choice to us.",
        )
    return {"utf-8-sig": "utf-8", "cp1252": FALLBACK}.get(codec.name, codec.name)


def _check(stream: BinaryIO, encoding: str) -> None:
    offset = _first_bad_byte(stream, encoding)
    if offset is not None:
        line = _line_at(stream, encoding, offset)
        raise FileFault(
            FileCode.ENCODING_ERROR,
            f"Line {line:,} holds bytes that are not text in {encoding}. The file was probably"
            " damaged or joined from files in different encodings. Please export it again as"
            " CSV UTF-8, or name its encoding when you upload it.",
        )


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    stream.seek(0)
    while chunk := stream.read(CHUNK_BYTES):
        yield chunk


def _first_bad_byte(stream: BinaryIO, encoding: str) -> int | None:
    """Offset of the first byte that cannot be decoded, None if there is none."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    offset = pending = 0
    try:
        for chunk in _chunks(stream):
            decoder.decode(chunk)
            offset += len(chunk)
            pending = len(decoder.getstate()[0])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        return offset - pending + error.start
    return None


def _has_multi_byte(stream: BinaryIO) -> bool:
    """Whether some accents of the file are good UTF-8, so that it is a damaged UTF-8 file."""
    tail = b""
    for chunk in _chunks(stream):
        if _MULTI_BYTE.search(tail + chunk):
            return True
        tail = chunk[-3:]
    return False


def _line_at(stream: BinaryIO, encoding: str, offset: int) -> int:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    line = 1
    ends_in_return = False
    for chunk in _chunks(stream):
        text = decoder.decode(chunk[:offset])
        line += len(_LINE_END.findall(text)) - (ends_in_return and text.startswith("\n"))
        ends_in_return = text.endswith("\r") if text else ends_in_return
        offset -= len(chunk)
        if offset <= 0:
            break
    return line
