"""`flask create-admin`, `list-people`, `reset-password` and `let-in`."""

import pytest
from click.testing import Result
from flask import Flask

from shared.access.models import User
from shared.access.users import Role, deactivate
from tests.support.page_client import browser_of


def run(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=list(words))


def test_a_taken_name_is_refused_with_advice(app: Flask) -> None:
    for name in ("ada lee", "bob"):
        run(app, "create-admin", "--username", name, "--password", "long enough")
    deactivate(User.get(User.username == "bob").id)
    run(app, "create-token", "registrar")
    advice = {
        "ada lee": "named 'ada lee' already (admin). `flask reset-password 'ada lee'` sets",
        "bob": "already (admin, deactivated). `flask let-in bob` reactivates the user.",
        "registrar": "A token has the name 'registrar' already. It may be revoked.",
    }
    for name, sentence in advice.items():
        result = run(app, "create-admin", "--username", name, "--password", "long enough")
        assert (result.exit_code, sentence in result.stderr) == (1, True), result.stderr
        assert len(result.stderr.splitlines()) == 1
    assert "A token or a user has the name 'bob'" in run(app, "create-token", "bob").stderr


def test_the_last_admin_gets_a_new_password_at_the_command_line(app: Flask) -> None:
    browser = browser_of(app, Role.ADMIN, "ada")
    result = run(app, "reset-password", "ada")
    assert result.exit_code == 0
    assert "The one-time password of 'ada'" in result.stderr
    assert browser.get("/admin/").status_code == 302
    assert browser.sign_in("ada", result.stdout.strip()).status_code == 302
    assert browser.get("/admin/").location == "/admin/account/"


def test_a_user_is_reactivated_at_the_command_line(app: Flask) -> None:
    for name in ("ada", "bob"):
        run(app, "create-admin", "--username", name, "--password", "long enough")
    deactivate(User.get(User.username == "bob").id)
    assert "'bob' is deactivated" in run(app, "reset-password", "bob").stderr
    _, ada, bob = run(app, "list-people").stdout.splitlines()
    assert (ada.split()[:3], bob.split()[:3]) == (
        ["ada", "admin", "active"],
        ["bob", "admin", "deactivated"],
    )
    for told in ("'bob' is reactivated and can sign in again.", "'bob' is not deactivated."):
        assert run(app, "let-in", "bob").stdout.strip() == told


@pytest.mark.parametrize("command", ["reset-password", "let-in"])
def test_an_unknown_user_is_refused_with_where_to_look(app: Flask, command: str) -> None:
    result = run(app, command, "nobody")
    assert result.exit_code == 1
    assert "There is no user named 'nobody'. `flask list-people`" in result.stderr
