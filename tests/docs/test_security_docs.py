"""docs/security.md says what the code does, docs/security-evidence.md names tests that exist."""

import re
from dataclasses import fields

import pytest
from flask import Flask

from api.access.auth import PUBLIC_ENDPOINTS
from api.access.long_answers import MAX_LONG_ANSWERS
from api.middleware.forms import FIELD_BYTES, HEAD_BYTES, MAX_PARTS
from api.middleware.paced_socket import AUTHENTICATED
from api.middleware.security_headers import HEADERS
from api.rest.header_limits import MAX_CHARS, MAX_LIST_CHARS
from api.server.small_bodies import BODY_BYTES
from api.server.small_bodies import HEAD_BYTES as WHOLE_HEAD_BYTES
from api.server.worker import (
    BODY_SECONDS,
    HEAD_SECONDS,
    LINGER_SECONDS,
    LINGER_STALL_SECONDS,
    UNREAD_SECONDS,
)
from config import gunicorn
from config.settings import PROJECT_ROOT, LimitSettings, load_settings
from shared.access.addresses import IPV6_PREFIX
from shared.access.passwords import MAX_CALLERS
from shared.access.scopes import Scope
from shared.access.users import Role, create_user
from shared.audit import Action
from shared.importing.submission import MAX_NAME_CHARS

ROOT = PROJECT_ROOT
TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
PLAIN = " ".join(TEXT.split())
EVIDENCE = (ROOT / "docs" / "security-evidence.md").read_text(encoding="utf-8")
# It shows how to create and revoke a token.
API = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^flask (.+)$", TEXT + API, re.MULTILINE)


def rows(head: str, text: str = TEXT) -> list[list[str]]:
    """The cells of the table whose first heading is `head`, row by row."""
    _, _, rest = text.partition(f"\n| {head} |")
    lines = rest.partition("\n\n")[0].splitlines()[2:]
    assert lines, head
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_the_table_of_public_addresses_is_the_code_s(app: Flask) -> None:
    rules = {rule.rule for rule in app.url_map.iter_rules() if rule.endpoint in PUBLIC_ENDPOINTS}
    assert {row[0].strip("` ") for row in rows("public URL")} == rules
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert endpoints >= PUBLIC_ENDPOINTS


def test_the_table_of_scopes_is_the_code_s() -> None:
    assert {row[0].strip("` ") for row in rows("scope")} == set(Scope)


def test_the_table_of_audited_actions_is_the_code_s() -> None:
    named = [name.strip("` ") for row in rows("action") for name in row[0].split(",")]
    assert sorted(named) == sorted(Action)


def test_the_table_of_limits_shows_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBUG", "1")
    shown = [int(row[1].split()[0]) for row in rows("setting")]
    for row in rows("setting"):
        monkeypatch.delenv(row[0].strip("` "), raising=False)
    limits = load_settings(read_dotenv=False).limits
    assert shown == [getattr(limits, field.name) for field in fields(LimitSettings)]


@pytest.mark.parametrize(
    "said",
    [
        f"| {gunicorn.limit_request_line:,} bytes | 414 |",
        f"{gunicorn.limit_request_field_size:,} bytes, {gunicorn.limit_request_fields}, ",
        f", {WHOLE_HEAD_BYTES // 1024} KiB | 431 |",
        f"| {MAX_CHARS:,} characters, and {max(MAX_LIST_CHARS.values()):,} for `Accept` and ",
        f"not complete | {HEAD_SECONDS:.0f} seconds |",
        f"| {MAX_PARTS}, {HEAD_BYTES // 1024} KiB, {FIELD_BYTES // 1024} KiB | 413 |",
        f"| {MAX_NAME_CHARS} characters are kept",
        f"| {BODY_SECONDS:.0f} seconds | 408 |",
        f"| {BODY_BYTES // 1024} KiB, with a `Content-Length` | 413, 411 |",
        f"| {UNREAD_SECONDS:.0f} seconds | the connection is closed |",
        f"| {AUTHENTICATED.seconds:.0f} seconds, and one more for each ",
        f" seconds, and one more for each {AUTHENTICATED.bytes_per_second // 1024} KiB, never",
        f"| one at a time, for at most {MAX_CALLERS} callers | 503 ",
        f"| {MAX_LONG_ANSWERS} of its {gunicorn.threads} threads | 503 ",
        f"| connections of a process | {gunicorn.worker_connections} |",
        f"for up to {LINGER_SECONDS:.0f} seconds, or {LINGER_STALL_SECONDS:.0f} seconds of",
        f"(of one /{IPV6_PREFIX} network with IPv6)",
    ],
)
def test_every_bound_that_is_named_is_the_code_s(said: str) -> None:
    assert said in PLAIN


def test_every_header_is_in_its_table() -> None:
    named = {row[0].strip("` "): row[1] for row in rows("header")}
    assert {name: f"`{value}`" for name, value in HEADERS.items()}.items() <= named.items()
    assert set(named) - set(HEADERS) == {
        "Content-Security-Policy", "Cache-Control", "Strict-Transport-Security",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "name"), sorted(set(re.findall(r"`(tests/[a-z_0-9/]+\.py)::(\w+)`", EVIDENCE)))
)
def test_every_test_that_is_named_exists(path: str, name: str) -> None:
    assert f"\ndef {name}(" in (ROOT / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("head", ["ASVS", "File Upload Cheat Sheet"])
def test_every_item_names_its_evidence_or_says_it_is_not_met(head: str) -> None:
    for item, how, shown in rows(head, EVIDENCE):
        is_shown = re.search(r"`(tests/[^`]+|make \w+)`", shown)
        assert is_shown or (shown == "none" and "not met" in how), item


def test_every_section_names_what_shows_it() -> None:
    heads = re.findall(r"^## (.+)$", TEXT, re.MULTILINE)
    shown = {re.sub(r"\[(.+)\].*", r"\1", row[0]): row[1] for row in rows("section", EVIDENCE)}
    assert [head for head in heads if "`" not in shown[head]] == []


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_that_is_shown_works(app: Flask, words: str) -> None:
    runner = app.test_cli_runner()
    if words.startswith("revoke-token"):
        runner.invoke(args=["create-token", words.split()[1]])
    if words.startswith(("reset-password", "let-in")):
        create_user(words.split()[1], "long enough", Role.VIEWER)
    result = runner.invoke(args=words.split())
    assert result.exit_code == 0, result.output
