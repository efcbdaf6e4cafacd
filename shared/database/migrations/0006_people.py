"""People with roles, who can be locked out, and whose sessions end when they change a password."""

import secrets

from peewee import DateTimeField, Model, TextField


def up(migrator, db):
    migrator.migrate(
        migrator.add_column("admin", "role", TextField(default="admin")),
        migrator.add_column("admin", "session_key", TextField(default="")),
        migrator.add_column("admin", "disabled_at", DateTimeField(null=True)),
        migrator.add_column("admin", "signed_in_at", DateTimeField(null=True)),
    )

    class Admin(Model):
        session_key = TextField()

        class Meta:
            database = db
            table_name = "admin"

    for person in Admin.select():
        Admin.update(session_key=secrets.token_urlsafe(16)).where(Admin.id == person.id).execute()


def down(migrator, db):
    migrator.migrate(
        *(
            migrator.drop_column("admin", name)
            for name in ("role", "session_key", "disabled_at", "signed_in_at")
        )
    )
