"""The `flask` commands for the schema and the first user, and an import without a worker."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from math import isnan
from typing import Any

import click
from flask import Flask
from flask.cli import with_appcontext
from peewee import IntegrityError

from api.services import services
from shared.access import development
from shared.access.errors import UnusableName, WeakPassword
from shared.access.models import User
from shared.access.users import Role, create_user
from shared.audit import SERVICE, Action, act_as, command_line, record
from shared.database import schema
from shared.database.connection import close_database, database, open_database
from shared.database.outages import OUTAGES, is_disk_full
from shared.importing.options import ImportOptions, OnError
from shared.roll_file.csv_files.reader import DELIMITERS
from shared.staging.merge import Mode

MAX_OPTION_CHARS = 100


def register_commands(app: Flask) -> None:
    """Register the commands with the app."""
    for command in (migrate, create_admin, import_command):
        app.cli.add_command(command)


@contextmanager
def usable_database(*, is_migrated: bool = True) -> Iterator[None]:
    """Turn a database that cannot be used into one sentence and exit status 1.

    The audit table names the user of the machine for all actions in the block.
    """
    # The connections of the web process have a time limit for statements. A migration or an import
    # may take minutes.
    close_database()
    open_database(services().settings.database_url)
    act_as(command_line())
    try:
        if is_migrated and schema.pending_migrations():
            raise click.ClickException("The database is not up to date. Run `flask migrate` first.")
        yield
    except OUTAGES as error:
        reason = str(error).partition("\n")[0]
        raise click.ClickException(
            f"The database cannot be used: {reason}. Check DATABASE_URL."
        ) from error
    except OSError as error:
        if not is_disk_full(error):
            raise
        raise click.ClickException("There is no room left on the disk.") from error
    finally:
        database.close()
        act_as(SERVICE)


@click.command()
@with_appcontext
def migrate() -> None:
    """Apply the pending migrations to the database.

    Exit status 1 if DEBUG is off and the database holds credentials of `make run`.
    """
    with usable_database(is_migrated=False):
        names = schema.migrate()
        if names:
            record(Action.MIGRATE, detail=", ".join(names))
        for name in names:
            click.echo(f"applied {name}")
        if not names:
            click.echo("The database is up to date.")
        if not services().settings.debug:
            _refuse_development_credentials()


def _refuse_development_credentials() -> None:
    """Exit with an error if such credentials exist.

    The release then fails, and the platform does not start the service.
    """
    commands = [
        *(f"  flask revoke-token {name}" for name in development.left_tokens()),
        *(f"  flask lock-out {name}" for name in development.left_users()),
    ]
    if commands:
        raise click.ClickException(
            "The database has credentials that `make run` made for a laptop. Create your"
            " own admin with `flask create-admin`, then end those:\n" + "\n".join(commands)
        )


@click.command()
@click.option(
    "--username", prompt=True, help="The name. Without this option, the command asks for it."
)
@click.option(
    "--password",
    prompt=True,
    hide_input=True,
    confirmation_prompt=True,
    help="The password. Without this option, the command asks for it, which keeps it out of the"
    " shell's history.",
)
@click.option(
    "--role",
    type=click.Choice([str(role) for role in Role]),
    default=str(Role.ADMIN),
    show_default=True,
    help="The role, which says what the user may do.",
)
@with_appcontext
def create_admin(username: str, password: str, role: str) -> None:
    """Create a user who may sign in to the pages."""
    with usable_database():
        try:
            create_user(username, password, Role(role))
        except (WeakPassword, UnusableName) as error:
            raise click.ClickException(str(error)) from None
        except IntegrityError:
            raise click.ClickException(_name_taken_message(username)) from None
    click.echo(f"Created the {role} {username!r}.")


def _name_taken_message(name: str) -> str:
    user: User | None = User.get_or_none(User.username == name)
    if user is None:
        return f"A token has the name {name!r} already. It may be revoked. Choose another name."
    command, what = (
        ("let-in", "reactivates the user")
        if user.disabled_at
        else ("reset-password", "sets a new password if it is forgotten")
    )
    state = ", deactivated" if user.disabled_at else ""
    return (
        f"There is a user named {name!r} already ({user.role}{state}). `flask {command}"
        f" {shlex.quote(name)}` {what}."
    )


def _number(context: click.Context, option: click.Parameter, value: float | None) -> float | None:
    """Reject nan, which Click accepts in every range."""
    if value is not None and isnan(value):
        raise click.BadParameter(f"{value} is not a number.")
    return value


def _short(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """Reject a text that is longer than any encoding and any title of a sheet."""
    if value is not None and len(value) > MAX_OPTION_CHARS:
        raise click.BadParameter(f"It has more than {MAX_OPTION_CHARS} characters.")
    return value


@click.command("import")
@click.argument("file", type=click.Path())
@click.option("--dry-run", is_flag=True, help="Report what would change, and change nothing.")
@click.option(
    "--mode",
    type=click.Choice([str(mode) for mode in Mode]),
    help="Which voters to write. Default: upsert.",
)
@click.option(
    "--on-error",
    type=click.Choice([str(choice) for choice in OnError]),
    help="Whether to save the good rows if others are rejected. Default: skip.",
)
@click.option(
    "--max-rejected-percent",
    type=click.FloatRange(0, 100),
    callback=_number,
    help="Save nothing if a larger percentage of rows is rejected.",
)
@click.option(
    "--expected-rows",
    type=click.IntRange(min=0),
    help="Save nothing if the file has another number of rows.",
)
@click.option(
    "--encoding",
    callback=_short,
    help="The encoding of a CSV file, if the service detects it wrongly.",
)
@click.option(
    "--delimiter",
    type=click.Choice([*DELIMITERS, "tab"]),
    help="The delimiter of a CSV file. You can write `tab` for a tab.",
)
@click.option("--sheet", callback=_short, help="The title of the sheet in a workbook.")
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False),
    help="Where to write the rejected rows. Default: FILE.rejects.csv in this folder.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print the status document of the API as JSON."
)
@with_appcontext
def import_command(
    file: str, dry_run: bool, rejects: str | None, as_json: bool, **values: Any
) -> None:
    """Import FILE (CSV or Excel) immediately, without broker and worker.

    Exit status 0: the import or the preview succeeded. 1: the file was rejected, or its import
    failed.
    """
    # The web processes load this module too, and do not need the readers.
    from api.commands.imports import import_file

    if values["delimiter"] == "tab":
        values["delimiter"] = "\t"
    options = ImportOptions.from_dict(
        {name: value for name, value in values.items() if value is not None}
    )
    with usable_database():
        is_saved = import_file(
            file, dry_run=dry_run, as_json=as_json, options=options, rejects=rejects
        )
    if not is_saved:
        raise SystemExit(1)
