"""Which request made a job, for following it through the log."""

from peewee import TextField


def up(migrator, db):
    migrator.migrate(migrator.add_column("job", "request_id", TextField(null=True)))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("job", "request_id"))
