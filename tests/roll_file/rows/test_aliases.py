from collections import Counter
from pathlib import Path

import pytest

import shared.roll_file.rows.aliases
from shared.roll_file.fields import FIELDS
from shared.roll_file.rows.aliases.table import ALIASES, LANGUAGES, Headings, build_table, normalise

FOLDER = Path(shared.roll_file.rows.aliases.__file__).parent
SOURCES = "".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.py"))


def headings_of(language: Headings) -> list[str]:
    return [heading for headings in language.values() for heading in headings]


def test_every_field_has_aliases_and_is_its_own_alias() -> None:
    assert set(ALIASES.values()) == set(FIELDS)
    assert all(ALIASES[field] == field for field in FIELDS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_heading_is_written_as_it_is_compared(language: Headings) -> None:
    assert [h for h in headings_of(language) if normalise(h) != h] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_lists_each_heading_once(language: Headings) -> None:
    assert [h for h, times in Counter(headings_of(language)).items() if times > 1] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_heading_is_found_by_a_text_search(language: Headings) -> None:
    assert [h for h in headings_of(language) if f'"{h}"' not in SOURCES] == []


def test_every_module_of_headings_is_in_the_table() -> None:
    modules = {path.stem for path in FOLDER.glob("*.py")} - {"__init__", "table"}
    assert len(LANGUAGES) == len(modules)


def test_a_heading_that_means_two_fields_is_an_error() -> None:
    with pytest.raises(ValueError, match="number means year and student_id"):
        build_table([{"year": ("number",)}, {"student_id": ("number",)}])


def test_a_heading_matches_without_its_underscores() -> None:
    assert build_table([{"student_id": ("student_id",)}]) == {
        "student_id": "student_id",
        "studentid": "student_id",
    }
