"""`python -m dev.prepare --port PORT`: prepare a database and credentials for development.

It migrates the database. Then it creates an administrator and a token, unless
`var/dev-credentials.json` holds working ones. At the end it prints the URLs and credentials.
"""

import argparse
import json
import os
import secrets
import socket
import sys
from itertools import count
from pathlib import Path

from config.process import keep_files_private
from config.settings import PROJECT_ROOT, SettingsError, load_settings
from shared.access.development import NAME, TOKEN_NAME
from shared.access.models import User
from shared.access.names import TakenName
from shared.access.scopes import Scope
from shared.access.tokens import create_token, find_token
from shared.access.users import Role, create_user
from shared.audit import act_as, command_line
from shared.database.connection import database, open_database
from shared.database.outages import OUTAGES
from shared.database.schema import migrate

CREDENTIALS = PROJECT_ROOT / "var" / "dev-credentials.json"


def main(arguments: list[str] | None = None) -> int:
    """Prepare and return the exit status of the process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    port: int = parser.parse_args(arguments).port
    keep_files_private()
    try:
        settings = load_settings()
        for number in (port, settings.mail.port):
            if is_taken(number):
                sys.stderr.write(
                    f"Port {number} is in use. Choose other ports: PORT=9000 make run (mail"
                    " uses PORT + 1000, or EMAIL_PORT).\n"
                )
                return 1
        open_database(settings.database_url)
        act_as(command_line())
        with database.connection_context():
            migrate()
            credentials = usable_credentials(CREDENTIALS) or new_credentials()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except OUTAGES as error:
        sys.stderr.write(f"The database cannot be used: {error}\nCheck DATABASE_URL.\n")
        return 1
    credentials["url"] = f"http://127.0.0.1:{port}"
    write_private(CREDENTIALS, json.dumps(credentials, indent=2) + "\n")
    sys.stdout.write(welcome(credentials))
    sys.stdout.flush()
    return 0


def is_taken(port: int) -> bool:
    """Whether this port of loopback is in use, or not allowed."""
    with socket.socket() as probe:
        # As the servers do: a port whose last connection has just closed counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def usable_credentials(path: Path) -> dict[str, str] | None:
    """The credentials in the file, if the database knows the token and the user is active.

    Otherwise, or if the file cannot be read, None.
    """
    try:
        values = json.loads(path.read_text())
        credentials = {name: str(values[name]) for name in ("url", "token", "username", "password")}
    except (OSError, ValueError, KeyError, TypeError):
        return None
    is_known = find_token(credentials["token"]) and User.get_or_none(
        (User.username == credentials["username"]) & User.disabled_at.is_null()
    )
    return credentials if is_known else None


def new_credentials() -> dict[str, str]:
    """Create an administrator and a token with all scopes, under names that are still free."""
    username, token_name = free_name(NAME), free_name(TOKEN_NAME)
    password = secrets.token_urlsafe(12)
    create_user(username, password, Role.ADMIN)
    token = create_token(token_name, list(Scope))
    return {"url": "", "token": token, "username": username, "password": password}


def free_name(wish: str) -> str:
    """The first free name of `wish`, `wish-2`, `wish-3` and so on."""
    names = (wish if number == 1 else f"{wish}-{number}" for number in count(1))
    return next(name for name in names if TakenName.get_or_none(TakenName.name == name) is None)


def write_private(path: Path, text: str) -> None:
    """Replace a file atomically by one that only its owner may read."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_suffix(".part")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


def welcome(credentials: dict[str, str]) -> str:
    """The URLs and credentials as a text for the terminal."""
    url, token = credentials["url"], credentials["token"]
    return f"""
  Pages        {url}/admin/
  Swagger UI   {url}/api/docs/
  Status       {url}/health/ready
  API token    {token}
  Admin        {credentials["username"]} / {credentials["password"]}
  Report mails {CREDENTIALS.parent / "mail"}/*.eml

  curl -H "Authorization: Bearer {token}" \\
       -F file=@samples/roll.csv {url}/api/upload/

  All of this is in {CREDENTIALS}. Ctrl-C stops everything.

"""


if __name__ == "__main__":
    sys.exit(main())
