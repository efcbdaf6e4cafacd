"""What a person's password must be, and the hashes that are kept of passwords.

A hash takes 32 MiB and a tenth of a second of a processor. A process makes one at a time, and a few
callers wait for it: anybody may try to sign in, and must neither use up the memory nor the threads.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock

from werkzeug.security import check_password_hash, generate_password_hash

MIN_PASSWORD_CHARS = 10
MAX_PASSWORD_CHARS = 200
# A thousand addresses that each try as often as one may need more than ten days for so many.
MIN_GUESSES = 10**7
# Of these alone the guesses are estimated: 200 signs made to take long took 19 s, these 0.7 s.
ESTIMATED_CHARS = 24

# Half the threads of a web process.
MAX_CALLERS = 4

_callers = BoundedSemaphore(MAX_CALLERS)
_one_at_a_time = Lock()


class PasswordsBusy(Exception):
    """Too many callers wait for a password to be looked at. Try again in a moment."""


class WeakPassword(ValueError):
    """The password is too short, too long, the name itself, easily guessed, or the one-time
    password."""


def check_password(username: str, password: str) -> None:
    """Raises `WeakPassword`, with a sentence for the person, and `PasswordsBusy`."""
    if not MIN_PASSWORD_CHARS <= len(password) <= MAX_PASSWORD_CHARS:
        raise WeakPassword(
            f"A password has {MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS} characters."
        )
    if password.casefold() == username.casefold():
        raise WeakPassword("The password must not be the name.")
    if _guesses(username, password[:ESTIMATED_CHARS]) < MIN_GUESSES:
        raise WeakPassword(
            "This password is one of those that are guessed first. Take several words that do not"
            " belong together."
        )


def _guesses(username: str, password: str) -> int:
    """How many passwords a guesser tries before this one: the common ones, words and names come
    first, then what people make of them."""
    # Its lists take 10 MB, which a process needs only when somebody chooses a password.
    from zxcvbn import zxcvbn

    # It keeps the name that it was given in a dictionary of its module.
    with turn():
        return int(zxcvbn(password, [username])["guesses"])


def hash_of(password: str) -> str:
    """Werkzeug's salted scrypt hash. Raises `PasswordsBusy`."""
    with turn():
        return generate_password_hash(password)


def is_password(password_hash: str, password: str) -> bool:
    """Whether the hash is one of this password. Raises `PasswordsBusy`."""
    with turn():
        return check_password_hash(password_hash, password[:MAX_PASSWORD_CHARS])


@contextmanager
def turn() -> Iterator[None]:
    """One caller at a time. Raises `PasswordsBusy` at once when enough wait already."""
    if not _callers.acquire(blocking=False):
        raise PasswordsBusy
    try:
        with _one_at_a_time:
            yield
    finally:
        _callers.release()
