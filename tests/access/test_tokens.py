"""Tokens from creation to revocation, on both databases."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from peewee import Database, IntegrityError

from shared.access.errors import UnusableName
from shared.access.models import ApiToken, TokenState, User
from shared.access.scopes import Scope
from shared.access.tokens import (
    all_tokens,
    create_token,
    find_token,
    look_up,
    note_use,
    revoke_token,
)
from shared.access.users import Role, create_user
from shared.database.sql import clock


def state_of(token: str) -> TokenState:
    found = look_up(token)
    assert found is not None
    return found.state


def now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def test_a_token_without_an_end_is_valid_until_it_is_revoked(any_database: Database) -> None:
    token = create_token("ann", [Scope.READ])
    assert state_of(token) is TokenState.VALID
    assert revoke_token("ann")
    assert state_of(token) is TokenState.REVOKED
    assert find_token(token) is None
    assert not revoke_token("ann")


@pytest.mark.parametrize(("minutes", "state"), [(-1, TokenState.EXPIRED), (1, TokenState.VALID)])
def test_a_token_ends_by_the_clock_of_the_database(
    any_database: Database, minutes: int, state: TokenState
) -> None:
    by_clock = create_token("clock", [Scope.READ], expires_at=clock(60.0 * minutes))
    by_time = create_token("time", [Scope.READ], expires_at=now() + timedelta(minutes=minutes))
    assert {state_of(by_clock), state_of(by_time)} == {state}
    assert (find_token(by_clock) is None) == (state is TokenState.EXPIRED)


def test_an_unknown_token_is_not_found_nor_is_a_digest(any_database: Database) -> None:
    create_token("ann", [Scope.READ])
    assert look_up("svs_unknown") is None
    assert look_up(ApiToken.get().digest) is None


def test_a_use_is_noted_about_once_a_minute(any_database: Database) -> None:
    token = create_token("ann", [Scope.READ])
    use(token)
    first = last_use()
    assert first is not None
    assert abs(now() - first) < timedelta(minutes=1)
    use(token)
    assert last_use() == first
    ApiToken.update(last_used_at=clock(-61)).execute()
    use(token)
    assert (last_use() or first) >= first


def use(token: str) -> None:
    found = find_token(token)
    assert found is not None
    note_use(found)


def last_use() -> datetime | None:
    time: datetime | None = ApiToken.get().last_used_at
    return time


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\0", "x" * 101])
def test_a_name_that_no_list_could_show_is_refused(any_database: Database, name: str) -> None:
    with pytest.raises(UnusableName, match="printable"):
        create_token(name, [Scope.READ])


@pytest.mark.parametrize("name", [" ann", "ann ", "ann  lee", "e\u0301ric"])
def test_a_name_that_reads_like_another_is_refused(any_database: Database, name: str) -> None:
    with pytest.raises(UnusableName):
        create_token(name, [Scope.READ])
    create_token("\u00e9ric lee", [Scope.READ])


def test_all_tokens_are_listed_with_their_states(any_database: Database) -> None:
    create_token("b", [Scope.READ], expires_at=clock(-1))
    create_token("a", [])
    create_token("c", [Scope.READ])
    revoke_token("c")
    assert [(token.name, str(token.state)) for token in all_tokens()] == [
        ("a", "valid"), ("b", "expired"), ("c", "revoked"),
    ]  # fmt: skip


def test_a_name_wanted_by_tokens_and_users_at_once_goes_to_one(any_database: Database) -> None:
    wishes: list[Callable[[], object]] = [
        lambda: create_token("ann", [Scope.READ]),
        lambda: create_user("ann", "long enough for anybody", Role.VIEWER),
    ] * 2
    ready, outcomes = threading.Barrier(len(wishes)), []

    def want(wish: Callable[[], object]) -> None:
        with any_database.connection_context():
            ready.wait()
            try:
                wish()
            except IntegrityError:
                outcomes.append("taken")
            else:
                outcomes.append("got it")

    threads = [threading.Thread(target=want, args=(wish,)) for wish in wishes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["got it", "taken", "taken", "taken"]
    assert ApiToken.select().count() + User.select().count() == 1
