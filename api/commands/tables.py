"""Tables on a terminal."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import click


def shown_time(time: datetime | None) -> str:
    """Format a time of the database for a column."""
    return "never" if time is None else f"{time:%Y-%m-%d %H:%M}"


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """Print the rows, the headings first."""
    for line in align(rows):
        click.echo(line)


def align(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield a line for each row, with every column as wide as its widest cell.

    A character that a terminal could take for a command becomes `?`.
    """
    texts = [[_printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    for row in texts:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in text)
