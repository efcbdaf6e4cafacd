"""The limits on bad tokens, wrong passwords, uploads and waiting jobs."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

import pytest
from flask import Flask
from peewee import Database
from werkzeug.test import TestResponse, create_environ, run_wsgi_app

from api.access import rate_limits as quotas
from api.app import create_app
from config.settings import Settings
from shared.access import rate_limits
from shared.access.addresses import client_address, network_of
from shared.access.rate_limits import Limit, RateCount
from shared.access.refused_tokens import MAX_ADDRESSES, Failures
from shared.access.scopes import Scope
from shared.access.tokens import revoke_token
from shared.database.connection import database
from shared.jobs.models import Job
from tests.support.api_client import ROLL, ApiClient
from tests.support.application import client_of

LIMIT = Limit("token", 5, 60.0)
HERE = "198.51.100.7"


class Clock:
    """A monotonic clock that moves only when the test moves it."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def few(settings: Settings, **most: int) -> Flask:
    """The application of another web process, with other limits."""
    return create_app(replace(settings, limits=replace(settings.limits, **most)))


def check_is_429(answer: TestResponse) -> None:
    body = answer.get_json()
    assert answer.status_code == body["code"] == 429
    assert body["message"].endswith(".")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60


def test_an_address_with_too_many_bad_tokens_must_wait(app: Flask, settings: Settings) -> None:
    guarded = few(settings, auth_failures_per_minute=3)
    thief = ApiClient(guarded, "svs_guess")
    assert [thief.get("/api/voters/").status_code for _ in range(3)] == [401] * 3
    check_is_429(thief.get("/api/voters/"))
    check_is_429(thief.get("/nothing"))
    elsewhere = thief.get("/api/voters/", environ_overrides={"REMOTE_ADDR": HERE})
    assert elsewhere.status_code == 401
    assert thief.get("/health/live").status_code == 200
    # A request without a token is not a guess, so it does not count.
    assert ApiClient(guarded, "").get("/api/voters/").status_code == 401


def test_bad_tokens_of_an_ip_address_do_not_block_a_known_one(
    app: Flask, settings: Settings
) -> None:
    guarded = few(settings, auth_failures_per_minute=3)
    client = client_of(guarded, Scope.READ)
    assert client.get("/api/voters/").status_code == 200
    thief = ApiClient(guarded, "svs_guess")
    for _ in range(5):
        thief.get("/api/voters/")
    check_is_429(thief.get("/api/voters/"))
    assert client.get("/api/voters/").status_code == 200
    revoke_token("test read")
    database.close()
    assert client.get("/api/voters/").status_code == 401


@pytest.fixture
def two_counters(any_database: Database) -> tuple[Failures, Failures, Clock]:
    """The counts of two processes on one database, and their clock."""
    now = Clock()
    return Failures(LIMIT, now=now), Failures(LIMIT, now=now), now


def test_failures_are_counted_across_processes(
    two_counters: tuple[Failures, Failures, Clock],
) -> None:
    here, there, now = two_counters
    for _ in range(3):
        now.seconds += 2
        here.note(HERE)
        there.note(HERE)
    assert there.seconds_to_wait(HERE, "x") > 0
    # The other process learns of the sixth failure at its own next one, and then refuses.
    now.seconds += 2
    here.note(HERE)
    assert 50 < here.seconds_to_wait(HERE, "x") <= 60
    now.seconds += 61
    assert here.seconds_to_wait(HERE, "x") == 0
    assert there.seconds_to_wait(HERE, "x") == 0


def test_a_flood_is_one_write_a_second(two_counters: tuple[Failures, Failures, Clock]) -> None:
    here, _, now = two_counters
    here.note("192.0.2.0")
    for number in range(3000):
        here.note(f"192.0.{number // 250}.{number % 250}")
    assert RateCount.select().count() == 1
    now.seconds += 1.1
    here.note(HERE)
    assert RateCount.select().count() == 1 + 500


def test_a_process_refuses_at_the_limit_and_informs_the_others(
    two_counters: tuple[Failures, Failures, Clock],
) -> None:
    here, there, _ = two_counters
    for _ in range(4):
        here.note(HERE)
    assert here.seconds_to_wait(HERE, "x") == 0
    here.note(HERE)
    assert here.seconds_to_wait(HERE, "x") > 0
    # It shares this with the others. Each of them finds out at its next failure.
    there.note(HERE)
    assert there.seconds_to_wait(HERE, "x") > 0


def test_memory_is_bounded_however_many_addresses_there_are(any_database: Database) -> None:
    here = Failures(LIMIT, now=Clock())
    for number in range(MAX_ADDRESSES + 500):
        here.note(f"2001:db8:{number:x}::1")
    assert len(here._tallies) == MAX_ADDRESSES
    for number in range(2000):
        here.note_good(f"svs_{number}")
    assert len(here._good) == 1000


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("198.51.100.7", HERE),
        ("198.51.100.7:50001", HERE),
        ('"198.51.100.7:50002"', HERE),
        (" 198.51.100.7 ", HERE),
        ("::ffff:198.51.100.7", HERE),
        ("[::ffff:198.51.100.7]:443", HERE),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]:50001", "2001:db8:1:2::/64"),
        ('"[2001:DB8:1:2::9]:50002"', "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("[fe80::1%25eth0]:1", "fe80::/64"),
        ("unix:", "unknown"),
        ("_hidden", "unknown"),
        ("198.51.100.7:1:2", "unknown"),
        ("198.51.100.007", "unknown"),
        ("[", "unknown"),
        ('"', "unknown"),
        ("%", "unknown"),
        ("\u0661.2.3.4", "unknown"),
        (None, "unknown"),
        ("", "unknown"),
        ("x" * 8000, "unknown"),
    ],
)
def test_a_client_is_its_address_or_its_network(address: str | None, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("198.51.100.7:50001", HERE),
        ("[2001:db8::9]:50001", "2001:db8::9"),
        ("::ffff:198.51.100.7", HERE),
        ("fe80::1%eth0", "fe80::1"),
        ("_hidden", ""),
    ],
)
def test_the_address_of_a_client_is_bare(forwarded: str, address: str) -> None:
    assert client_address(forwarded) == address


@pytest.mark.parametrize(
    "written",
    ["198.51.100.7:{}", '"198.51.100.7:{}"', "[2001:db8::{}]:{}", "2001:db8::{}", "client-{}"],
)
def test_no_form_of_an_address_escapes_the_limit(
    app: Flask, settings: Settings, written: str
) -> None:
    guarded = few(replace(settings, trusted_proxies=1), auth_failures_per_minute=3)
    thief = ApiClient(guarded, "svs_guess")
    answers = [
        thief.get("/api/voters/", headers={"X-Forwarded-For": written.format(port, port)})
        for port in range(50_001, 50_005)
    ]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]


@contextmanager
def sqlite_locked(settings: Settings) -> Iterator[None]:
    """Hold SQLite's write lock, as an import does while it applies."""
    path = settings.database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def test_no_request_waits_for_sqlite_s_lock_to_count(app: Flask, settings: Settings) -> None:
    guarded = few(settings, auth_failures_per_minute=3)
    client = client_of(guarded, Scope.READ)
    thief = ApiClient(guarded, "svs_guess")
    with sqlite_locked(settings):
        started = time.monotonic()
        assert client.get("/api/voters/").status_code == 200
        assert [thief.get("/api/voters/").status_code for _ in range(3)] == [401] * 3
        check_is_429(thief.get("/api/voters/"))
        assert time.monotonic() - started < 2


def test_uploads_are_counted_across_processes(app: Flask, settings: Settings) -> None:
    first = few(settings, uploads_per_minute=3)
    client = client_of(first, Scope.IMPORT)
    second = ApiClient(few(settings, uploads_per_minute=3), "")
    second.headers = client.headers
    assert [client.upload(ROLL).status_code, second.upload(ROLL).status_code] == [202] * 2
    assert client.upload(b"").status_code == 422
    check_is_429(second.upload(ROLL))
    check_is_429(client.upload(ROLL))
    assert Job.select().count() == 2
    RateCount.delete().execute()
    database.close()
    assert client.upload(ROLL).status_code == 202


def test_waiting_jobs_of_a_caller_are_bounded(app: Flask, settings: Settings) -> None:
    guarded = few(settings, pending_jobs=2)
    client, other = client_of(guarded, Scope.IMPORT), client_of(guarded, Scope.ADMIN)
    assert [client.upload(ROLL).status_code for _ in range(2)] == [202] * 2
    check_is_429(client.upload(ROLL))
    assert other.upload(ROLL).status_code == 202
    Job.update(
        state="STARTED", started_at=Job.created_at, lease_expires_at=Job.created_at
    ).execute()
    database.close()
    assert client.upload(ROLL).status_code == 202


def test_a_job_that_follows_from_another_is_counted_as_well(app: Flask, settings: Settings) -> None:
    client = client_of(few(settings, pending_jobs=1), Scope.IMPORT)
    failed = f"/api/jobs/{client.upload(ROLL).get_json()['task_id']}"
    assert client.send("POST", f"{failed}/cancel/").status_code == 200
    assert client.send("POST", f"{failed}/retry/").status_code == 202
    check_is_429(client.send("POST", f"{failed}/retry/"))


class Unreadable:
    """A body that must not be read."""

    def read(self, size: int = -1) -> bytes:
        raise AssertionError("the body was read")


@pytest.mark.parametrize(
    ("scope", "status"), [(None, "401"), (Scope.READ, "403"), (Scope.IMPORT, "429")]
)
def test_a_refusal_comes_before_the_body_is_read(
    app: Flask, settings: Settings, scope: Scope | None, status: str
) -> None:
    guarded = few(settings, uploads_per_minute=1)
    client = client_of(guarded, scope) if scope else ApiClient(guarded, "")
    client.upload(ROLL)
    environ = create_environ(
        "/api/upload/",
        method="POST",
        headers=client.headers,
        content_type="multipart/form-data; boundary=x",
    )
    environ.update({"wsgi.input": Unreadable(), "CONTENT_LENGTH": "1000"})
    _, answered, _ = run_wsgi_app(guarded, environ)
    assert answered.startswith(status)


def test_sign_ins_are_counted_for_account_and_address(app: Flask, settings: Settings) -> None:
    def wait(account: str, address: str = HERE, *, fail: int = 0) -> float:
        with guarded.test_request_context(environ_overrides={"REMOTE_ADDR": address}):
            for _ in range(fail):
                quotas.note_failed_sign_in(account)
            return quotas.seconds_before_sign_in(account)

    guarded = few(settings, sign_in_failures=3, auth_failures_per_minute=8)
    assert wait("ada", fail=2) == 0
    assert 800 < wait("ada", fail=1) <= 900
    assert wait("eve") == 0
    assert wait("ada", "192.0.2.1") == 0
    with guarded.test_request_context(environ_overrides={"REMOTE_ADDR": HERE}):
        quotas.forget_failed_sign_ins("ada")
    assert wait("ada") == 0
    # Trying many accounts from one IP address is guessing, too.
    for account in "abcde":
        wait(account, fail=1)
    assert 0 < wait("f") <= 60
    assert rate_limits.count_of(Limit("sign-in", 3, 900.0), f"{HERE} ada").count == 0


def test_refused_tokens_keep_no_one_from_signing_in(app: Flask, settings: Settings) -> None:
    guarded = few(settings, auth_failures_per_minute=3)
    thief = ApiClient(guarded, "svs_guess")
    assert [thief.get("/api/voters/").status_code for _ in range(4)] == [401, 401, 401, 429]
    with guarded.test_request_context(environ_overrides={"REMOTE_ADDR": "127.0.0.1"}):
        assert quotas.seconds_before_sign_in("ada") == 0


def test_refused_passwords_keep_no_token_out(app: Flask, settings: Settings) -> None:
    guarded = few(settings, auth_failures_per_minute=3)
    with guarded.test_request_context(environ_overrides={"REMOTE_ADDR": "127.0.0.1"}):
        for account in "abc":
            quotas.note_failed_sign_in(account)
        assert quotas.seconds_before_sign_in("d") > 0
    assert client_of(guarded, Scope.READ).get("/api/voters/").status_code == 200
