"""The pages of the roll: searching for voters, exporting them, correcting one."""

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from markupsafe import escape
from werkzeug.test import TestResponse

from api.admin.voters import CHANGES_SHOWN, PAGE_SIZE
from config.settings import Settings
from shared.access.scopes import Scope
from shared.access.users import Role
from shared.database.connection import database
from shared.database.sql import clock
from shared.voters.models import Voter, VoterHistory
from shared.voters.roll import roll_version
from tests.conftest import close
from tests.support.application import app_of, client_of
from tests.support.page_client import Browser, browser_of, csrf_token, text_of

FIELDS = ("student_id", "first_name", "last_name", "email", "department", "year", "is_eligible")
ANN = ("0012", "Ann", "Lee", "ann@x.edu", "Law", 3, True)
SLASHES = ("a/b//c?d&e#f", "", "", "b@x.edu", "", None, False)
MARKUP = "\"'><script>alert(1)</script>{{7*7919}}"
ESCAPED = str(escape(MARKUP))
HOSTILE = (MARKUP, MARKUP, MARKUP, f"{MARKUP}@x.edu", MARKUP, 2, True)
VOTER_0012 = "/admin/voters/voter/?id=0012"
REASON = "The registrar's letter"


@pytest.fixture
def voters_app(app: Flask) -> Flask:
    Voter.insert_many([ANN, SLASHES, HOSTILE], FIELDS).execute()
    database.close()
    return app


@pytest.fixture
def viewer(voters_app: Flask) -> Browser:
    return browser_of(voters_app, Role.VIEWER)


@pytest.fixture
def admin(voters_app: Flask) -> Browser:
    return browser_of(voters_app, Role.ADMIN)


@pytest.fixture
def any_admin(settings: Settings, any_database_url: str) -> Iterator[Browser]:
    """A browser of an administrator, for each kind of database with three voters."""
    app = app_of(replace(settings, database_url=any_database_url))
    Voter.insert_many([ANN, SLASHES, HOSTILE], FIELDS).execute()
    yield browser_of(app, Role.ADMIN)
    close(database.obj)


def ids_in(page: TestResponse) -> list[str]:
    """The student ids in a list, in their order."""
    assert page.status_code == 200, page.get_data(as_text=True)
    found = re.findall(r'/admin/voters/voter/\?id=[^"]*">([^<]*)</a>', page.get_data(as_text=True))
    return [html.unescape(student_id) for student_id in found]


def link(page: TestResponse, text: str) -> str | None:
    """The URL of the link with this text, or None."""
    found = re.search(rf'href="([^"]*)"[^>]*>{text}</a>', page.get_data(as_text=True))
    return html.unescape(found.group(1)) if found else None


def shown_form(page: TestResponse) -> dict[str, str]:
    """The fields of the form as a browser would send them back."""
    text = page.get_data(as_text=True)
    fields = {}
    for tag in re.findall("<input [^>]*>", text):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        # Browsers drop line breaks in a field of one line.
        value = html.unescape(attributes.get("value", ""))
        fields[attributes["name"]] = value.replace("\n", "").replace("\r", "")
    for name, options in re.findall(r'<select [^>]*name="(\w+)">(.*?)</select>', text, re.S):
        chosen = re.search(r'<option selected value="([^"]*)"', options)
        fields[name] = html.unescape(chosen.group(1)) if chosen else ""
    return fields


def save(browser: Browser, page: TestResponse, **typed: str) -> TestResponse:
    """Fill in the form of a voter's page and send it."""
    path = page.request.full_path
    return browser.client.post(path, data={**shown_form(page), "reason": REASON, **typed})


def entry(student_id: str = "0012") -> tuple[Any, ...]:
    voter = Voter.get_by_id(student_id)
    return tuple(getattr(voter, name) for name in FIELDS)


def add_voters(count: int) -> None:
    rows = [
        (f"S{n:04}", "Ben", f"L{n % 7}", "b@x.edu", "Art", n % 5 or None, False)
        for n in range(count)
    ]
    Voter.insert_many(rows, FIELDS).execute()


@pytest.mark.parametrize("role", Role)
def test_every_role_sees_the_roll_and_admins_alone_a_form(voters_app: Flask, role: Role) -> None:
    browser = browser_of(voters_app, role)
    assert browser.get("/admin/voters/").status_code == 200
    page = browser.get(VOTER_0012)
    assert page.status_code == 200
    assert ("Save entry" in text_of(page)) == (role is Role.ADMIN)
    for kind in ("csv", "xlsx"):
        answer = browser.get(f"/admin/voters/export.{kind}")
        assert (answer.status_code, len(answer.get_data()) > 100) == (200, True)


@pytest.mark.parametrize("path", ["", "voter/?id=0012", "export.csv", "export.xlsx"])
def test_a_signed_out_visitor_is_sent_to_the_sign_in(voters_app: Flask, path: str) -> None:
    answer = Browser(voters_app).get(f"/admin/voters/{path}")
    assert answer.status_code == 302
    assert answer.location.startswith("/admin/account/sign-in/?next=")


@pytest.mark.parametrize("role", [Role.VIEWER, Role.IMPORTER])
def test_only_admins_correct(voters_app: Flask, role: Role) -> None:
    browser = browser_of(voters_app, role)
    token = csrf_token(browser.get("/admin/"))
    fields = {"csrf_token": token, "first_name": "Eve", "email": "e@x.edu", "reason": REASON}
    assert browser.client.post(VOTER_0012, data=fields).status_code == 403
    assert entry() == ANN


def test_a_correction_without_the_forms_token_changes_nothing(admin: Browser) -> None:
    page = admin.get(VOTER_0012)
    for token in ("", "forged"):
        assert save(admin, page, first_name="Eve", csrf_token=token).status_code == 400
    assert (entry(), VoterHistory.select().count()) == (ANN, 0)


def test_the_list_is_filtered(any_admin: Browser) -> None:
    add_voters(3)
    for query, found in {
        "": ["0012", "S0000", "S0001", "S0002", SLASHES[0]],
        "q=LEE&department=Law": ["0012"],
        "q=%20ann%20lee%20": ["0012"],
        "department=Art&year=2": ["S0002"],
        "is_eligible=no": ["S0000", "S0001", "S0002", SLASHES[0]],
        "q=&department=&year=&is_eligible=yes&sort=": ["0012"],
        "department=Nowhere": [],
    }.items():
        ids = ids_in(any_admin.get(f"/admin/voters/?{query}"))
        assert [one for one in ids if one != MARKUP] == found, query
    assert "No voter matches" in text_of(any_admin.get("/admin/voters/?department=Nowhere"))


def test_the_filters_stay_in_the_form_and_in_its_links(viewer: Browser) -> None:
    add_voters(PAGE_SIZE + 1)
    page = viewer.get("/admin/voters/?q=ben&department=Art&is_eligible=no&sort=-year")
    text = page.get_data(as_text=True)
    assert 'value="ben"' in text
    for chosen in ("Art", "no", "-year"):
        assert f'value="{chosen}" selected' in text
    for name in ("CSV", "Excel", "Next", "Department"):
        address = link(page, name) or ""
        assert "q=ben" in address
        assert "department=Art" in address
        assert "is_eligible=no" in address
    assert "sort=department" in (link(page, "Department") or "")
    assert "sort=year" in (link(page, "Year") or "")
    assert 'aria-sort="descending"' in text


@pytest.mark.parametrize("sort", ["student_id", "-student_id", "last_name", "department", "-year"])
def test_next_leads_through_the_whole_list_and_first_back(any_admin: Browser, sort: str) -> None:
    add_voters(2 * PAGE_SIZE)
    page = any_admin.get(f"/admin/voters/?sort={sort}")
    assert link(page, "First") is None
    first, walked = ids_in(page), ids_in(page)
    while address := link(page, "Next"):
        page = any_admin.get(address)
        walked += ids_in(page)
    assert len(walked) == len(set(walked)) == 2 * PAGE_SIZE + 3
    assert ids_in(any_admin.get(link(page, "First") or "")) == first


@pytest.mark.parametrize(
    "query",
    [
        "year=13",
        "year=x",
        "is_eligible=perhaps",
        "sort=email",
        "q=%00",
        "department=%00",
        "after=nonsense",
        f"q={'x' * 255}",
    ],
)
def test_what_no_form_sends_is_refused_by_list_and_export_alike(
    viewer: Browser, query: str
) -> None:
    assert viewer.get(f"/admin/voters/?{query}").status_code == 422
    if not query.startswith("after"):
        assert viewer.get(f"/admin/voters/export.csv?{query}").status_code == 422


def test_the_export_is_the_api_export_with_the_list_filters(
    voters_app: Flask, viewer: Browser
) -> None:
    add_voters(3)
    page = viewer.get("/admin/voters/?department=Art&sort=-year")
    answer_of_page = viewer.get(link(page, "CSV") or "")
    answer_of_api = client_of(voters_app, Scope.READ).get("/api/voters/export.csv?department=Art")
    assert answer_of_page.get_data() == answer_of_api.get_data()
    assert answer_of_page.get_data().count(b"\r\n") == 4
    assert (
        answer_of_page.headers["Content-Disposition"]
        == answer_of_api.headers["Content-Disposition"]
    )
    workbook = viewer.get(link(page, "Excel") or "")
    assert workbook.get_data()[:2] == b"PK"
    assert "xlsx" in workbook.headers["Content-Disposition"]


def test_markup_in_every_field_is_shown_as_text(viewer: Browser, admin: Browser) -> None:
    page = viewer.get("/admin/voters/?q=script&department=" + MARKUP.replace("&", "%26"))
    address = next(
        path for path in re.findall(r'href="([^"]*id=[^"]*)"', page.get_data(as_text=True))
    )
    one = admin.get(html.unescape(address))
    done = save(admin, one, year="5", reason=MARKUP)
    assert done.status_code == 302, text_of(done)
    changed = admin.get(html.unescape(address))
    for shown, times in ((page, 5), (one, 9), (changed, 10)):
        text = shown.get_data(as_text=True)
        assert "<script>alert" not in text
        assert text.count(ESCAPED) >= times
        assert "55433" not in text_of(shown)


def test_an_id_may_hold_whatever_an_address_is_made_of(any_admin: Browser) -> None:
    address = link(any_admin.get("/admin/voters/"), re.escape(html.escape(SLASHES[0]))) or ""
    page = any_admin.get(address)
    assert SLASHES[0] in text_of(page)
    done = save(any_admin, page, department="Law")
    assert (done.status_code, entry(SLASHES[0])[4]) == (302, "Law")
    assert "The entry is corrected" in text_of(any_admin.get(done.location))


@pytest.mark.parametrize("query", ["", "id=", "id=13", "id=%00", "id=%ff"])
def test_who_is_not_on_the_roll_is_not_found(any_admin: Browser, query: str) -> None:
    assert any_admin.get(f"/admin/voters/voter/?{query}").status_code == 404
    token = csrf_token(any_admin.get("/admin/"))
    answer = any_admin.client.post(f"/admin/voters/voter/?{query}", data={"csrf_token": token})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("typed", "changed"),
    [
        ({"year": "4"}, {"year": 4}),
        ({"year": ""}, {"year": None}),
        ({"is_eligible": "no"}, {"is_eligible": False}),
        ({"first_name": " E\u0301mile\u00a0"}, {"first_name": "Émile"}),
        ({"last_name": '="007"'}, {"last_name": "007"}),
        ({"department": " "}, {"department": ""}),
        ({"email": " b@x.edu "}, {"email": "b@x.edu"}),
        ({"first_name": "", "last_name": "\u200b"}, {"first_name": "", "last_name": ""}),
    ],
)
def test_what_is_typed_means_what_the_same_cell_of_a_file_means(
    admin: Browser, typed: dict[str, str], changed: dict[str, Any]
) -> None:
    answer = save(admin, admin.get(VOTER_0012), **typed)
    assert (answer.status_code, answer.location) == (302, VOTER_0012)
    wanted = {**dict(zip(FIELDS, ANN, strict=True)), **changed}
    assert entry() == tuple(wanted.values())
    assert VoterHistory.select().count() == 1


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"email": "nobody"}, "Give one email address of the form"),
        ({"email": ""}, "A voter needs an email address."),
        ({"last_name": "#N/A"}, "The cell has the Excel error #N/A"),
        ({"last_name": "x" * 151}, "at most 150 are allowed"),
        ({"first_name": "a\x01b"}, "invisible character U+0001"),
        ({"year": "13"}, "Not a valid choice"),
        ({"is_eligible": "perhaps"}, "Not a valid choice"),
        ({"year": "4", "reason": ""}, "Say why the entry changes."),
        ({"year": "4", "reason": " \u200b"}, "Say in plain text why the entry changes."),
        ({"year": "4", "reason": "a\x01b"}, "Say in plain text why the entry changes."),
        ({"year": "4", "reason": "x" * 501}, "Use at most 500 characters."),
    ],
)
def test_invalid_input_is_reported_at_the_field_and_kept(
    admin: Browser, typed: dict[str, str], sentence: str
) -> None:
    answer = save(admin, admin.get(VOTER_0012), **{"department": "Physics", **typed})
    assert answer.status_code == 200
    assert sentence in text_of(answer)
    assert 'aria-invalid="true"' in answer.get_data(as_text=True)
    assert shown_form(answer)["department"] == "Physics"
    assert (entry(), VoterHistory.select().count(), roll_version()) == (ANN, 0, 0)


@pytest.mark.parametrize("typed", [{}, {"department": "Law "}, {"department": ' =""'}])
def test_an_entry_that_says_it_all_already_stays(admin: Browser, typed: dict[str, str]) -> None:
    answer = save(admin, admin.get(VOTER_0012), **typed)
    assert "Nothing has changed in the entry" in text_of(answer)
    assert (entry(), VoterHistory.select().count(), roll_version()) == (ANN, 0, 0)


def test_fields_that_were_not_touched_are_not_read_again(admin: Browser) -> None:
    odd = {"first_name": '="007"', "last_name": "Lee\nPark", "department": "#N/A"}
    Voter.update(odd).where(Voter.student_id == "0012").execute()
    assert save(admin, admin.get(VOTER_0012), year="4").status_code == 302
    assert entry() == ("0012", '="007"', "Lee\nPark", "ann@x.edu", "#N/A", 4, True)


def test_a_field_that_was_not_sent_stays(admin: Browser) -> None:
    page = admin.get(VOTER_0012)
    kept = {name: shown_form(page)[name] for name in ("csrf_token", "version", "email")}
    fields = {**kept, "year": "4", "is_eligible": "yes", "reason": REASON}
    assert admin.client.post(VOTER_0012, data=fields).status_code == 302
    assert entry() == (*ANN[:5], 4, True)


def test_a_change_in_a_second_tab_is_shown_and_not_overwritten(any_admin: Browser) -> None:
    one, other = any_admin.get(VOTER_0012), any_admin.get(VOTER_0012)
    assert save(any_admin, one, department="Physics").status_code == 302
    told = save(any_admin, other, first_name="Anna")
    assert told.status_code == 409
    assert "Nothing was saved" in text_of(told)
    assert "You entered: First name Anna Department Law" in text_of(told)
    assert entry() == ("0012", "Ann", "Lee", "ann@x.edu", "Physics", 3, True)

    form = shown_form(told)
    assert (form["first_name"], form["department"], form["reason"]) == ("Ann", "Physics", REASON)
    assert save(any_admin, told, first_name="Anna").status_code == 302
    assert entry() == ("0012", "Anna", "Lee", "ann@x.edu", "Physics", 3, True)
    assert VoterHistory.select().count() == 2


@pytest.mark.parametrize("version", ["", "forged"])
def test_a_form_of_no_known_state_saves_nothing(admin: Browser, version: str) -> None:
    answer = save(admin, admin.get(VOTER_0012), first_name="Eve", version=version)
    assert (answer.status_code, entry()) == (409, ANN)


def test_the_history_shows_changes_authors_reasons_and_imports(any_admin: Browser) -> None:
    job = uuid4()
    before = dict(zip(FIELDS, ANN, strict=True))
    VoterHistory.insert(**before, changed_at=clock(), changed_by="tests", job=job).execute()
    Voter.update(year=None, is_eligible=False).where(Voter.student_id == "0012").execute()
    save(any_admin, any_admin.get(VOTER_0012), department="", reason="He has left")
    page = any_admin.get(VOTER_0012)
    text = text_of(page)
    newest = text.index("the admin department Law becomes nothing He has left")
    oldest = text.index("tests year 3 becomes nothing is eligible yes becomes no By an import")
    assert newest < oldest
    assert link(page, "By an import") == f"/admin/imports/{job}/"
    assert page.get_data(as_text=True).count("<time datetime=") == 2


def test_a_long_history_has_pages(admin: Browser) -> None:
    for number in range(CHANGES_SHOWN + 1):
        before = dict(zip(FIELDS, (*ANN[:5], number % 2 + 5, True), strict=True))
        row = {**before, "changed_at": clock(), "changed_by": "t", "reason": f"no. {number} ends"}
        VoterHistory.insert(**row).execute()
    page = admin.get(VOTER_0012)
    older = admin.get(link(page, "Next") or "")
    assert "no. 0 ends" not in text_of(page)
    assert "year 5 becomes 6 no. 0 ends" in text_of(older)
    assert f"no. {CHANGES_SHOWN} ends" in text_of(admin.get(link(older, "Previous") or ""))
