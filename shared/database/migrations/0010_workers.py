"""Which workers there are, and when each was last heard of."""

from peewee import DateTimeField, IntegerField, Model, TextField, UUIDField


def up(migrator, db):
    class Worker(Model):
        id = UUIDField(primary_key=True)
        host = TextField()
        pid = IntegerField()
        version = TextField()
        started_at = DateTimeField()
        beat_at = DateTimeField(index=True)

        class Meta:
            database = db
            table_name = "worker"

    db.create_tables([Worker])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("worker"))
