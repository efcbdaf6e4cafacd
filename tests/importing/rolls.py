"""The test cases of imports: the bytes of a file and its expected outcome."""

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
    """A voter. Without `email`, the email address is made from the student id."""
    address = email or f"u{student_id}@x.edu"
    return (student_id, first_name, last_name, address, department, year, is_eligible)


def bare(student_id: str, email: str = "") -> Voter:
    """A new voter with only a student id and an email address."""
    return (student_id, "", "", email or f"u{student_id}@x.edu", "", None, False)


ANN = voter("1")
BEN = voter("2", "Ben", "Ray", department="Art", year=2, is_eligible=False)
ANN_ROW = "1,Ann,Lee,u1@x.edu,Law,1,yes\n"
BEN_ROW = "2,Ben,Ray,u2@x.edu,Art,2,no\n"


@dataclass(frozen=True)
class Roll:
    """A file and its expected outcome, which a person has derived from the specification.

    `before` is the roll before the import, `voters` the whole roll after it. `counts` holds the
    counts of the report that are not 0. `faults` holds (line, column of the file, code). A refused
    file has `refused`, its code, and `sentence`, a part of its message. `options` are the options
    of the upload.
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
    """A case in which every row creates a voter."""
    content = data.encode() if isinstance(data, str) else data
    return Roll(name, content, voters, counts={"created": len(voters)}, **more)  # type: ignore[arg-type]


def rejected(name: str, row: str, *faults: tuple[int, str, str]) -> Roll:
    """A case with one good row, and one in line 3 with these faults."""
    return Roll(
        name,
        (HEADER + ANN_ROW + row).encode(),
        (ANN,),
        counts={"created": 1, "rejected": 1},
        faults=faults,
    )


def refused(name: str, data: str | bytes, code: FileCode, sentence: str) -> Roll:
    """A case in which the file is refused and nothing is saved."""
    content = data.encode() if isinstance(data, str) else data
    return Roll(name, content, refused=code, sentence=sentence)
