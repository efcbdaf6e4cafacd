"""Find the XML parts of a workbook's package and the kind of each."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import IO, NoReturn
from xml.parsers import expat
from zipfile import ZipFile, ZipInfo

from shared.roll_file.errors import FileCode, FileFault
from shared.roll_file.limits import KIB

CHUNK_BYTES = 64 * KIB
XML_NAMES = (".xml", ".rels")
_LINKS = ".rels"
_CONTENT_TYPES = "[Content_Types].xml"
# In a normal workbook, the first element begins the part. For each block, expat scans again what is
# before that element, so this is limited.
_MAX_PROLOG_BYTES = 4 * CHUNK_BYTES
_XML_STARTS = (b"<", b"\xff\xfe", b"\xfe\xff")
_STRICT = "http://purl.oclc.org/ooxml/"


class Kind(StrEnum):
    """The kind of a part, by the name of its first element."""

    WORKBOOK = "workbook"
    SHEET = "worksheet"
    STRINGS = "sst"
    STYLES = "styleSheet"
    CHART = "chartsheet"
    DIALOG = "dialogsheet"
    MACRO = "macrosheet"
    OTHER = ""


_KINDS = {str(kind): kind for kind in Kind}


@dataclass(frozen=True, slots=True)
class Part:
    """A member of the zip that has XML."""

    member: ZipInfo
    kind: Kind

    @property
    def is_read(self) -> bool:
        """Whether rows depend on the part. The libraries do not parse any other part."""
        name = self.member.filename
        return self.kind is not Kind.OTHER or name.endswith(_LINKS) or name == _CONTENT_TYPES


def find_parts(archive: ZipFile) -> Iterator[Part]:
    """Yield the parts that a library may parse as XML, whatever their names.

    Raises `FileFault` for a DTD and for Strict Open XML, which openpyxl does not read. Raises what
    expat and zipfile raise for damage.
    """
    for member in archive.infolist():
        with archive.open(member) as content:
            start = content.read(CHUNK_BYTES)
            is_xml = start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(_XML_STARTS)
            if is_xml or member.filename.endswith(XML_NAMES):
                yield Part(member, _kind(start, content))


def _kind(start: bytes, content: IO[bytes]) -> Kind:
    """Return the kind by the first element. A DTD would have to come before it."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = _stop_at_element
    try:
        parser.Parse(start, False)
        while content.tell() < _MAX_PROLOG_BYTES and (chunk := content.read(CHUNK_BYTES)):
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except _FirstElement as first:
        namespace, _, name = first.name.rpartition(" ")
        if namespace.startswith(_STRICT):
            raise _strict() from None
        kind = _KINDS.get(name, Kind.OTHER)
        if kind is not Kind.OTHER and b"\x00" in start:
            raise ValueError("a part in an encoding that cannot be looked through") from None
        return kind
    raise AssertionError("expat found neither an element nor a fault")


class _FirstElement(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _stop_at_element(name: str, _: object) -> NoReturn:
    raise _FirstElement(name)


def _strict() -> FileFault:
    return FileFault(
        FileCode.UNREADABLE_FILE,
        'The workbook is a "Strict Open XML Spreadsheet". Open it in Excel, save it as'
        ' "Excel Workbook (.xlsx)" and upload that.',
    )


def _refuse_doctype(*_: object) -> NoReturn:
    raise FileFault(
        FileCode.UNREADABLE_FILE,
        "The workbook has declarations that Excel never writes. Open it in Excel, save it"
        " again as .xlsx and upload that.",
    )
