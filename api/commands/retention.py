"""The `flask` commands that delete: old files, and the whole roll."""

from dataclasses import asdict

import click
from flask import Flask
from flask.cli import with_appcontext

from api.commands.main import usable_database
from api.services import services
from shared.deletion import ImportsOpen, erase_roll, overwrite_deleted, purge_expired
from shared.jobs.files import count_expired
from shared.storage.errors import StoreUnavailable


def register_commands(app: Flask) -> None:
    """Register the commands with the app."""
    for command in (purge, erase_roll_command):
        app.cli.add_command(command)


@click.command()
@click.option(
    "--older-than",
    "days",
    type=click.FloatRange(min=0),
    metavar="DAYS",
    help="Minimum number of days since the end of a job. Default: RETAIN_FILES_DAYS.",
)
@click.option("--dry-run", is_flag=True, help="Only count the jobs.")
@with_appcontext
def purge(days: float | None, dry_run: bool) -> None:
    """Delete uploads and rejected rows of old jobs now, as workers do automatically."""
    if days is None:
        days = services().settings.retain_files_days
    with usable_database():
        if dry_run:
            click.echo(f"Jobs whose files would be deleted: {count_expired(days):,}")
            return
        try:
            count = purge_expired(services().store, days)
        except StoreUnavailable as error:
            raise click.ClickException(f"Not all files could be deleted: {error}.") from error
    click.echo(f"Jobs whose files were deleted: {count:,}")


@click.command("erase-roll")
@click.option(
    "--yes",
    is_flag=True,
    help="Confirm that you want to erase the roll. Only a backup can restore it.",
)
@with_appcontext
def erase_roll_command(yes: bool) -> None:
    """Erase every voter, the history of the roll and all uploaded files, after the election.

    The counts, codes, hashes, file name and uploader of each import remain.
    """
    if not yes:
        raise click.ClickException("Nothing was erased. To erase the roll, add --yes.")
    with usable_database():
        try:
            counts = erase_roll(services().store)
        except ImportsOpen:
            raise click.ClickException(
                "An import runs or waits, and nothing was erased. Wait for its end, or cancel it."
            ) from None
        except StoreUnavailable as error:
            raise click.ClickException(
                f"The roll is erased, but not all files are: {error}. A worker removes them"
                " within hours after the store is available again."
            ) from error
        is_overwritten = overwrite_deleted()
    for name, count in asdict(counts).items():
        click.echo(f"erased {name}: {count:,}")
    if not is_overwritten:
        click.echo(
            "The database is too busy to overwrite them. Run its command VACUUM later.", err=True
        )
