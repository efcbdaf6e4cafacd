"""The roll, the jobs, the credentials and the stored files."""

from peewee import (
    BigIntegerField,
    BlobField,
    BooleanField,
    Check,
    CompositeKey,
    DateTimeField,
    FloatField,
    IntegerField,
    JSONField,
    Model,
    PostgresqlDatabase,
    SmallIntegerField,
    TextField,
    UUIDField,
)


def up(migrator, db):
    # Bytewise order: the same on both databases, and several times faster to sort and to index
    # than a language's collation.
    bytewise = '"C"' if isinstance(db, PostgresqlDatabase) else "BINARY"

    class Voter(Model):
        student_id = TextField(primary_key=True, collation=bytewise)
        first_name = TextField()
        last_name = TextField()
        email = TextField()
        department = TextField()
        year = SmallIntegerField(null=True, constraints=[Check("year BETWEEN 1 AND 12")])
        is_eligible = BooleanField()

        class Meta:
            database = db
            table_name = "voter"

    class Job(Model):
        id = UUIDField(primary_key=True)
        state = TextField()
        dry_run = BooleanField()
        options = JSONField()
        uploaded_by = TextField()
        attempts = IntegerField()
        deaths = IntegerField()
        worker = TextField()
        created_at = DateTimeField(index=True)
        started_at = DateTimeField(null=True)
        finished_at = DateTimeField(null=True)
        not_before = DateTimeField()
        lease_expires_at = DateTimeField(null=True)
        phase = TextField()
        rows_read = IntegerField()
        percent = FloatField(null=True)
        file_key = TextField()
        file_name = TextField()
        size_bytes = BigIntegerField()
        sha256 = TextField()
        format = TextField()
        encoding = TextField(null=True)
        delimiter = TextField(null=True)
        sheet = TextField(null=True)
        report = JSONField(null=True)
        rejects_key = TextField(null=True)
        files_purged_at = DateTimeField(null=True)
        error_code = TextField(null=True)
        error_message = TextField(null=True)
        report_mail = TextField()
        report_mail_attempts = IntegerField()
        report_mail_due_at = DateTimeField(null=True)
        report_mail_error = TextField(null=True)
        report_mail_sent_at = DateTimeField(null=True)

        class Meta:
            database = db
            table_name = "job"
            indexes = (
                (("state", "not_before"), False),
                (("report_mail", "report_mail_due_at"), False),
            )
            constraints = [
                Check("state IN ('PENDING', 'STARTED', 'RETRY', 'SUCCESS', 'FAILURE', 'REVOKED')"),
                Check("(state IN ('SUCCESS', 'FAILURE', 'REVOKED')) = (finished_at IS NOT NULL)"),
                Check("(state = 'STARTED') = (lease_expires_at IS NOT NULL)"),
                Check("state <> 'STARTED' OR started_at IS NOT NULL"),
                Check("(state = 'SUCCESS') = (report IS NOT NULL)"),
                Check("(state = 'FAILURE') = (error_code IS NOT NULL)"),
                Check("report_mail IN ('none', 'pending', 'sent', 'failed')"),
            ]

    class JobFault(Model):
        job = UUIDField()
        number = IntegerField()
        line = IntegerField()
        column_label = TextField()
        code = TextField()
        value = TextField()
        message = TextField()

        class Meta:
            database = db
            table_name = "job_fault"
            primary_key = CompositeKey("job", "number")

    class ApiToken(Model):
        name = TextField(unique=True)
        digest = TextField(unique=True)
        scopes = TextField()
        created_at = DateTimeField()
        revoked_at = DateTimeField(null=True)

        class Meta:
            database = db
            table_name = "api_token"

    class Admin(Model):
        username = TextField(unique=True)
        password_hash = TextField()
        created_at = DateTimeField()

        class Meta:
            database = db
            table_name = "admin"

    class StoredChunk(Model):
        key = TextField()
        number = IntegerField()
        data = BlobField()
        stored_at = DateTimeField()

        class Meta:
            database = db
            table_name = "stored_chunk"
            primary_key = CompositeKey("key", "number")

    db.create_tables([Voter, Job, JobFault, ApiToken, Admin, StoredChunk])


def down(migrator, db):
    for table in ("stored_chunk", "admin", "api_token", "job_fault", "job", "voter"):
        migrator.migrate(migrator.drop_table(table))
