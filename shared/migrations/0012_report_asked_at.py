"""When a person or a token asked for a report mail again: the day for sending it begins there."""

from peewee import DateTimeField


def up(migrator, db):
    migrator.migrate(migrator.add_column("job", "report_mail_asked_at", DateTimeField(null=True)))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("job", "report_mail_asked_at"))
