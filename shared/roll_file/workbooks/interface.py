"""The interface of a workbook, whichever library opens it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.roll_file.rows.row import Row


@dataclass(frozen=True, slots=True)
class Sheet:
    """A worksheet: its title and whether it is visible."""

    title: str
    is_visible: bool


class SheetRows(Protocol):
    """The rows of one sheet that have a value, as a stream that you can read once.

    Iteration raises `FileFault` for damage.
    """

    def __iter__(self) -> Iterator[Row]: ...

    def fraction(self) -> float:
        """Return the fraction that has been read, 0 to 1."""

    def close(self) -> None:
        """Release the sheet. The workbook stays open."""


class Workbook(Protocol):
    """An open workbook. The caller owns the stream behind it."""

    @property
    def sheets(self) -> Sequence[Sheet]:
        """The worksheets in their order, without charts and dialogs."""

    def rows(self, title: str) -> SheetRows:
        """Return the rows of a sheet."""

    def close(self) -> None:
        """Release the workbook."""
