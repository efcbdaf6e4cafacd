"""What a roll is to the table of rolls: its bytes, and what must come of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.roll_file.errors import FileCode

HEADER = "student_id,first_name,last_name,email,department,year,is_eligible\n"

Voter = tuple[str, str, str, str, str, int | None, bool]


def voter(
    student_id: str,
    first_name: str = "Ann",
    last_name: str = "Lee",
    email: str = "",
    department: str = "Law",
    year: int | None = 1,
    is_eligible: bool = True,
) -> Voter:
    """A line of the roll; the address is made of the id unless it is given."""
    address = email or f"u{student_id}@x.edu"
    return (student_id, first_name, last_name, address, department, year, is_eligible)


def bare(student_id: str, email: str = "") -> Voter:
    """A new voter of whom nothing but id and address is stated."""
    return (student_id, "", "", email or f"u{student_id}@x.edu", "", None, False)


ANN = voter("1")
BEN = voter("2", "Ben", "Ray", department="Art", year=2, is_eligible=False)
ANN_ROW = "1,Ann,Lee,u1@x.edu,Law,1,yes\n"
BEN_ROW = "2,Ben,Ray,u2@x.edu,Art,2,no\n"


@dataclass(frozen=True)
class Roll:
    """A file and its outcome, worked out by hand from what is promised.

    `voters` is the whole roll afterwards, `before` the roll that the file meets. `counts` are those
    of the report that are not 0; `faults` are (line, column of the file, code). A file that is
    refused has `refused` and a word of its sentence instead. `options` is what the uploader states.
    """

    name: str
    data: bytes
    voters: tuple[Voter, ...] = ()
    before: tuple[Voter, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    faults: tuple[tuple[int, str, str], ...] = ()
    warnings: Mapping[str, int] = field(default_factory=dict)
    missing: Mapping[str, int] | None = None
    refused: FileCode | None = None
    sentence: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


def saved(name: str, data: str | bytes, *voters: Voter, **more: object) -> Roll:
    """A roll of which every row is a new voter."""
    content = data.encode() if isinstance(data, str) else data
    return Roll(name, content, voters, counts={"created": len(voters)}, **more)  # type: ignore[arg-type]


def rejected(name: str, row: str, *faults: tuple[int, str, str]) -> Roll:
    """One good row, and one in line 3 with these faults."""
    return Roll(
        name,
        (HEADER + ANN_ROW + row).encode(),
        (ANN,),
        counts={"created": 1, "rejected": 1},
        faults=faults,
    )


def refused(name: str, data: str | bytes, code: FileCode, sentence: str) -> Roll:
    """A file of which nothing is saved."""
    content = data.encode() if isinstance(data, str) else data
    return Roll(name, content, refused=code, sentence=sentence)
