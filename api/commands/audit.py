"""`flask audit`: print the newest entries of the audit table."""

import json

import click
from flask import Flask
from flask.cli import with_appcontext

from api.audit.audit import describe, entries
from api.commands.main import usable_database
from api.commands.tables import print_table
from shared.audit import Action, AuditEntry, Outcome

COLUMNS = ("WHEN", "WHO", "FROM", "WHAT", "SUBJECT", "DETAIL")
DEFAULT_COUNT = 20
MAX_COUNT = 100_000


def register_commands(app: Flask) -> None:
    """Register the command with the app."""
    app.cli.add_command(audit)


@click.command()
@click.option(
    "--last",
    type=click.IntRange(1, MAX_COUNT),
    default=DEFAULT_COUNT,
    show_default=True,
    help="The number of entries.",
)
@click.option("--action", type=click.Choice([str(action) for action in Action]))
@click.option("--actor", help="Only actions under this name.")
@click.option("--subject", help="Only actions on this job, voter, user or token.")
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for each entry.")
@with_appcontext
def audit(last: int, *, as_json: bool, **filters: str | None) -> None:
    """Print the newest audit entries, the latest at the end, with times in UTC."""
    conditions = {name: value for name, value in filters.items() if value is not None}
    with usable_database():
        newest = list(entries(conditions).limit(last))[::-1]
    if as_json:
        for entry in newest:
            click.echo(json.dumps(describe(entry), ensure_ascii=False))
    else:
        print_table([COLUMNS, *map(_row, newest)])


def _row(entry: AuditEntry) -> tuple[str, ...]:
    is_refused = entry.outcome == Outcome.REFUSED
    return (
        f"{entry.at:%Y-%m-%d %H:%M:%S}",
        f"{entry.actor_kind} {entry.actor}".strip(),
        entry.address or "-",
        f"{entry.action} (refused)" if is_refused else entry.action,
        entry.subject or "-",
        entry.detail,
    )
