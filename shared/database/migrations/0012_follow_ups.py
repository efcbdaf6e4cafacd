"""Find what follows from a job by an index, and give a report asked for again a day of its own."""

from peewee import DateTimeField


def up(migrator, db):
    migrator.migrate(
        migrator.add_column("job", "report_mail_asked_at", DateTimeField(null=True)),
        migrator.add_index("job", ("preview_of",)),
        migrator.add_index("job", ("retry_of",)),
    )


def down(migrator, db):
    migrator.migrate(
        migrator.drop_index("job", "job_preview_of"),
        migrator.drop_index("job", "job_retry_of"),
        migrator.drop_column("job", "report_mail_asked_at"),
    )
