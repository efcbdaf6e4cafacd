"""Generated roll files whose results are known in advance."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from shared.roll_file.fields import FIELDS

# Small enough for most files to overwrite voters of other files.
POOL_OF_IDS = 4000
SIZES = (1, 20, 200, 2000)
DEPARTMENTS = ("Law", "Medicine", "History", "")
SPOILED_SHARE = 0.12

Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RollFile:
    """A file to upload and its expected result, which no event may change.

    `voters` holds the cells of the rows that count, one row for each voter. `fault` is the code of
    the failure that a spoiled file must end in, or None for a good file.
    """

    number: int
    content: bytes
    voters: tuple[Cells, ...] = ()
    rows_read: int = 0
    repeated: int = 0
    rejected: int = 0
    fault: str | None = None

    @property
    def name(self) -> str:
        """The file name that the client sends. It identifies the job of this file."""
        return f"roll-{self.number}.csv"


def number_of(name: str) -> int:
    """The number of the file with this name."""
    return int(name.removeprefix("roll-").removesuffix(".csv"))


def make_roll(seed: int, number: int) -> RollFile:
    """File `number` of a campaign. The same seed and number make the same file."""
    rng = Random(f"{seed}/{number}")
    if rng.random() < SPOILED_SHARE:
        fault = rng.choice(list(SPOILED))
        return RollFile(number, SPOILED[fault](number), fault=fault)
    return _good(rng, number)


def _good(rng: Random, number: int) -> RollFile:
    size = max(1, round(rng.choice(SIZES) * rng.uniform(0.5, 1.5)))
    voters: list[Cells] = []
    extra: list[Cells] = []
    repeated = rejected = 0
    for identity in rng.sample(range(POOL_OF_IDS), min(size, POOL_OF_IDS)):
        row = _row(rng, number, identity)
        fate = rng.random()
        if fate < 0.02:
            extra.append((*row[:5], "99", row[6]))
            rejected += 1
        elif fate < 0.03:
            extra += [row, (row[0], "Somebody", "Else", *row[3:])]
            rejected += 2
        else:
            voters.append(row)
            if fate < 0.06:
                extra.append(row)
                repeated += 1
    rows = voters + extra
    rng.shuffle(rows)
    content = _csv(FIELDS, rows)
    return RollFile(number, content, tuple(voters), len(rows), repeated, rejected)


def _row(rng: Random, number: int, identity: int) -> Cells:
    """A row with the file's number in its values. The roll then shows which file wrote last."""
    return (
        f"{identity:07d}",
        f"First{number}" if rng.random() < 0.9 else "",
        f"Last{number % 7}",
        f"s{identity}.{number % 5}@example.edu",
        rng.choice(DEPARTMENTS),
        rng.choice(("1", "2", "12", "")),
        rng.choice(("true", "false", "")),
    )


def _csv(header: tuple[str, ...], rows: list[Cells]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


SPOILED: dict[str, Callable[[int], bytes]] = {
    "MISSING_COLUMNS": lambda number: _csv(("student_id", "year"), [(str(number), "1")]),
    "NO_ROWS": lambda number: _csv(FIELDS, []),
    "UNCLOSED_QUOTE": lambda number: (
        _csv(FIELDS, []) + f'{number},"Never closed,x,x@example.edu,,1,true\r\n'.encode() * 3
    ),
}
