"""The encoding of a text file, settled for the whole of it before the first row is read."""

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
# Typographic signs that follow a letter in Windows-1252: three points, quotation marks, dashes,
# trade marks, the no-break space, ordinals, the soft hyphen and others.
_AFTER_LETTERS = frozenset("…‘’“”–—™\u00a0ª«\u00ad®°´·º»".encode(FALLBACK))
# The first bytes of most letters of Latin, Greek and Cyrillic.
_COMMON_LEADS = frozenset(b"\xc2\xc3\xc4\xc5\xce\xcf\xd0\xd1")
# So many bytes that are not UTF-8 for each character that surely is outweigh it.
_FOREIGN_PER_CHARACTER = 3
# Python's own codecs that take quadratic time, or read text as a program would.
_NOT_FOR_FILES = ("idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7")
_LINE_END = re.compile(r"\r\n|\r|\n")


def settle_encoding(stream: BinaryIO, wanted: str | None) -> str:
    """The name of an encoding in which every byte of the stream is text.

    Without `wanted`: what a BOM says, else UTF-8, else Windows-1252, unless it is a damaged UTF-8
    file. Reads the whole stream in constant memory. Raises `FileFault` ENCODING_ERROR, which names
    the first line that is wrong.
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
    if mark == codecs.BOM_UTF8 or _is_damaged_utf8(stream):
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


def _is_damaged_utf8(stream: BinaryIO) -> bool:
    """Whether a text that is not UTF-8 was meant to be, told by the accents that are."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    foreign = plausible = 0
    for chunk in chain(_chunks(stream), (b"",)):
        text = decoder.decode(chunk, final=not chunk)
        # A roll has few signs, so that each is judged once.
        for sign, count in Counter(_BEYOND_ASCII.findall(text)).items():
            # So Python spells a byte that is not UTF-8.
            if "\udc80" <= sign <= "\udcff":
                foreign += count
            elif _is_plausible(sign):
                plausible += count
    return plausible > 0 and foreign < _FOREIGN_PER_CHARACTER * plausible


def _is_plausible(sign: str) -> bool:
    """Whether a character is hardly a capital letter and a sign behind it in Windows-1252.

    The bytes of an É and a no-break space, say, are a letter of phonetics in UTF-8.
    """
    lead, *more = sign.encode()
    return lead in _COMMON_LEADS or not _AFTER_LETTERS.issuperset(more)


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
