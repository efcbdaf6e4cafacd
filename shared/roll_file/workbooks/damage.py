"""Turn the errors that libraries raise for a damaged workbook into a `FileFault`."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from xml.etree.ElementTree import ParseError  # nosec B405 # nothing is parsed
from xml.parsers.expat import ExpatError
from zipfile import BadZipFile

from openpyxl.utils.exceptions import InvalidFileException
from python_calamine import CalamineError, PasswordError

from shared.roll_file.workbooks.faults import damaged, password_protected

# Errors of zipfile, expat, openpyxl, calamine and our own checks. Each was seen with a damaged
# file.
DAMAGE = (
    BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    ParseError,
    ExpatError,
    InvalidFileException,
    CalamineError,
    ArithmeticError,
    AttributeError,
    LookupError,
    StopIteration,
    TypeError,
    ValueError,
)


@contextmanager
def damage_is_a_fault() -> Iterator[None]:
    """Raise UNREADABLE_FILE for the errors that libraries raise on a damaged workbook.

    The libraries also raise OSError, but without a number. An OSError with a number comes from the
    disk, and the file is not its cause.
    """
    try:
        yield
    except PasswordError as error:
        raise password_protected() from error
    except DAMAGE as error:
        raise damaged() from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise damaged() from error
    except BaseException as error:
        # A Rust panic is a BaseException whose class no module exports.
        if type(error).__name__ == "PanicException":
            raise damaged() from error
        raise
