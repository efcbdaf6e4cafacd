"""The `flask` commands for users: list, reset a password, deactivate, reactivate.

An administrator does the same on the page "People". If the last administrator has forgotten the
password, only these commands help.
"""

import click
from flask import Flask
from flask.cli import with_appcontext

from api.commands.main import usable_database
from api.commands.tables import print_table, shown_time
from shared.access import people
from shared.access.tokens import Admin

COLUMNS = ("NAME", "ROLE", "STATE", "SINCE", "LAST SIGN-IN")


def register_commands(app: Flask) -> None:
    """Register the commands with the app."""
    for command in (list_people, reset_password, lock_out, let_in):
        app.cli.add_command(command)


@click.command()
@with_appcontext
def list_people() -> None:
    """List the users, including the deactivated ones, with times in UTC."""
    with usable_database():
        rows = [COLUMNS, *map(_row, people.all_people())]
    print_table(rows)


def _row(person: Admin) -> tuple[str, ...]:
    return (
        person.username,
        person.role,
        "deactivated" if person.disabled_at else "active",
        shown_time(person.created_at),
        shown_time(person.signed_in_at),
    )


@click.command()
@click.argument("name")
@with_appcontext
def reset_password(name: str) -> None:
    """Give NAME a one-time password and print it. All sessions of NAME end."""
    with usable_database():
        person = _person(name)
        password = people.reset_password(person.id)
    click.echo(
        f"The one-time password of {name!r}, valid for {people.ONE_TIME_DAYS} days. The"
        " user must change it at the next sign-in. It cannot be shown again:",
        err=True,
    )
    click.echo(password)
    if person.disabled_at:
        click.echo(f"{name!r} is deactivated. `flask let-in` reactivates the user.", err=True)


@click.command()
@click.argument("name")
@with_appcontext
def lock_out(name: str) -> None:
    """Deactivate NAME: end all sessions and allow no new one."""
    with usable_database():
        person = _person(name)
        if person.disabled_at is None and not people.lock_out(person.id):
            raise click.ClickException(
                f"{name!r} is the last admin. Create another admin first: `flask create-admin`."
            )
    click.echo(f"{name!r} is deactivated.")


@click.command()
@click.argument("name")
@with_appcontext
def let_in(name: str) -> None:
    """Reactivate NAME, who can then sign in with the old password."""
    with usable_database():
        if people.let_in(_person(name).id):
            click.echo(f"{name!r} is reactivated and can sign in again.")
        else:
            click.echo(f"{name!r} is not deactivated.")


def _person(name: str) -> Admin:
    found: Admin | None = Admin.get_or_none(Admin.username == name)
    if found is None:
        raise click.ClickException(
            f"There is no user named {name!r}. `flask list-people` lists all users."
        )
    return found
