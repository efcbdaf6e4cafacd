"""The `flask` commands for API tokens: create, list, revoke."""

from datetime import UTC, datetime

import click
from flask import Flask
from flask.cli import with_appcontext
from peewee import IntegrityError, Node

from api.commands.main import usable_database
from api.commands.tables import print_table, shown_time
from shared.access import tokens as credentials
from shared.access.errors import UnusableName
from shared.access.models import ApiToken
from shared.access.scopes import Scope
from shared.access.tokens import MAX_DAYS, end_of
from shared.database.sql import clock

DAY_SECONDS = 24 * 3600.0
COLUMNS = ("NAME", "SCOPES", "STATE", "CREATED", "LAST USED", "EXPIRES")


def register_commands(app: Flask) -> None:
    """Register the commands with the app."""
    for command in (create_token, list_tokens, revoke_token):
        app.cli.add_command(command)


class DaysOrDate(click.ParamType["Node | datetime"]):
    """A number of days from now, or the last day on which a token is valid, in UTC."""

    name = "days or date"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> Node | datetime:
        """Return the value that `create_token` takes as `expires_at`."""
        if value.isascii() and value.isdigit():
            if 1 <= int(value) <= MAX_DAYS:
                return clock(int(value) * DAY_SECONDS)
            self.fail(f"Give 1 to {MAX_DAYS} days.", param, ctx)
        try:
            end = end_of(datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC).date())
        # The last possible date has no day after it.
        except (ValueError, OverflowError):
            self.fail("Give a number of days, or a date such as 2027-01-31.", param, ctx)
        if end <= datetime.now(UTC).replace(tzinfo=None):
            self.fail("This day is in the past.", param, ctx)
        return end


@click.command()
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice([str(scope) for scope in Scope]),
    default=[str(Scope.READ), str(Scope.IMPORT)],
    show_default=True,
    help="What the token may do. You can repeat the option.",
)
@click.option(
    "--expires-in",
    "expires_at",
    type=DaysOrDate(),
    metavar="DAYS|DATE",
    help="Days from now, or the last valid day (2027-01-31, UTC). Default: the token never"
    " expires.",
)
@with_appcontext
def create_token(name: str, scopes: tuple[str, ...], expires_at: Node | datetime | None) -> None:
    """Create an API token and print it. It cannot be shown again."""
    with usable_database():
        try:
            token = credentials.create_token(
                name, [Scope(scope) for scope in scopes], expires_at=expires_at
            )
        except UnusableName as unusable:
            raise click.ClickException(str(unusable)) from None
        except IntegrityError:
            raise click.ClickException(
                f"A token or a user has the name {name!r} already. It may be revoked or"
                " deactivated. Choose another name."
            ) from None
    click.echo(
        f"The token {name!r} ({', '.join(scopes)}). Store it now. It cannot be shown again:",
        err=True,
    )
    click.echo(token)


@click.command()
@with_appcontext
def list_tokens() -> None:
    """List the API tokens: names, scopes, states, times in UTC. Tokens cannot be shown again."""
    with usable_database():
        rows = [COLUMNS, *(_row(token) for token in credentials.all_tokens())]
    print_table(rows)


def _row(token: ApiToken) -> tuple[str, ...]:
    return (
        token.name,
        ",".join(token.scopes.split()) or "none",
        str(token.state),
        shown_time(token.created_at),
        shown_time(token.last_used_at),
        shown_time(token.expires_at),
    )


@click.command()
@click.argument("name")
@with_appcontext
def revoke_token(name: str) -> None:
    """Revoke the API token NAME permanently. It stops working immediately."""
    with usable_database():
        if credentials.revoke_token(name):
            click.echo(f"The token {name!r} is revoked.")
            return
        if ApiToken.get_or_none(ApiToken.name == name) is None:
            raise click.ClickException(f"There is no token named {name!r}.")
    click.echo(f"The token {name!r} is revoked already.")
