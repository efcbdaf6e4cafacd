"""Markdown tables."""

from collections.abc import Iterable, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The lines of a table, without a line break at the end."""
    lines = (heads, ["---"] * len(heads), *rows)
    return "\n".join(f"| {' | '.join(map(_cell, cells))} |" for cells in lines)


def _cell(text: str) -> str:
    """The text on one line, with escaped pipes."""
    return " ".join(text.split()).replace("|", "\\|")


def codes(values: Iterable[str], between: str = ", ") -> str:
    """The values as code spans, joined by `between`."""
    return between.join(f"`{value}`" for value in values)
