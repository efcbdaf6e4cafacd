"""What a workbook is to the reader of a roll, whichever library opens it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.roll.errors import FileCode, FileFault
from shared.roll.rows import Row


@dataclass(frozen=True, slots=True)
class Sheet:
    """A worksheet by its title."""

    title: str
    is_visible: bool


class SheetRows(Protocol):
    """The rows of one sheet that hold a value, once, as a stream.

    Iterating raises `FileFault` for damage.
    """

    def __iter__(self) -> Iterator[Row]: ...

    def fraction(self) -> float:
        """How much has been read, 0 to 1."""

    def close(self) -> None:
        """Let go of the sheet; the workbook stays open."""


class Workbook(Protocol):
    """An opened workbook; the stream behind it stays the caller's."""

    @property
    def sheets(self) -> Sequence[Sheet]:
        """The worksheets in their order; charts and dialogs are none."""

    def rows(self, title: str) -> SheetRows:
        """The rows of a sheet."""

    def close(self) -> None:
        """Let go of the workbook."""


def damaged() -> FileFault:
    """The fault of a workbook that its library cannot read."""
    return FileFault(
        FileCode.UNREADABLE_FILE,
        "The workbook cannot be read; it is damaged or not written as Excel would. Please open"
        " it in Excel, save it again as .xlsx and upload that.",
    )


def too_large(reason: str) -> FileFault:
    """The fault of a workbook that would take too much memory; `reason` is a sentence."""
    return FileFault(
        FileCode.WORKBOOK_TOO_LARGE,
        f"{reason} Please save the sheet with the roll as CSV and upload that.",
    )
