"""The lists of fields that cannot derive from the definition agree with it."""

from collections.abc import Iterable

import pytest

from api.admin.voter_form import VoterForm
from api.voters.change_schemas import VoterChangeSchema
from api.voters.voter_schemas import VoterSchema
from shared.roll_file.fields import CHANGEABLE, FIELDS, OPTIONAL, REQUIRED
from shared.roll_file.rows.aliases.table import LANGUAGES, Headings
from shared.roll_file.rows.validation import _READERS
from shared.roll_file.writing.template import EXAMPLE, EXPLAINED
from shared.staging.load import COLUMNS
from shared.staging.tables import RejectedRow, StagedVoter
from shared.voters.models import Voter, VoterHistory, empty_value


def test_the_roll_has_the_seven_fields_in_their_order() -> None:
    assert tuple(Voter._meta.sorted_field_names) == FIELDS


def test_every_field_but_the_id_can_change() -> None:
    assert sorted((*REQUIRED, *OPTIONAL)) == sorted(FIELDS)
    assert ("student_id", *CHANGEABLE) == FIELDS


def test_staging_has_the_line_and_the_seven_fields() -> None:
    assert COLUMNS == tuple(StagedVoter._meta.sorted_field_names) == ("line", *FIELDS)
    assert set(RejectedRow._meta.sorted_field_names) == set(COLUMNS)


def test_the_history_keeps_the_seven_fields() -> None:
    names = VoterHistory._meta.sorted_field_names
    assert tuple(name for name in names if name in FIELDS) == FIELDS


@pytest.mark.parametrize("names", [EXPLAINED, VoterSchema._declared_fields])
def test_a_description_covers_the_seven_fields(names: Iterable[str]) -> None:
    assert tuple(names) == FIELDS


@pytest.mark.parametrize("headings", LANGUAGES)
def test_each_language_names_the_seven_fields(headings: Headings) -> None:
    assert tuple(headings) == FIELDS


def test_each_field_has_a_reader_and_an_example() -> None:
    assert set(_READERS) == set(FIELDS)
    assert len(EXAMPLE) == len(FIELDS)


def test_a_correction_states_every_field_but_the_id() -> None:
    assert tuple(name for name in VoterChangeSchema._declared_fields if name != "reason") == (
        CHANGEABLE
    )
    assert all(hasattr(VoterForm, name) for name in CHANGEABLE)


def test_a_field_that_was_never_stated_is_empty_or_unknown() -> None:
    assert {name: empty_value(name) for name in OPTIONAL} == {
        "first_name": "",
        "last_name": "",
        "department": "",
        "year": None,
        "is_eligible": False,
    }
