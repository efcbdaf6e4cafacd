"""What a job follows from, what the roll was before a change, and how often it has changed."""

from peewee import (
    AutoField,
    BigAutoField,
    BigIntegerField,
    BooleanField,
    DateTimeField,
    IntegerField,
    Model,
    PostgresqlDatabase,
    SmallIntegerField,
    TextField,
    UUIDField,
)

NEW_COLUMNS = {
    "idempotency_key": TextField(null=True),
    "duplicate_of": UUIDField(null=True),
    "preview_of": UUIDField(null=True),
    "retry_of": UUIDField(null=True),
    "roll_version": BigIntegerField(null=True),
    "cancelled_by": TextField(null=True),
}


def up(migrator, db):
    is_postgresql = isinstance(db, PostgresqlDatabase)
    bytewise = '"C"' if is_postgresql else "BINARY"

    class Roll(Model):
        id = IntegerField(primary_key=True)
        version = BigIntegerField()
        changed_at = DateTimeField()

        class Meta:
            database = db
            table_name = "roll"

    class VoterHistory(Model):
        id = BigAutoField() if is_postgresql else AutoField()
        student_id = TextField(collation=bytewise)
        first_name = TextField()
        last_name = TextField()
        email = TextField()
        department = TextField()
        year = SmallIntegerField(null=True)
        is_eligible = BooleanField()
        changed_at = DateTimeField()
        changed_by = TextField()
        reason = TextField()
        job = UUIDField(null=True, column_name="job_id")

        class Meta:
            database = db
            table_name = "voter_history"
            indexes = ((("student_id", "id"), False),)

    db.create_tables([Roll, VoterHistory])
    migrator.migrate(
        *(migrator.add_column("job", name, field) for name, field in NEW_COLUMNS.items()),
        # NULLs are never equal to each other: jobs without a key do not meet here.
        migrator.add_index("job", ("uploaded_by", "idempotency_key"), unique=True),
        migrator.add_index("job", ("sha256", "created_at")),
        migrator.add_index("job", ("file_key",)),
    )


def down(migrator, db):
    migrator.migrate(
        migrator.drop_index("job", "job_uploaded_by_idempotency_key"),
        migrator.drop_index("job", "job_sha256_created_at"),
        migrator.drop_index("job", "job_file_key"),
        *(migrator.drop_column("job", name) for name in NEW_COLUMNS),
        migrator.drop_table("voter_history"),
        migrator.drop_table("roll"),
    )
