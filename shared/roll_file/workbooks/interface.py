"""What a workbook is to the reader of a roll, whichever library opens it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.roll_file.rows.row import Row


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
