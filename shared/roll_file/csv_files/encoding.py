"""Find the encoding of a text file by reading all of it, before the first row is read."""

import codecs
import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

from shared.roll_file.errors import FileCode, FileFault
from shared.roll_file.limits import KIB

CHUNK_BYTES = 64 * KIB
FALLBACK = "windows-1252"
_UTF16_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BEYOND_ASCII = re.compile("[^\x00-\x7f]")
# Typographic characters that follow a letter in Windows-1252: ellipsis, quotation marks, dashes,
# trade marks, the no-break space, ordinals, the soft hyphen and others.
_AFTER_LETTERS = frozenset("…‘’“”–—™\u00a0ª«\u00ad®°´·º»".encode(FALLBACK))
# The first bytes of most letters of Latin, Greek and Cyrillic.
_COMMON_LEADS = frozenset(b"\xc2\xc3\xc4\xc5\xce\xcf\xd0\xd1")
# Windows-1252 if there are at least 3 invalid bytes per plausible UTF-8 character.
_FOREIGN_PER_CHARACTER = 3
# Python codecs that take quadratic time, or interpret escapes as in program source.
_NOT_FOR_FILES = ("idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7")
_LINE_END = re.compile(r"\r\n|\r|\n")


def settle_encoding(stream: BinaryIO, label: str | None) -> str:
    """Return the name of an encoding in which every byte of the stream is text.

    Without `wanted`, a BOM decides first. Otherwise the result is UTF-8, or Windows-1252 if the
    file is not UTF-8. A damaged UTF-8 file is an error. Reads the whole stream in constant memory.

    Raises `FileFault` ENCODING_ERROR, which names the first wrong line.
    """
    if label is not None:
        encoding = known_encoding(label)
        _check(stream, encoding)
        return encoding
    stream.seek(0)
    mark = stream.read(3)
    if mark.startswith(_UTF16_BOMS):
        _check(stream, "utf-16")
        return "utf-16"
    if _first_bad_byte(stream, "utf-8") is None:
        return "utf-8"
    if mark == codecs.BOM_UTF8 or _is_damaged_utf8(stream):
        _check(stream, "utf-8")
    _check(stream, FALLBACK)
    return FALLBACK


def decoder_name(encoding: str) -> str:
    """Return the codec that reads `encoding` and drops a BOM."""
    return "utf-8-sig" if encoding == "utf-8" else encoding


def check_lines(stream: BinaryIO, encoding: str, max_line_bytes: int) -> None:
    """Raise LINE_TOO_LONG if a line is too long for memory. The fault names the line.

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
    index = text.find(sign)
    return index if index >= 0 else len(text)


def _line_too_long(line: int, max_line_bytes: int) -> FileFault:
    return FileFault(
        FileCode.LINE_TOO_LONG,
        f"Line {line:,} is longer than {max_line_bytes:,} characters. A roll has one voter"
        " in each line. Export it again as CSV.",
    )


def known_encoding(name: str) -> str:
    """Return our name of a text encoding. Raises `FileFault` ENCODING_ERROR if it is not one."""
    try:
        codec = codecs.lookup(name)
        is_text = codec._is_text_encoding
    except (LookupError, ValueError):
        is_text = False
    if not is_text or codec.name in _NOT_FOR_FILES:
        raise FileFault(
            FileCode.ENCODING_ERROR,
            f'The encoding "{name[:40]}" is unknown. Choose utf-8, utf-16 or windows-1252,'
            " or name no encoding, and the service detects it.",
        )
    return {"utf-8-sig": "utf-8", "cp1252": FALLBACK}.get(codec.name, codec.name)


def _check(stream: BinaryIO, encoding: str) -> None:
    offset = _first_bad_byte(stream, encoding)
    if offset is not None:
        line = _line_at(stream, encoding, offset)
        raise FileFault(
            FileCode.ENCODING_ERROR,
            f"Line {line:,} has bytes that are not text in {encoding}. The file is probably"
            " damaged, or joined from files in different encodings. Export it again as CSV"
            " UTF-8, or name its encoding when you upload it.",
        )


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    stream.seek(0)
    while chunk := stream.read(CHUNK_BYTES):
        yield chunk


def _first_bad_byte(stream: BinaryIO, encoding: str) -> int | None:
    """Return the offset of the first byte that cannot be decoded, or None."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    offset = pending_bytes = 0
    try:
        for chunk in _chunks(stream):
            decoder.decode(chunk)
            offset += len(chunk)
            pending_bytes = len(decoder.getstate()[0])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        return offset - pending_bytes + error.start
    return None


def _is_damaged_utf8(stream: BinaryIO) -> bool:
    """Whether invalid UTF-8 was meant to be UTF-8, judged by its valid non-ASCII characters."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    foreign = plausible = 0
    for chunk in chain(_chunks(stream), (b"",)):
        text = decoder.decode(chunk, final=not chunk)
        # A roll has few different characters, so each is judged once per block.
        for sign, count in Counter(_BEYOND_ASCII.findall(text)).items():
            # Python's "surrogateescape" maps a byte that is not UTF-8 to this range.
            if "\udc80" <= sign <= "\udcff":
                foreign += count
            elif _is_plausible(sign):
                plausible += count
    return plausible > 0 and foreign < _FOREIGN_PER_CHARACTER * plausible


def _is_plausible(sign: str) -> bool:
    """Whether a character is plausible in UTF-8.

    If not, its bytes are more likely a capital letter and a typographic character in Windows-1252.
    For example, É and a no-break space in Windows-1252 have the bytes of a phonetic letter in
    UTF-8.
    """
    lead, *more = sign.encode()
    return lead in _COMMON_LEADS or not _AFTER_LETTERS.issuperset(more)


def _line_at(stream: BinaryIO, encoding: str, offset: int) -> int:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    line = 1
    last = ""
    for chunk in _chunks(stream):
        text = decoder.decode(chunk[:offset])
        line += len(_LINE_END.findall(text))
        if last == "\r" and text.startswith("\n"):
            # One line end was cut in two, and counted in both blocks.
            line -= 1
        last = text[-1:] or last
        offset -= len(chunk)
        if offset <= 0:
            break
    return line
