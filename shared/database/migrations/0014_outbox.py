"""A table of its own for the report mails and the webhook calls of finished jobs.

The old columns of `job` stay, because processes of an earlier release still write them while they
are being replaced. Triggers move what those processes write into the new table. A later migration
can drop the columns, their indexes and the triggers.
"""

from peewee import (
    Check,
    CompositeKey,
    DateTimeField,
    ForeignKeyField,
    IntegerField,
    Model,
    PostgresqlDatabase,
    TextField,
    UUIDField,
)

# The prefix of the old columns of each channel. An earlier release knows requests to send again
# for mails only.
CHANNELS = {"mail": "report_mail", "webhook": "webhook"}
ASKED_AT = {"mail": "COALESCE(report_mail_asked_at, finished_at)", "webhook": "finished_at"}
DEFAULTS = {"report_mail": "'none'", "report_mail_attempts": "(0)"}

MOVE = """
INSERT INTO outbox (job_id, channel, state, attempts, due_at, asked_at, error, sent_at)
SELECT id, '{channel}', {old}, {old}_attempts, COALESCE({old}_due_at, finished_at), {asked_at},
    {old}_error,
    CASE WHEN {old} = 'sent' THEN COALESCE({old}_sent_at, finished_at) ELSE {old}_sent_at END
FROM job WHERE {condition} AND finished_at IS NOT NULL
ON CONFLICT (job_id, channel) DO UPDATE SET state = excluded.state, attempts = excluded.attempts,
    due_at = excluded.due_at, asked_at = excluded.asked_at, error = excluded.error,
    sent_at = excluded.sent_at
"""
# A worker of the earlier release would also send what it finds here.
DISARM = "UPDATE job SET {old} = 'none' WHERE {condition} AND {old} = 'pending'"
BRING_BACK = """
UPDATE job SET {old} = outbox.state, {old}_attempts = outbox.attempts,
    {old}_due_at = outbox.due_at, {old}_error = outbox.error, {old}_sent_at = outbox.sent_at
FROM outbox WHERE outbox.job_id = job.id AND outbox.channel = '{channel}'
"""
BRING_BACK_REQUESTS = """
UPDATE job SET report_mail_asked_at = outbox.asked_at
FROM outbox WHERE outbox.job_id = job.id AND outbox.channel = 'mail'
"""
EVENT = "AFTER UPDATE OF {old} ON job FOR EACH ROW WHEN (NEW.{old} <> 'none')"
SQLITE = ["CREATE TRIGGER job_{channel}_moved {event} BEGIN {move}; {disarm}; END"]
POSTGRESQL = [
    """
    CREATE FUNCTION move_{channel}_to_outbox() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        {move}; {disarm}; RETURN NULL;
    END $$
    """,
    "CREATE TRIGGER job_{channel}_moved {event} EXECUTE FUNCTION move_{channel}_to_outbox()",
]


def up(migrator, db):
    class Job(Model):
        id = UUIDField(primary_key=True)

        class Meta:
            database = db
            table_name = "job"

    class Outbox(Model):
        # The primary key begins with it, so it needs no index of its own.
        job = ForeignKeyField(Job, index=False)
        channel = TextField(constraints=[Check("channel IN ('mail', 'webhook')")])
        state = TextField(constraints=[Check("state IN ('none', 'pending', 'sent', 'failed')")])
        attempts = IntegerField(constraints=[Check("attempts >= 0")])
        due_at = DateTimeField()
        asked_at = DateTimeField()
        error = TextField(null=True)
        sent_at = DateTimeField(null=True)

        class Meta:
            database = db
            table_name = "outbox"
            primary_key = CompositeKey("job", "channel")
            indexes = ((("channel", "state", "due_at"), False),)
            constraints = [Check("state <> 'sent' OR sent_at IS NOT NULL")]

    # This release writes no old column.
    for column, default in DEFAULTS.items():
        migrator.migrate(migrator.add_column_default("job", column, default))
    db.create_tables([Outbox])
    is_postgresql = isinstance(db, PostgresqlDatabase)
    for channel, old in CHANNELS.items():
        move, disarm = _statements(channel, "1 = 1")
        db.execute_sql(move)
        db.execute_sql(disarm)
        move, disarm = _statements(channel, "id = NEW.id")
        values = {"move": move, "disarm": disarm, "event": EVENT.format(old=old)}
        for statement in POSTGRESQL if is_postgresql else SQLITE:
            db.execute_sql(statement.format(channel=channel, **values))


def _statements(channel, condition):
    values = {"channel": channel, "old": CHANNELS[channel], "asked_at": ASKED_AT[channel]}
    return [statement.format(condition=condition, **values) for statement in (MOVE, DISARM)]


def down(migrator, db):
    is_postgresql = isinstance(db, PostgresqlDatabase)
    for channel, old in CHANNELS.items():
        db.execute_sql(f"DROP TRIGGER job_{channel}_moved{' ON job' if is_postgresql else ''}")
        if is_postgresql:
            db.execute_sql(f"DROP FUNCTION move_{channel}_to_outbox()")
        db.execute_sql(BRING_BACK.format(channel=channel, old=old))
    db.execute_sql(BRING_BACK_REQUESTS)
    migrator.migrate(migrator.drop_table("outbox"))
    for column in DEFAULTS:
        migrator.migrate(migrator.drop_column_default("job", column))
