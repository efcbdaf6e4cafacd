"""The figures of the roll, counted when it changes and not when somebody looks."""

from peewee import (
    BigIntegerField,
    IntegerField,
    Model,
    PostgresqlDatabase,
    SmallIntegerField,
    TextField,
)


def up(migrator, db):
    bytewise = '"C"' if isinstance(db, PostgresqlDatabase) else "BINARY"

    class RollGroup(Model):
        department = TextField(collation=bytewise)
        year = SmallIntegerField(null=True)
        voters = IntegerField()
        eligible = IntegerField()

        class Meta:
            database = db
            table_name = "roll_group"
            primary_key = False

    db.create_tables([RollGroup])
    migrator.migrate(migrator.add_column("roll", "counted_version", BigIntegerField(null=True)))
    db.execute_sql(
        "INSERT INTO roll_group (department, year, voters, eligible) SELECT department, year,"
        " COUNT(*), SUM(CASE WHEN is_eligible THEN 1 ELSE 0 END) FROM voter"
        " GROUP BY department, year"
    )
    db.execute_sql("UPDATE roll SET counted_version = version")


def down(migrator, db):
    migrator.migrate(
        migrator.drop_column("roll", "counted_version"),
        migrator.drop_table("roll_group"),
    )
