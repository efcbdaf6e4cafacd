"""Save our own workbooks to bytes in memory.

openpyxl itself writes each sheet into a named temporary file, which stays behind if the disk is
full.
"""

from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl import Workbook
from openpyxl.worksheet._writer import WorksheetWriter
from openpyxl.writer.excel import ExcelWriter


class _InMemory(ExcelWriter):
    def write_worksheet(self, ws: Any) -> None:
        """Write one sheet into the archive."""
        writer: Any = WorksheetWriter(ws, out=BytesIO())
        writer.write()
        ws._rels = writer._rels
        archive: ZipFile = vars(self)["_archive"]
        archive.writestr(ws.path[1:], writer.read())
        self.manifest.append(ws)


def save(book: Workbook) -> bytes:
    """Return the file of a small workbook without charts and images."""
    content = BytesIO()
    with ZipFile(content, "w", ZIP_DEFLATED) as archive:
        _InMemory(book, archive).save()
    return content.getvalue()
