"""Empty, migrated databases, one for each measurement."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg

from shared.database.connection import database, open_database
from shared.database.schema import migrate

NewDatabase = Callable[[], AbstractContextManager[str]]


@contextmanager
def sqlite_database(folder: Path) -> Iterator[str]:
    """Create a new SQLite file, yield its URL, and delete it at the end."""
    path = folder / f"{uuid4().hex}.db"
    url = f"sqlite:///{path}"
    _prepare(url)
    yield url
    for file in folder.glob(f"{path.name}*"):
        file.unlink()


@contextmanager
def postgresql_database(server_url: str) -> Iterator[str]:
    """Create a new database on a PostgreSQL server, yield its URL, and drop it at the end."""
    name = f"bench_{uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            url = f"{server_url.rpartition('/')[0]}/{name}"
            _prepare(url)
            yield url
        finally:
            database.close()
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def answers(server_url: str) -> bool:
    """Whether a PostgreSQL server accepts connections at this URL."""
    try:
        psycopg.connect(server_url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def row_versions(url: str) -> str:
    """A digest of the row versions in the roll. Rewriting a row changes it (PostgreSQL only)."""
    with psycopg.connect(url) as connection:
        query = "SELECT md5(string_agg(xmin || ' ' || ctid, ' ' ORDER BY student_id)) FROM voter"
        versions = connection.execute(query).fetchone()
    return str(versions)


def _prepare(url: str) -> None:
    open_database(url)
    migrate()
    database.close()
