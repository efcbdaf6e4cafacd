"""The roll as plain Python computes it: nothing of the service takes part."""

from collections.abc import Iterable
from dataclasses import dataclass

from chaos.rolls import Cells, RollFile

Voter = tuple[str, str, str, str, int | None, bool]


@dataclass(frozen=True, slots=True)
class Counts:
    """What one file did to the roll, in voters."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0


def apply_in_order(files: Iterable[RollFile]) -> tuple[dict[str, Voter], list[Counts]]:
    """The roll after these files, one after the other, and what each of them did to it."""
    roll: dict[str, Voter] = {}
    return roll, [_apply(roll, file) for file in files]


def _apply(roll: dict[str, Voter], file: RollFile) -> Counts:
    created = updated = unchanged = 0
    for cells in file.voters:
        stored = roll.get(cells[0])
        voter = roll[cells[0]] = _merged(stored, cells)
        if stored is None:
            created += 1
        elif voter != stored:
            updated += 1
        else:
            unchanged += 1
    return Counts(created, updated, unchanged)


def _merged(stored: Voter | None, cells: Cells) -> Voter:
    """A blank cell states nothing: the stored value stays, or a new voter's default."""
    first, last, email, department, year, is_eligible = stored or ("", "", "", "", None, False)
    return (
        cells[1] or first,
        cells[2] or last,
        cells[3] or email,
        cells[4] or department,
        int(cells[5]) if cells[5] else year,
        cells[6] == "true" if cells[6] else is_eligible,
    )
