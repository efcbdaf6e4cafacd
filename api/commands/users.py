"""The `flask` commands for users: list, reset a password, deactivate, reactivate.

An administrator does the same on the page "Users". If the last administrator has forgotten the
password, only these commands help.
"""

import click
from flask import Flask
from flask.cli import with_appcontext

from api.commands.main import usable_database
from api.commands.tables import print_table, shown_time
from shared.access import users
from shared.access.models import User

COLUMNS = ("NAME", "ROLE", "STATE", "SINCE", "LAST SIGN-IN")


def register_commands(app: Flask) -> None:
    """Register the commands with the app."""
    for command in (list_users, reset_password, deactivate, reactivate):
        app.cli.add_command(command)


@click.command("list-people")
@with_appcontext
def list_users() -> None:
    """List the users, including the deactivated ones, with times in UTC."""
    with usable_database():
        rows = [COLUMNS, *map(_row, users.all_users())]
    print_table(rows)


def _row(user: User) -> tuple[str, ...]:
    return (
        user.username,
        user.role,
        "deactivated" if user.disabled_at else "active",
        shown_time(user.created_at),
        shown_time(user.signed_in_at),
    )


@click.command()
@click.argument("name")
@with_appcontext
def reset_password(name: str) -> None:
    """Give NAME a one-time password and print it. All sessions of NAME end."""
    with usable_database():
        user = _user(name)
        password = users.reset_password(user.id)
    click.echo(
        f"The one-time password of {name!r}, valid for {users.ONE_TIME_DAYS} days. The"
        " user must change it at the next sign-in. It cannot be shown again:",
        err=True,
    )
    click.echo(password)
    if user.disabled_at:
        click.echo(f"{name!r} is deactivated. `flask let-in` reactivates the user.", err=True)


@click.command("lock-out")
@click.argument("name")
@with_appcontext
def deactivate(name: str) -> None:
    """Deactivate NAME: end all sessions and allow no new one."""
    with usable_database():
        user = _user(name)
        if user.disabled_at is None and not users.deactivate(user.id):
            raise click.ClickException(
                f"{name!r} is the last admin. Create another admin first: `flask create-admin`."
            )
    click.echo(f"{name!r} is deactivated.")


@click.command("let-in")
@click.argument("name")
@with_appcontext
def reactivate(name: str) -> None:
    """Reactivate NAME, who can then sign in with the old password."""
    with usable_database():
        if users.reactivate(_user(name).id):
            click.echo(f"{name!r} is reactivated and can sign in again.")
        else:
            click.echo(f"{name!r} is not deactivated.")


def _user(name: str) -> User:
    user: User | None = User.get_or_none(User.username == name)
    if user is None:
        raise click.ClickException(
            f"There is no user named {name!r}. `flask list-people` lists all users."
        )
    return user
