"""Fixtures for all tests: databases, brokers, buckets, a browser, LibreOffice.

If a server is missing, the tests that need it are skipped. With `REQUIRE_SERVICES=1` they fail. In
both cases the closing summary names the server.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import settings
from peewee import Database
from playhouse.pool import PooledDatabase
from playwright.sync_api import Browser

from shared.access.models import ApiToken, User
from shared.access.names import TakenName
from shared.access.rate_limits import RateCount
from shared.audit import AuditEntry
from shared.database.connection import database, open_database
from shared.database.schema import migrate
from shared.jobs.models import Job, JobFault, OutboxEntry
from shared.storage.database_store import StoredChunk
from shared.voters.models import Roll, RollGroup, Voter, VoterHistory
from shared.workers import Worker
from tests.support.chromium import launched
from tests.support.object_server import ObjectServer, object_server
from tests.support.services import (
    LIBREOFFICE,
    Missing,
    emptied_broker,
    postgresql_database,
    probe_chromium,
    probe_libreoffice,
    probe_pgbouncer,
    probe_postgresql,
    probe_rabbitmq,
    rabbitmq_vhost,
)

pytest_plugins = ["tests.support.application", "tests.support.browsing"]

# A busy machine must not fail a test, so there is no deadline. The rest is Hypothesis' own profile,
# which differs in CI.
settings.register_profile("unhurried", settings(), deadline=None)
settings.load_profile("unhurried")

LONGEST_FIRST = ("end_to_end", "browser", "jobs", "server", "importing", "workbooks")
MISSING = pytest.StashKey[dict[str, int]]()
TABLES = (
    Voter,
    VoterHistory,
    Roll,
    RollGroup,
    OutboxEntry,
    Job,
    JobFault,
    ApiToken,
    User,
    TakenName,
    RateCount,
    StoredChunk,
    AuditEntry,
    Worker,
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the slowest modules first, so all test processes end at about the same time."""
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    folder = item.path.parent.name
    return LONGEST_FIRST.index(folder) if folder in LONGEST_FIRST else len(LONGEST_FIRST)


def pytest_configure(config: pytest.Config) -> None:
    config.stash[MISSING] = {}


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    missing = config.stash[MISSING]
    if missing:
        terminalreporter.section("missing services")
        for reason, count in missing.items():
            terminalreporter.line(f"{reason} ({count} tests could not run)")
        terminalreporter.line("REQUIRE_SERVICES=1 makes these tests fail instead of being skipped.")


@pytest.fixture(scope="session")
def _postgresql_problem() -> str | None:
    return _problem(probe_postgresql)


@pytest.fixture(scope="session")
def _rabbitmq_problem() -> str | None:
    return _problem(probe_rabbitmq)


@pytest.fixture(scope="session")
def buckets() -> Iterator[ObjectServer]:
    """A server of buckets for all tests. Each test makes its own bucket."""
    with object_server() as server:
        yield server


@pytest.fixture(scope="module")
def chromium(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """A browser for the tests of one module. An event loop runs while it is open."""
    _require(request, _problem(probe_chromium))
    with launched() as browser:
        yield browser


@pytest.fixture
def pgbouncer(request: pytest.FixtureRequest) -> str:
    """The path of PgBouncer, a connection pooler for PostgreSQL."""
    _require(request, _problem(probe_pgbouncer))
    return probe_pgbouncer()


@pytest.fixture(scope="session")
def _libreoffice_problem() -> str | None:
    return _problem(probe_libreoffice)


@pytest.fixture
def libreoffice(request: pytest.FixtureRequest, _libreoffice_problem: str | None) -> str:
    """The command of LibreOffice."""
    _require(request, _libreoffice_problem)
    return LIBREOFFICE


def _problem(probe: Callable[[], object]) -> str | None:
    try:
        probe()
    except Missing as missing:
        return str(missing)
    return None


def _require(request: pytest.FixtureRequest, problem: str | None) -> None:
    if problem is None:
        return
    counts = request.config.stash[MISSING]
    counts[problem] = counts.get(problem, 0) + 1
    if os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail(problem, pytrace=False)
    pytest.skip(problem)


@pytest.fixture(scope="module")
def postgresql_url(
    request: pytest.FixtureRequest, _postgresql_problem: str | None
) -> Iterator[str]:
    """A new, empty database for the tests of one module."""
    _require(request, _postgresql_problem)
    with postgresql_database() as url:
        yield url


@pytest.fixture
def fresh_postgresql_url(
    request: pytest.FixtureRequest, _postgresql_problem: str | None
) -> Iterator[str]:
    """A new, empty database for one test."""
    _require(request, _postgresql_problem)
    with postgresql_database() as url:
        yield url


@pytest.fixture(scope="session")
def _rabbitmq(_rabbitmq_problem: str | None) -> Iterator[str]:
    if _rabbitmq_problem:
        yield ""
        return
    with rabbitmq_vhost() as url:
        yield url


@pytest.fixture(scope="module")
def rabbitmq_url(
    request: pytest.FixtureRequest, _rabbitmq_problem: str | None, _rabbitmq: str
) -> Iterator[str]:
    """A broker without queues for the tests of one module."""
    _require(request, _rabbitmq_problem)
    with emptied_broker(_rabbitmq) as url:
        yield url


@pytest.fixture
def fresh_rabbitmq_url(
    request: pytest.FixtureRequest, _rabbitmq_problem: str | None, _rabbitmq: str
) -> Iterator[str]:
    """A broker without queues for one test."""
    _require(request, _rabbitmq_problem)
    with emptied_broker(_rabbitmq) as url:
        yield url


@pytest.fixture(scope="session")
def _migrated_postgresql(_postgresql_problem: str | None) -> Iterator[str]:
    if _postgresql_problem:
        yield ""
        return
    with postgresql_database() as url:
        with opened(url):
            migrate()
        yield url


@pytest.fixture(scope="session")
def _migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "voters.db"
    with opened(f"sqlite:///{path}"):
        migrate()
    return path


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of the test's own SQLite database, which does not exist yet."""
    return f"sqlite:///{tmp_path / 'voters.db'}"


@pytest.fixture
def migrated_sqlite_url(sqlite_url: str, _migrated_sqlite: Path) -> str:
    """The URL of the test's own SQLite database, migrated and without rows."""
    shutil.copyfile(_migrated_sqlite, sqlite_url.removeprefix("sqlite:///"))
    return sqlite_url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.service)])
def any_database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a migrated database without rows, once for each supported kind."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("migrated_sqlite_url"))
    _require(request, request.getfixturevalue("_postgresql_problem"))
    url = str(request.getfixturevalue("_migrated_postgresql"))
    with opened(url), database.atomic():
        # The trigger forbids deleting audit entries. The owner of the table may disable it.
        database.execute_sql("ALTER TABLE audit_entry DISABLE TRIGGER USER")
        # TRUNCATE would be slower: it makes a new file for each table and each index.
        for model in TABLES:
            model.delete().execute()
        database.execute_sql("ALTER TABLE audit_entry ENABLE TRIGGER USER")
    return url


@pytest.fixture
def any_database(any_database_url: str) -> Iterator[Database]:
    """A migrated database without rows, opened for the models, once for each supported kind."""
    with opened(any_database_url) as database_of_test:
        yield database_of_test


@pytest.fixture(
    params=["sqlite_url", pytest.param("fresh_postgresql_url", marks=[pytest.mark.service])]
)
def new_database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """An empty database without a schema, once for each supported kind."""
    with opened(str(request.getfixturevalue(request.param))) as database_of_test:
        yield database_of_test


@contextmanager
def opened(url: str) -> Iterator[Database]:
    """Open the database of a URL for the models, and close all its connections at the end."""
    database_of_test = open_database(url)
    try:
        yield database_of_test
    finally:
        close(database_of_test)


def close(used: Database) -> None:
    """Close this thread's connection and those in the pool."""
    if not used.is_closed():
        used.close()
    if isinstance(used, PooledDatabase):
        used.close_all()  # type: ignore[no-untyped-call]
