"""What a damaged workbook makes the libraries raise becomes a `FileFault` here."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from xml.etree.ElementTree import ParseError
from xml.parsers.expat import ExpatError
from zipfile import BadZipFile

from openpyxl.utils.exceptions import InvalidFileException

from shared.roll.workbook_faults import damaged

# What zipfile, the XML parser and openpyxl raise for a damaged workbook, each tried. OSError is
# not among them: it is the store's own fault, not the file's.
DAMAGE = (
    BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    ParseError,
    ExpatError,
    InvalidFileException,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)


@contextmanager
def damage_is_a_fault() -> Iterator[None]:
    """Turn what a damaged workbook makes the libraries raise into UNREADABLE_FILE."""
    try:
        yield
    except DAMAGE as error:
        raise damaged() from error
