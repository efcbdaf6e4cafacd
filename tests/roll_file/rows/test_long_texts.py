"""Texts that are too long are refused because of their length, before any work on them.

Unicode composition takes quadratic time for a sequence of combining marks.
"""

import ast
import time
from collections.abc import Callable
from unicodedata import normalize

import pytest
from flask import Flask
from marshmallow import ValidationError
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import NotFound

from api.admin.voter_form import VoterForm
from api.voters.query_schemas import VoterFilterSchema
from api.voters.voter import voter_or_404
from config.settings import PROJECT_ROOT
from shared.access.errors import UnusableName
from shared.access.names import take_name
from shared.access.scopes import Scope
from shared.access.users import Role, create_user
from shared.roll_file.errors import BadCell, FileCode, TextTooLong
from shared.roll_file.limits import ReadOptions
from shared.roll_file.rows.cells import (
    read_eligibility,
    read_email,
    read_student_id,
    read_text,
    read_year,
)
from shared.roll_file.rows.columns import recognise
from shared.roll_file.rows.text import COMPOSED_CHARS, clean
from shared.voters.models import Voter
from tests.roll_file.roll_samples import codes_of, csv_roll, fault_of, results_of, xlsx_roll
from tests.support.application import client_of

ROOT = PROJECT_ROOT
# Each is in an order that the composition must change.
MARKS = {
    "alternating": "e" + "\u0301\u0316" * 150_000,
    "falling": "e" + "\u0301" * 150_000 + "\u0316" * 150_000,
    "decomposed": "\u0f73" * 300_000,
}
# The composition of one of these texts takes a minute. The tests must stay far below that.
PROMPT_SECONDS = 5
ATTACKS = pytest.mark.parametrize("text", MARKS.values(), ids=MARKS)


@ATTACKS
def test_a_cell_of_marks_is_too_long_at_once(text: str) -> None:
    row = ("1", text, "Lee", "a@x.edu", "Law", "1", "yes")
    data = csv_roll([row] * 3)
    started = time.process_time()
    results = results_of(data)
    assert time.process_time() - started < PROMPT_SECONDS
    assert [codes_of(result) for result in results] == [["FIELD_TOO_LONG"]] * 3


def test_a_cell_of_marks_in_a_workbook_is_too_long_at_once() -> None:
    text = "e" + "\u0301\u0316" * 16_000
    data = xlsx_roll([("1", text, text, "a@x.edu", text, "1", "yes")] * 30)
    started = time.process_time()
    results = results_of(data)
    assert time.process_time() - started < PROMPT_SECONDS
    assert codes_of(results[0]) == ["FIELD_TOO_LONG"] * 3


@ATTACKS
@pytest.mark.parametrize(
    ("read", "code"),
    [
        (read_student_id, "FIELD_TOO_LONG"),
        (read_text("first_name"), "FIELD_TOO_LONG"),
        (read_email, "FIELD_TOO_LONG"),
        (read_year, "INVALID_YEAR"),
        (read_eligibility, "INVALID_ELIGIBILITY"),
    ],
)
def test_every_field_refuses_marks_at_once(
    text: str, read: Callable[[str], object], code: str
) -> None:
    started = time.process_time()
    for cell in (text, f' ="{text}" '):
        with pytest.raises(BadCell) as caught:
            read(cell)
        assert caught.value.code == code
    assert time.process_time() - started < PROMPT_SECONDS


@pytest.mark.parametrize("write", [csv_roll, xlsx_roll])
def test_labels_that_take_long_to_fold_are_refused_at_once(write: Callable[..., bytes]) -> None:
    """Each of these characters becomes eighteen characters."""
    labels = ["\ufdfa" * 150] * 999
    data = write([labels] * 19, labels=labels)
    started = time.process_time()
    assert fault_of(data).code is FileCode.MISSING_COLUMNS
    assert time.process_time() - started < PROMPT_SECONDS


def test_a_long_label_is_no_heading() -> None:
    assert recognise(["email" + "_" * 90, "email" + "_" * 100]) == {"email": [0]}


@ATTACKS
def test_a_sheet_named_by_marks_is_not_found_at_once(text: str) -> None:
    data = xlsx_roll([("1", "", "", "a@x.edu", "", "", "")])
    started = time.process_time()
    fault = fault_of(data, ReadOptions(sheet=text))
    assert time.process_time() - started < PROMPT_SECONDS
    assert fault.code is FileCode.SHEET_NOT_FOUND
    assert len(fault.message) < 500


@ATTACKS
def test_a_query_of_marks_is_refused_at_once(text: str) -> None:
    started = time.process_time()
    assert set(VoterFilterSchema().validate({"q": text, "student_id": text})) == {
        "q",
        "student_id",
    }
    assert time.process_time() - started < PROMPT_SECONDS


def test_a_query_that_composing_makes_longer_is_refused() -> None:
    with pytest.raises(ValidationError) as caught:
        VoterFilterSchema().load({"q": "\u0958" * 254})
    assert set(caught.value.messages_dict) == {"q"}


@ATTACKS
def test_a_name_of_marks_is_refused_at_once(text: str) -> None:
    started = time.process_time()
    with pytest.raises(UnusableName):
        take_name(text)
    assert time.process_time() - started < PROMPT_SECONDS


@ATTACKS
def test_a_user_named_by_marks_is_refused_at_once(text: str) -> None:
    started = time.process_time()
    with pytest.raises(UnusableName):
        create_user(text, "x" * 20, Role.ADMIN)
    assert time.process_time() - started < PROMPT_SECONDS


@pytest.mark.parametrize("option", ["--encoding", "--sheet"])
def test_a_long_option_of_the_import_is_refused(app: Flask, option: str) -> None:
    outcome = app.test_cli_runner().invoke(args=["import", "roll.csv", option, "x" * 101])
    assert (outcome.exit_code, "more than 100 characters" in outcome.output) == (2, True)


def test_a_number_of_many_digits_is_no_year_and_no_name() -> None:
    for read, code in ((read_year, "INVALID_YEAR"), (read_text("last_name"), "FIELD_TOO_LONG")):
        with pytest.raises(BadCell) as caught:
            read(10**400)
        assert caught.value.code == code


@ATTACKS
@pytest.mark.parametrize("field", ["first_name", "email", "department", "year", "reason"])
def test_a_correction_of_marks_is_refused_at_once(app: Flask, text: str, field: str) -> None:
    admin = client_of(app, Scope.ADMIN)
    Voter.insert(
        student_id="1", first_name="", last_name="", email="a@x.edu", department="",
        year=None, is_eligible=False,
    ).execute()  # fmt: skip
    etag = admin.get("/api/voters/1/").headers["ETag"]
    body = {"reason": "letter", "last_name": "Lee", field: text}
    started = time.process_time()
    answer = admin.send("PATCH", "/api/voters/1/", headers={"If-Match": etag}, json=body)
    assert time.process_time() - started < PROMPT_SECONDS
    assert answer.status_code == 422
    assert len(answer.get_data()) < 1000


@ATTACKS
def test_a_form_of_marks_is_read_at_once(app: Flask, text: str) -> None:
    voter = Voter(
        student_id="1", first_name="", last_name="", email="a@x.edu", department="",
        year=None, is_eligible=False,
    )  # fmt: skip
    data = {"first_name": text, "email": "a@x.edu", "is_eligible": "no", "reason": "letter"}
    with app.test_request_context(method="POST"):
        form = VoterForm(MultiDict(data), meta={"csrf": False})
        started = time.process_time()
        assert form.change(voter) is None
        assert time.process_time() - started < PROMPT_SECONDS
        assert "at most 150 are allowed" in form.first_name.errors[0]


@ATTACKS
def test_an_address_of_marks_names_no_voter_at_once(app: Flask, text: str) -> None:
    started = time.process_time()
    with app.test_request_context(), pytest.raises(NotFound):
        voter_or_404(text)
    assert time.process_time() - started < PROMPT_SECONDS


@pytest.mark.parametrize("chars", [64, 150, 254])
def test_what_composing_makes_short_enough_is_kept(chars: int) -> None:
    name = "\u1ec7\u1f82\uac01" * (chars // 3)
    for form in ("NFC", "NFD"):
        raw = " " * 300 + normalize(form, name) + "\u200b" * 300
        assert clean(raw, chars) == name


@pytest.mark.parametrize(
    "text", ["x" * 65, "e" * 64 + "\u0301\u0301", "\u0958" * 64, "\u1f82" * 65, "e" + "\u0301" * 64]
)
def test_what_stays_too_long_is_refused(text: str) -> None:
    with pytest.raises(TextTooLong):
        clean(text, 64)


def test_a_field_within_its_length_may_have_any_marks() -> None:
    name = "e" + "\u0316\u0301" * 70
    assert clean(name, 150) == normalize("NFC", name)


def test_no_composition_makes_one_character_of_more() -> None:
    longest = max(
        len(normalize("NFD", composed))
        for composed in map(chr, range(0x110000))
        if normalize("NFC", normalize("NFD", composed)) == composed
    )
    assert longest == COMPOSED_CHARS


def test_texts_are_composed_in_one_module_alone() -> None:
    users = {
        path.relative_to(ROOT).as_posix()
        for folder in ("api", "config", "consumer", "shared")
        for path in (ROOT / folder).rglob("*.py")
        if _uses_unicodedata(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert users == {"shared/roll_file/rows/text.py"}


def _uses_unicodedata(tree: ast.Module) -> bool:
    return any(
        (isinstance(node, ast.ImportFrom) and node.module == "unicodedata")
        or (isinstance(node, ast.Import) and any(a.name == "unicodedata" for a in node.names))
        for node in ast.walk(tree)
    )
