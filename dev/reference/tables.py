"""Tables as Markdown has them."""

from collections.abc import Iterable, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The lines of a table, without an end of the last one."""
    lines = (heads, ["---"] * len(heads), *rows)
    return "\n".join(f"| {' | '.join(map(_cell, cells))} |" for cells in lines)


def _cell(text: str) -> str:
    """One line, in which a pipe is not the end of the cell."""
    return " ".join(text.split()).replace("|", "\\|")


def codes(values: Iterable[str], between: str = ", ") -> str:
    """Each value as code."""
    return between.join(f"`{value}`" for value in values)
