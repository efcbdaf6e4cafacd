"""The expected roll, computed in plain Python without code of the service."""

from collections.abc import Iterable
from dataclasses import dataclass

from chaos.rolls import Cells, RollFile

Voter = tuple[str, str, str, str, int | None, bool]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many voters of the roll one file creates, updates and leaves unchanged."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0


def apply_in_order(files: Iterable[RollFile]) -> tuple[dict[str, Voter], list[Counts]]:
    """Apply the files in order. Returns the roll by student id, and the counts of each file."""
    roll: dict[str, Voter] = {}
    return roll, [_apply(roll, file) for file in files]


def _apply(roll: dict[str, Voter], file: RollFile) -> Counts:
    created = updated = unchanged = 0
    for cells in file.voters:
        old = roll.get(cells[0])
        voter = roll[cells[0]] = _merge(old, cells)
        if old is None:
            created += 1
        elif voter != old:
            updated += 1
        else:
            unchanged += 1
    return Counts(created, updated, unchanged)


def _merge(old: Voter | None, cells: Cells) -> Voter:
    """The voter after a row. A blank cell keeps the stored value, or a new voter's default."""
    first, last, email, department, year, is_eligible = old or ("", "", "", "", None, False)
    return (
        cells[1] or first,
        cells[2] or last,
        cells[3] or email,
        cells[4] or department,
        int(cells[5]) if cells[5] else year,
        cells[6] == "true" if cells[6] else is_eligible,
    )
