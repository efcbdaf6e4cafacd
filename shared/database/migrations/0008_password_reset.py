"""One-time passwords, and names that no token shares with a person any more.

Where a token and a person have one name already, both keep it.
"""

from peewee import DateTimeField, Model, TextField


def up(migrator, db):
    class TakenName(Model):
        name = TextField(primary_key=True)

        class Meta:
            database = db
            table_name = "taken_name"

    migrator.migrate(migrator.add_column("admin", "one_time_until", DateTimeField(null=True)))
    db.create_tables([TakenName])
    db.execute_sql(
        "INSERT INTO taken_name (name) SELECT name FROM api_token UNION SELECT username FROM admin"
    )


def down(migrator, db):
    migrator.migrate(
        migrator.drop_table("taken_name"),
        migrator.drop_column("admin", "one_time_until"),
    )
