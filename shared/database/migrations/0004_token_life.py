"""When a token ends and was last used, and how often somebody has done what is limited."""

from peewee import CompositeKey, DateTimeField, IntegerField, Model, TextField

NEW_COLUMNS = ("expires_at", "last_used_at")


def up(migrator, db):
    class RateCount(Model):
        kind = TextField()
        subject = TextField()
        count = IntegerField()
        ends_at = DateTimeField(index=True)

        class Meta:
            database = db
            table_name = "rate_count"
            primary_key = CompositeKey("kind", "subject")

    db.create_tables([RateCount])
    migrator.migrate(
        *(migrator.add_column("api_token", name, DateTimeField(null=True)) for name in NEW_COLUMNS)
    )


def down(migrator, db):
    migrator.migrate(
        *(migrator.drop_column("api_token", name) for name in NEW_COLUMNS),
        migrator.drop_table("rate_count"),
    )
