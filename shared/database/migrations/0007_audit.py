"""The audit table, which takes new entries and refuses every other change."""

from peewee import (
    AutoField,
    BigAutoField,
    Check,
    DateTimeField,
    Model,
    PostgresqlDatabase,
    TextField,
)

REFUSED = "Entries of the audit table are neither changed nor removed."
ACTIONS = (
    "sign-in", "sign-out", "change-password", "reset-password", "create-person", "set-role",
    "lock-out", "let-in", "create-token", "revoke-token", "upload", "apply", "retry", "cancel",
    "resend-report", "import", "purge", "view-file", "view-rejects", "export", "edit", "erase-roll",
    "migrate",
)  # fmt: skip
ACTORS = ("person", "token", "command-line", "service", "stranger")

# INSERT OR REPLACE removes the row that is in its way without any trigger for DELETE.
REPLACES = " WHEN EXISTS (SELECT 1 FROM audit_entry WHERE id = NEW.id)"
SQLITE = [
    f"CREATE TRIGGER audit_entry_no_{name} BEFORE {event} ON audit_entry{condition}"
    f" BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
    for name, event, condition in (
        ("change", "UPDATE", ""),
        ("removal", "DELETE", ""),
        ("replacement", "INSERT", REPLACES),
    )
]
POSTGRESQL = [
    f"""
    CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION '{REFUSED}' USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    """
    CREATE TRIGGER audit_entry_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()
    """,
]


def up(migrator, db):
    is_postgresql = isinstance(db, PostgresqlDatabase)

    class AuditEntry(Model):
        id = BigAutoField() if is_postgresql else AutoField()
        at = DateTimeField(index=True)
        actor_kind = TextField(constraints=[Check(_one_of("actor_kind", ACTORS))])
        actor = TextField()
        address = TextField(null=True)
        action = TextField(constraints=[Check(_one_of("action", ACTIONS))])
        subject = TextField(null=True)
        outcome = TextField(constraints=[Check(_one_of("outcome", ("ok", "refused")))])
        detail = TextField()

        class Meta:
            database = db
            table_name = "audit_entry"
            indexes = (
                (("actor", "id"), False),
                (("action", "id"), False),
                (("subject", "id"), False),
            )

    db.create_tables([AuditEntry])
    for statement in POSTGRESQL if is_postgresql else SQLITE:
        db.execute_sql(statement)


def _one_of(column, values):
    quoted = ", ".join(f"'{value}'" for value in values)
    return f"{column} IN ({quoted})"


def down(migrator, db):
    migrator.migrate(migrator.drop_table("audit_entry"))
    if isinstance(db, PostgresqlDatabase):
        db.execute_sql("DROP FUNCTION refuse_audit_change()")
