"""The command of `flask` that locks a person out."""

import click
from flask import Flask
from flask.cli import with_appcontext

from api.cli import usable_database
from shared import people
from shared.credentials import Admin


def register_commands(app: Flask) -> None:
    """Add the command to the app's own."""
    app.cli.add_command(lock_out)


@click.command()
@click.argument("username")
@with_appcontext
def lock_out(username: str) -> None:
    """Let the person USERNAME sign in no more, and end all sessions of theirs."""
    with usable_database():
        person: Admin | None = Admin.get_or_none(Admin.username == username)
        if person is None:
            raise click.ClickException(f"There is nobody named {username!r}.")
        if person.disabled_at is None and not people.lock_out(person.id):
            raise click.ClickException(
                f"{username!r} is the last admin. Make another first: `flask create-admin`."
            )
    click.echo(f"{username!r} is locked out.")
