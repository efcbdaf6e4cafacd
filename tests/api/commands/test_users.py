"""`flask lock-out`, and a release that refuses the credentials of `make run` in its database."""

from dataclasses import replace

from click.testing import Result
from flask import Flask

from api.app import create_app
from config.settings import Settings
from dev.prepare import new_credentials
from shared.access.scopes import Scope
from shared.access.tokens import create_token
from shared.access.users import Role, create_user, sign_in
from shared.database.connection import database

PASSWORD = "long enough, is it not"


def run(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=words)


def test_a_user_can_be_deactivated_except_the_last_admin(app: Flask) -> None:
    create_user("ann", PASSWORD, Role.ADMIN)
    database.close()
    refused = run(app, "lock-out", "ann")
    assert refused.exit_code == 1
    assert "last admin" in refused.stderr

    create_user("bob", PASSWORD, Role.ADMIN)
    database.close()
    for _ in range(2):
        assert run(app, "lock-out", "ann").stdout == "'ann' is deactivated.\n"
    assert sign_in("ann", PASSWORD) is None
    assert run(app, "lock-out", "carol").exit_code == 1


def test_a_release_is_refused_while_laptop_credentials_work(app: Flask, settings: Settings) -> None:
    new_credentials()
    # A user's own token with this name, which has fewer scopes.
    create_token("development-2", [Scope.READ])
    database.close()
    assert run(app, "migrate").exit_code == 0

    release = create_app(replace(settings, debug=False))
    refused = run(release, "migrate")
    assert refused.exit_code == 1
    commands = [line.split() for line in refused.stderr.splitlines() if "  flask " in line]
    assert [words[1:] for words in commands] == [
        ["revoke-token", "development-token"], ["lock-out", "development"]
    ]  # fmt: skip

    create_user("ann", PASSWORD, Role.ADMIN)
    database.close()
    for words in commands:
        assert run(release, *words[1:]).exit_code == 0
    assert run(release, "migrate").exit_code == 0
