"""Names of tokens and of people: jobs and the history tell by them who did what, so no two are the
same."""

from peewee import TextField

from shared.database.connection import BaseModel
from shared.roll_file.rows.text import TextTooLong, compose

MAX_NAME_CHARS = 100
# Who did what was done at the command line.
COMMAND_LINE = "flask import"


class TakenName(BaseModel):
    """A name that a token or a person has or once had."""

    name = TextField(primary_key=True)


class UnusableName(ValueError):
    """No list could show the name, or it says already who did something else."""


def take_name(name: str) -> None:
    """Keep a name for one token or person, in the transaction that stores them.

    Raises `UnusableName`, and peewee's IntegrityError when the name is taken, also by a revoked
    token or by somebody who was locked out.
    """
    check_name(name)
    TakenName.insert(name=name).execute()


def check_name(name: str) -> None:
    """Raises `UnusableName`, before any work on a name of any length."""
    if len(name) > MAX_NAME_CHARS or not name.strip() or not name.isprintable():
        raise UnusableName(f"A name has 1 to {MAX_NAME_CHARS} printable characters.")
    # Two that a reader could not tell apart, on a page that draws many spaces as one.
    if name != _in_one_form(name):
        raise UnusableName(
            "A name neither begins nor ends with a space, has no two in a row, and its letters are"
            " written as one sign each (Unicode's form NFC)."
        )
    if name == COMMAND_LINE:
        raise UnusableName("This is what the history calls the command line.")


def _in_one_form(name: str) -> str | None:
    """The name composed and with single spaces, None where it has no room for that."""
    try:
        return " ".join(compose(name, MAX_NAME_CHARS).split())
    except TextTooLong:
        return None
