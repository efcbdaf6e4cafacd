"""Rolls of any size, always the same for the same size."""

import csv
from collections.abc import Iterator
from pathlib import Path

from openpyxl import Workbook

HEADER = ("student_id", "first_name", "last_name", "email", "department", "year", "is_eligible")
DEPARTMENTS = ("Computer Science", "Law", "Medicine", "Mathematics", "History", "Economics")


def rows(count: int) -> Iterator[tuple[str, str, str, str, str, int, str]]:
    """Clean rows in the order of their ids."""
    for number in range(count):
        student_id = f"S{number:08d}"
        yield (
            student_id,
            f"First{number % 977}",
            f"Last{number % 4999}",
            f"{student_id.lower()}@students.example.edu",
            DEPARTMENTS[number % len(DEPARTMENTS)],
            number % 6 + 1,
            "true" if number % 7 else "false",
        )


def write_csv(path: Path, count: int) -> Path:
    """A CSV roll of so many rows."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(rows(count))
    return path


def write_xlsx(path: Path, count: int) -> Path:
    """A workbook of so many rows, its strings shared as Excel shares them."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Roll")
    sheet.append(HEADER)
    for row in rows(count):
        sheet.append(row)
    book.save(path)
    return path
