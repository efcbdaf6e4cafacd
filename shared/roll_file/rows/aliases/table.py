"""The table of all headings that mean a field.

To add a language, write a module like `english`, and name it in LANGUAGES.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType

from shared.roll_file.rows.aliases import english
from shared.roll_file.rows.text import fold

Headings = Mapping[str, tuple[str, ...]]

LANGUAGES: tuple[Headings, ...] = (english.HEADINGS,)
_SEPARATORS = re.compile(r"[\W_]+")


def normalise(label: str) -> str:
    """Return the form in which headings are compared: one case, words joined by underscores."""
    return _SEPARATORS.sub("_", fold(label)).strip("_")


def build_table(languages: Iterable[Headings]) -> Mapping[str, str]:
    """Return the field of each normalised heading. Raises ValueError if one means two fields.

    A heading also matches without its underscores, because "StudentID" and "studentId" have no
    separator.
    """
    table: dict[str, str] = {}
    for headings in languages:
        for field, names in headings.items():
            for name in names:
                for spelling in (name, name.replace("_", "")):
                    if table.setdefault(spelling, field) != field:
                        raise ValueError(f"{spelling} means {table[spelling]} and {field}")
    return MappingProxyType(table)


ALIASES = build_table(LANGUAGES)


# A file may hold a long label in thousands of cells.
@lru_cache(maxsize=4_096)
def field_of(label: str) -> str | None:
    """Return the field that a label of a file means, or None."""
    return ALIASES.get(normalise(label))
