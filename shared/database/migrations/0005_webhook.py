"""What became of telling the webhook of a finished job."""

from peewee import SQL, DateTimeField, IntegerField, TextField

NEW_COLUMNS = {
    "webhook": TextField(
        default="none",
        constraints=[
            SQL("DEFAULT 'none'"),
            SQL("CHECK (webhook IN ('none', 'pending', 'sent', 'failed'))"),
        ],
    ),
    "webhook_attempts": IntegerField(default=0, constraints=[SQL("DEFAULT 0")]),
    "webhook_due_at": DateTimeField(null=True),
    "webhook_error": TextField(null=True),
    "webhook_sent_at": DateTimeField(null=True),
}


def up(migrator, db):
    migrator.migrate(
        *(migrator.add_column("job", name, field) for name, field in NEW_COLUMNS.items()),
        migrator.add_index("job", ("webhook", "webhook_due_at")),
    )


def down(migrator, db):
    migrator.migrate(
        migrator.drop_index("job", "job_webhook_webhook_due_at"),
        *(migrator.drop_column("job", name) for name in reversed(NEW_COLUMNS)),
    )
