"""The seven fields of a voter: one definition, from which the lists of columns derive."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

KEY = "student_id"
# The values of the seven fields in their order. The year is None if it is unknown.
VoterRow = tuple[str, str, str, str, str, int | None, bool]


@dataclass(frozen=True, slots=True)
class VoterField:
    """A field of a voter: a column of a file, and of the roll.

    `max_chars` is the length of the longest text, or None for a field that is not text. `width` is
    the width of its column in a workbook of ours, in characters.
    """

    name: str
    width: int
    max_chars: int | None = None
    is_required: bool = False


VOTER_FIELDS = (
    VoterField(KEY, width=16, max_chars=64, is_required=True),
    VoterField("first_name", width=18, max_chars=150),
    VoterField("last_name", width=18, max_chars=150),
    VoterField("email", width=34, max_chars=254, is_required=True),
    VoterField("department", width=28, max_chars=200),
    VoterField("year", width=8),
    VoterField("is_eligible", width=12),
)

FIELDS = tuple(field.name for field in VOTER_FIELDS)
# What a row needs to be saved.
REQUIRED = tuple(field.name for field in VOTER_FIELDS if field.is_required)
OPTIONAL = tuple(field.name for field in VOTER_FIELDS if not field.is_required)
# What an import or an edit can change in the entry of a voter.
CHANGEABLE = tuple(name for name in FIELDS if name != KEY)
MAX_CHARS: Mapping[str, int] = MappingProxyType(
    {field.name: field.max_chars for field in VOTER_FIELDS if field.max_chars is not None}
)
WIDTHS = tuple(field.width for field in VOTER_FIELDS)
