"""In production, a start with a well-known login is refused, and the message hides the login."""

import re

import pytest

from config.settings import DEVELOPMENT_SECRET_KEY, PROJECT_ROOT, SettingsError, load_settings

ROOT = PROJECT_ROOT
STRONG_KEY = "Zx9-8fKqLw2_tRv7YpB3nMs5DhJ1cGaE"
NAMES = (
    "DEBUG", "SECRET_KEY", "DATABASE_URL", "BROKER_URL", "CLOUDAMQP_URL", "RABBITMQ_URL",
    "CELERY_BROKER_URL", "EMAIL_HOST", "EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _production(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SECRET_KEY", STRONG_KEY)


def problems() -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(read_dotenv=False)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://postgres:postgres@db.example/voters"),
        ("DATABASE_URL", "postgres://roll:Change-Me-123!@db/voters"),
        ("DATABASE_URL", "postgresql://registrar:registrar@10.0.0.7/roll"),
        ("DATABASE_URL", "postgresql://u:electionroll@db/election_roll"),
        ("DATABASE_URL", "postgresql://u:%70assword@db/voters"),
        ("DATABASE_URL", "postgresql://u:hJ7_x2q@db/voters"),
        ("DATABASE_URL", "postgresql:///voters?host=db.example&user=u&password=password"),
        ("DATABASE_URL", "postgresql://u:password@localhost,db.example/voters"),
        ("DATABASE_URL", "postgresql://u:password@localhost/voters?hostaddr=10.0.0.7"),
        ("DATABASE_URL", "postgresql://u:hJ7_x2qLm9@db/voters?no_such_option=1"),
        ("BROKER_URL", "amqp://guest:guest@mq.example/"),
        ("BROKER_URL", "amqps://guest:Rk3_vT8wQz@mq.example/"),
        ("BROKER_URL", "amqp://roll:guest@mq.example/"),
        ("BROKER_URL", "amqp://mq.example/"),
        ("BROKER_URL", "amqp://localhost/;amqp://guest:guest@mq.example/"),
        ("CLOUDAMQP_URL", "amqp://rabbitmq:rabbitmq@mq.example/"),
        ("EMAIL_HOST_PASSWORD", "changeme"),
        ("EMAIL_HOST_PASSWORD", "mailer2027"),
    ],
)
def test_a_well_known_login_stops_the_start_and_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("EMAIL_HOST", "mail.example")
    monkeypatch.setenv("EMAIL_HOST_USER", "mailer@example.edu")
    monkeypatch.setenv(name, value)
    text = problems()
    [told] = [line for line in text.splitlines() if line.startswith("- ")]
    assert told.startswith(f"- {name}: ")
    # These two are also words of the message itself.
    secrets = {value, *re.findall(r":([^/:@]+)@", value)} - {"guest", "password"}
    assert [secret for secret in secrets if secret in text] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://postgres:postgres@localhost/voters"),
        ("DATABASE_URL", "postgresql://postgres:postgres@[::1]:5433/voters"),
        ("DATABASE_URL", "postgresql://postgres:postgres@%2Frun%2Fpostgresql/voters"),
        ("DATABASE_URL", "postgresql://u@db.example/voters?sslcert=client.crt"),
        ("DATABASE_URL", "postgresql://u:hJ7_x2qLm9@db.example/voters"),
        ("BROKER_URL", "amqp://guest:guest@127.0.0.1:5672//"),
        ("BROKER_URL", "amqp://localhost/"),
        ("BROKER_URL", "amqps://tenant:hJ7_x2qLm9@mq.example/tenant"),
        ("EMAIL_HOST_PASSWORD", "hJ7_x2qLm9"),
    ],
)
def test_a_unique_or_local_login_lets_the_service_start(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("EMAIL_HOST", "mail.example")
    monkeypatch.setenv(name, value)
    load_settings(read_dotenv=False)


def test_production_lists_all_weak_secrets_and_a_laptop_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    careless = {
        "SECRET_KEY": DEVELOPMENT_SECRET_KEY,
        "DATABASE_URL": "postgresql://postgres:postgres@db/voters",
        "BROKER_URL": "amqp://guest:guest@mq/",
        "EMAIL_HOST": "mail",
        "EMAIL_HOST_PASSWORD": "password",
    }
    for name, value in careless.items():
        monkeypatch.setenv(name, value)
    text = problems()
    assert [name for name in careless if f"- {name}: " not in text] == ["EMAIL_HOST"]
    assert DEVELOPMENT_SECRET_KEY not in text
    monkeypatch.setenv("DEBUG", "1")
    load_settings(read_dotenv=False)


@pytest.mark.parametrize("file", [".env.example", "docs/reference/settings.md"])
def test_no_url_that_a_document_shows_can_be_left_as_it_is(
    monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    shown = re.findall(r"(?:postgresql|amqp)://[\w]+:[\w]+@[\w./?=]+", text)
    assert shown
    for url in shown:
        name = "BROKER_URL" if url.startswith("amqp") else "DATABASE_URL"
        monkeypatch.setenv(name, url)
        assert f"- {name}: " in problems()
