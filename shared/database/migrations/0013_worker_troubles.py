"""Which threads of a worker do not do their work."""

from peewee import TextField


def up(migrator, db):
    migrator.migrate(migrator.add_column("worker", "troubles", TextField(null=True)))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("worker", "troubles"))
