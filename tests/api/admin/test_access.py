"""The pages for tokens and users: only administrators may open them, and one always remains."""

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from markupsafe import escape
from peewee import Database
from werkzeug.test import TestResponse

from config.settings import Settings
from shared.access.models import ApiToken, User
from shared.access.scopes import Scope
from shared.access.tokens import create_token, find_token
from shared.access.users import (
    Role,
    change_password,
    create_user,
    deactivate,
    reset_password,
    set_role,
)
from shared.access.users import sign_in as find_user
from shared.database.connection import database
from shared.database.sql import clock
from tests.conftest import close
from tests.support.api_client import ApiClient
from tests.support.application import app_of
from tests.support.page_client import PASSWORD, Browser, browser_of, csrf_token, text_of

TOKENS, USERS, ACCOUNT = "/admin/tokens/", "/admin/people/", "/admin/account/"
SIGN_IN = "/admin/account/sign-in/"
MARKUP = "\"'><script>alert(1)</script>{{7*7919}}"
ESCAPED = str(escape(MARKUP))
NEW: dict[str, Any] = {"name": "registrar", "scopes": ["read", "import"]}
ANN: dict[str, Any] = {"name": "ann", "role": "importer"}


@pytest.fixture
def admin(settings: Settings, any_database_url: str) -> Iterator[Browser]:
    """A browser of an administrator, for each kind of database."""
    app = app_of(replace(settings, database_url=any_database_url))
    yield browser_of(app, Role.ADMIN)
    close(database.obj)


def send(browser: Browser, path: str, fields: dict[str, Any]) -> TestResponse:
    page = TOKENS if path.startswith(TOKENS) else USERS
    return browser.post(path, form_of=page, **fields)


def user(name: str) -> User:
    found: User = User.get(User.username == name)
    return found


def token_in(page: TestResponse) -> str | None:
    found = re.search(r"\bsvs_[\w-]+", page.get_data(as_text=True))
    return found.group() if found else None


@pytest.mark.parametrize("role", [Role.VIEWER, Role.IMPORTER])
def test_others_than_admins_find_no_way_in(app: Flask, role: Role) -> None:
    create_user("the admin", PASSWORD, Role.ADMIN)
    create_token("program", [Scope.READ])
    browser = browser_of(app, role)
    home = browser.get("/admin/")
    assert TOKENS not in home.get_data(as_text=True)
    assert USERS not in home.get_data(as_text=True)
    token = csrf_token(home)
    for path in (TOKENS, USERS):
        assert browser.get(path).status_code == 403
    forms: dict[str, dict[str, Any]] = {
        TOKENS: NEW,
        f"{TOKENS}1/revoke/": {},
        USERS: ANN,
        f"{USERS}2/role/": {"role": "admin"},
        f"{USERS}1/lock-out/": {},
        f"{USERS}1/let-in/": {},
        f"{USERS}1/reset-password/": {},
    }
    for path, fields in forms.items():
        answer = browser.client.post(path, data={"csrf_token": token, **fields})
        assert answer.status_code == 403, path
    assert [row.state for row in ApiToken.select()] == ["valid"]
    assert {row.username: (row.role, row.disabled_at) for row in User.select()} == {
        "the admin": ("admin", None),
        f"the {role}": (role, None),
    }


@pytest.mark.parametrize("path", [TOKENS, USERS])
def test_a_signed_out_visitor_is_sent_to_the_sign_in(app: Flask, path: str) -> None:
    browser = Browser(app)
    assert browser.get(path).location.startswith("/admin/account/sign-in/?next=")
    ended = browser.client.post(path, data=NEW).location
    assert ended == f"/admin/account/sign-in/?ended=1&next={path}"
    assert ApiToken.select().count() == 0


def test_the_menu_offers_an_admin_both(app: Flask) -> None:
    home = browser_of(app, Role.ADMIN).get("/admin/").get_data(as_text=True)
    assert f'href="{TOKENS}"' in home
    assert f'href="{USERS}"' in home


def test_a_form_without_its_token_changes_nothing(app: Flask) -> None:
    browser = browser_of(app, Role.ADMIN)
    other = create_token("program", [Scope.READ])
    create_user("ann", PASSWORD, Role.VIEWER)
    database.close()
    forms: dict[str, dict[str, Any]] = {
        TOKENS: NEW,
        f"{TOKENS}1/revoke/": {},
        USERS: {**ANN, "name": "eve"},
        f"{USERS}2/role/": {"role": "admin"},
        f"{USERS}2/lock-out/": {},
        f"{USERS}2/let-in/": {},
        f"{USERS}2/reset-password/": {},
    }
    for path, fields in forms.items():
        assert browser.client.post(path, data=fields).status_code == 400, path
    assert find_token(other) is not None
    assert ApiToken.select().count() == 1
    assert User.select().count() == 2
    assert (user("ann").role, user("ann").disabled_at) == ("viewer", None)
    assert user("ann").one_time_until is None


def test_a_token_is_shown_once_and_opens_what_was_chosen(app: Flask, admin: Browser) -> None:
    answer = send(admin, TOKENS, NEW)
    assert answer.status_code == 200
    token = token_in(answer)
    assert token is not None
    assert answer.headers["Cache-Control"] == "no-store"
    found = find_token(token)
    assert found is not None
    assert (found.name, found.scopes, found.expires_at) == ("registrar", "import read", None)
    database.close()

    later = admin.get(TOKENS)
    assert token_in(later) is None
    assert "registrar Valid import, read" in text_of(later)
    client = ApiClient(admin.client.application, token)
    assert client.get("/api/voters/").status_code == 200


def test_a_token_may_end_with_a_day(admin: Browser) -> None:
    day = datetime.now(UTC).date() + timedelta(days=30)
    send(admin, TOKENS, {**NEW, "last_day": day.isoformat()})
    token = ApiToken.get(ApiToken.name == "registrar")
    assert token.expires_at == datetime.combine(day + timedelta(days=1), datetime.min.time())


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": " "}, "Give the token a name."),
        ({"name": "x" * 101}, "longer than 100"),
        ({"name": "a\x01b"}, "printable characters"),
        ({"name": "a\u202eb"}, "printable characters"),
        ({"scopes": []}, "Choose at least one scope."),
        ({"scopes": ["read", "root"]}, "'root'"),
        ({"last_day": "2020-01-01"}, "Choose a day from today to 3,650 days from now."),
        ({"last_day": "9999-12-31"}, "Choose a day from today to 3,650 days from now."),
        ({"last_day": "soon"}, "Not a valid date value."),
        ({"name": "taken"}, "has this name already"),
        ({"name": "the admin"}, "has this name already"),
        ({"name": "flask import"}, "The history uses this name for the command line"),
    ],
)
def test_a_token_that_cannot_be_created_shows_a_field_error(
    admin: Browser, fields: dict[str, Any], sentence: str
) -> None:
    create_token("taken", [Scope.READ])
    database.close()
    answer = send(admin, TOKENS, {**NEW, **fields})
    assert answer.status_code == 200
    assert sentence in text_of(answer)
    assert token_in(answer) is None
    assert ApiToken.select().count() == 1


def test_a_revoked_token_opens_nothing(admin: Browser) -> None:
    token = create_token("program", [Scope.READ])
    revoke = f"{TOKENS}{ApiToken.get().id}/revoke/"
    database.close()
    assert send(admin, revoke, {}).location == TOKENS
    page = admin.get(TOKENS)
    assert "The token program is revoked." in text_of(page)
    assert "program Revoked read" in text_of(page)
    assert "Revoke permanently" not in text_of(page)
    assert ApiClient(admin.client.application, token).get("/api/voters/").status_code == 401
    send(admin, revoke, {})
    assert "is revoked already" in text_of(admin.get(TOKENS))


def test_the_list_shows_the_state_of_each_token(admin: Browser) -> None:
    create_token("old", [Scope.READ], expires_at=clock(-60))
    create_token("used", [Scope.READ, Scope.ADMIN], expires_at=clock(3600))
    ApiToken.update(last_used_at=clock()).where(ApiToken.name == "used").execute()
    database.close()
    page = admin.get(TOKENS)
    assert "old Expired read" in text_of(page)
    assert "used Valid admin, read" in text_of(page)
    assert page.get_data(as_text=True).count("<time datetime=") == 5


@pytest.mark.parametrize("path", ["0", "99", "2147483648", "9" * 40, "x", "-1"])
def test_what_is_not_there_is_not_found(admin: Browser, path: str) -> None:
    for address in (
        f"{TOKENS}{path}/revoke/",
        f"{USERS}{path}/role/",
        f"{USERS}{path}/lock-out/",
        f"{USERS}{path}/let-in/",
        f"{USERS}{path}/reset-password/",
    ):
        assert send(admin, address, {"role": "viewer"}).status_code == 404, address


def test_a_new_user_signs_in_with_the_role(admin: Browser) -> None:
    made = send(admin, USERS, ANN)
    password = one_time_password_in(made)
    assert (made.status_code, made.headers["Cache-Control"]) == (200, "no-store")
    assert password not in admin.get(USERS).get_data(as_text=True)
    ann = Browser(admin.client.application)
    assert ann.sign_in("ann", password).status_code == 302
    assert ann.get("/admin/import/").location == ACCOUNT
    ann.post(ACCOUNT, form_of=ACCOUNT, old=password, new=PASSWORD, again=PASSWORD)
    assert ann.sign_in("ann").status_code == 302
    assert ann.get("/admin/import/").status_code == 200
    assert ann.get(USERS).status_code == 403
    assert "ann Importer" in text_of(admin.get(USERS))
    assert user("ann").signed_in_at is not None


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": " "}, "Give the name of the user."),
        ({"name": "x" * 101}, "longer than 100"),
        ({"name": "a\x01b"}, "printable characters"),
        ({"name": "a\u200bb"}, "printable characters"),
        ({"name": "the admin"}, "has this name already"),
        ({"name": "program"}, "has this name already"),
        ({"role": "root"}, "Not a valid choice"),
        ({"role": ""}, "Not a valid choice"),
    ],
)
def test_a_user_who_cannot_be_created_causes_a_field_error(
    admin: Browser, fields: dict[str, Any], sentence: str
) -> None:
    create_token("program", [Scope.READ])
    database.close()
    answer = send(admin, USERS, {**ANN, **fields})
    assert answer.status_code == 200
    assert sentence in text_of(answer)
    assert 'aria-invalid="true"' in answer.get_data(as_text=True)
    assert [row.username for row in User.select()] == ["the admin"]


def test_another_role_counts_at_once(admin: Browser) -> None:
    ann = browser_of(admin.client.application, Role.VIEWER, "ann")
    role = f"{USERS}{user('ann').id}/role/"
    database.close()
    assert ann.get("/admin/import/").status_code == 403
    assert send(admin, role, {"role": "importer"}).location == USERS
    assert ann.get("/admin/import/").status_code == 200
    send(admin, role, {"role": "root"})
    assert "Choose one of the roles." in text_of(admin.get(USERS))
    assert user("ann").role == "importer"


def test_a_deactivated_user_is_out_at_once_until_reactivated(admin: Browser) -> None:
    ann = browser_of(admin.client.application, Role.VIEWER, "ann")
    lock = f"{USERS}{user('ann').id}/lock-out/"
    database.close()
    send(admin, lock, {})
    assert "ann is deactivated." in text_of(admin.get(USERS))
    assert ann.get("/admin/").status_code == 302
    assert ann.sign_in("ann").status_code == 200
    send(admin, lock, {})
    assert "ann is deactivated already." in text_of(admin.get(USERS))
    let_in = lock.replace("lock-out", "let-in")
    for told in ("ann is reactivated and can sign in", "ann is not deactivated."):
        assert send(admin, let_in, {}).location == USERS
        assert told in text_of(admin.get(USERS))
    assert ann.get("/admin/").status_code == 302
    assert ann.sign_in("ann").status_code == 302
    assert ann.get("/admin/").status_code == 200


def test_a_one_time_password_is_shown_once_and_must_be_changed(admin: Browser) -> None:
    """Until the user changes it, it opens only the page to change it."""
    ann = browser_of(admin.client.application, Role.IMPORTER, "ann")
    reset = f"{USERS}{user('ann').id}/reset-password/"
    database.close()
    answer = send(admin, reset, {})
    assert answer.headers["Cache-Control"] == "no-store"
    password = one_time_password_in(answer)
    assert admin.get(reset).location == USERS
    assert password not in admin.get(USERS).get_data(as_text=True)
    assert ann.get("/admin/").location.startswith(SIGN_IN)
    assert ann.sign_in("ann").status_code == 200

    assert ann.sign_in("ann", password).status_code == 302
    for path in ("/admin/", "/admin/import/", "/admin/no-such-page/"):
        assert ann.get(path).location == ACCOUNT
    assert "You are signed in with a one-time password." in text_of(ann.get(ACCOUNT))
    kept = ann.post(ACCOUNT, form_of=ACCOUNT, old=password, new=password, again=password)
    assert "Choose a password of your own." in text_of(kept)
    ann.post(ACCOUNT, form_of=ACCOUNT, old=password, new=PASSWORD, again=PASSWORD)
    assert ann.sign_in("ann", password).status_code == 200
    assert ann.sign_in("ann").status_code == 302
    assert ann.get("/admin/").status_code == 200


def test_a_one_time_password_is_good_for_three_days(admin: Browser) -> None:
    create_user("ann", PASSWORD, Role.VIEWER)
    password = reset_password(user("ann").id)
    ends, began = user("ann").one_time_until, user("ann").created_at
    assert ends is not None
    assert timedelta(days=3) <= ends - began < timedelta(days=3, hours=1)
    User.update(one_time_until=clock(-1)).where(User.username == "ann").execute()
    database.close()
    ann = Browser(admin.client.application)
    assert "This one-time password has expired." in text_of(ann.sign_in("ann", password))
    assert "has expired" not in text_of(ann.sign_in("ann", "wrong"))
    assert ann.get("/admin/").location.startswith(SIGN_IN)


def test_a_password_reset_in_the_meantime_is_not_overwritten(admin: Browser) -> None:
    create_user("ann", PASSWORD, Role.VIEWER)
    as_before = user("ann")
    password = reset_password(as_before.id)
    assert not change_password(as_before, PASSWORD, "known to somebody else")
    assert find_user("ann", password) is not None


def test_admins_change_their_own_password_themselves(admin: Browser) -> None:
    page = admin.get(USERS).get_data(as_text=True)
    own = f"{USERS}{user('the admin').id}/reset-password/"
    database.close()
    assert own not in page
    assert send(admin, own, {}).location == ACCOUNT
    assert user("the admin").one_time_until is None


def one_time_password_in(page: TestResponse) -> str:
    found = re.search(r"\b[a-z2-9]{4}(?:-[a-z2-9]{4}){3}\b", text_of(page))
    assert found, text_of(page)
    return found.group()


@pytest.mark.parametrize(("action", "fields"), [("role", {"role": "viewer"}), ("lock-out", {})])
def test_the_last_admin_stays(admin: Browser, action: str, fields: dict[str, str]) -> None:
    create_user("gone", PASSWORD, Role.ADMIN)
    deactivate(user("gone").id)
    own = f"{USERS}{user('the admin').id}/{action}/"
    database.close()
    send(admin, own, fields)
    assert "the admin is the last admin and must stay an admin." in text_of(admin.get(USERS))
    create_user("second", PASSWORD, Role.ADMIN)
    database.close()
    send(admin, own, fields)
    assert admin.get(USERS).status_code in (302, 403)


@pytest.mark.parametrize("step_down", [deactivate, lambda one: set_role(one, Role.VIEWER)])
def test_of_admins_who_step_down_at_once_one_stays(
    any_database: Database, step_down: Callable[[int], bool]
) -> None:
    for number in range(4):
        create_user(f"admin {number}", PASSWORD, Role.ADMIN)
    everybody = [row.id for row in User.select()]
    ready, done = threading.Barrier(len(everybody)), []

    def leave(one: int) -> None:
        with any_database.connection_context():
            ready.wait()
            done.append(step_down(one))

    threads = [threading.Thread(target=leave, args=(one,)) for one in everybody]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [False, True, True, True]


def test_markup_in_a_name_is_shown_as_text(admin: Browser) -> None:
    answer = send(admin, TOKENS, {**NEW, "name": MARKUP})
    refused = send(admin, TOKENS, {**NEW, "name": MARKUP})
    name = f"{MARKUP}!"
    made = send(admin, USERS, {**ANN, "name": name, "role": "admin"})
    again = send(admin, USERS, {**ANN, "name": name})
    reset = f"{USERS}{user(name).id}/reset-password/"
    database.close()
    forgotten = send(admin, reset, {})
    create_user(other := f"{MARKUP}?", PASSWORD, Role.ADMIN)
    browser = browser_of(admin.client.application, Role.ADMIN, other)
    for page, times in (
        (answer, 3),
        (refused, 3),
        (made, 5),
        (again, 4),
        (forgotten, 5),
        (admin.get(TOKENS), 2),
        (browser.get(USERS), 4),
    ):
        text = page.get_data(as_text=True)
        assert "<script>alert" not in text
        assert text.count(ESCAPED) >= times
        assert ">49<" not in text
