"""What a damaged workbook makes the libraries raise becomes a `FileFault` here."""

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

# What zipfile, expat, openpyxl, calamine and our own looks raise, each tried.
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
    """Turn what a damaged workbook makes the libraries raise into UNREADABLE_FILE.

    The libraries raise OSError as well, but without a number; one with a number comes from the
    disk and is not the file's fault.
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
        # A panic of Rust code comes as a BaseException of a class that no module exports.
        if type(error).__name__ == "PanicException":
            raise damaged() from error
        raise
