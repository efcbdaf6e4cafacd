"""Names of tokens and users, which are unique because jobs and the history show who acted."""

from peewee import TextField

from shared.access.errors import UnusableName
from shared.database.connection import BaseModel
from shared.roll_file.errors import TextTooLong
from shared.roll_file.rows.text import compose

MAX_NAME_CHARS = 100
# The actor's name for what is done at the command line.
COMMAND_LINE = "flask import"


class TakenName(BaseModel):
    """A name that a token or a user has or once had."""

    name = TextField(primary_key=True)


def take_name(name: str) -> None:
    """Reserve a name for one token or user, in the transaction that stores them.

    Raises `UnusableName`. Raises peewee's IntegrityError if the name is taken, even by a revoked
    token or a deactivated user.
    """
    check_name(name)
    TakenName.insert(name=name).execute()


def check_name(name: str) -> None:
    """Check a name. Raises `UnusableName`, before it does any work on a name that is too long."""
    if len(name) > MAX_NAME_CHARS or not name.strip() or not name.isprintable():
        raise UnusableName(f"A name has 1 to {MAX_NAME_CHARS} printable characters.")
    # A page shows many spaces as one, so a reader could not distinguish two such names.
    if name != _in_one_form(name):
        raise UnusableName(
            "A name does not begin or end with a space and has no two spaces in a row. Its"
            " letters are in Unicode's composed form (NFC)."
        )
    if name == COMMAND_LINE:
        raise UnusableName("The history uses this name for the command line.")


def _in_one_form(name: str) -> str | None:
    """Return the name composed and with single spaces, or None if that is too long."""
    try:
        return " ".join(compose(name, MAX_NAME_CHARS).split())
    except TextTooLong:
        return None
