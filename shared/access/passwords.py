"""Check a user's new password, and make and check the stored hashes of passwords.

A hash takes 32 MiB and a tenth of a second of a processor. A process makes one at a time, and a few
callers wait for it. Anyone may try to sign in, and must not use up the memory or the threads.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock

from werkzeug.security import check_password_hash, generate_password_hash

from shared.access.errors import PasswordsBusy, WeakPassword

MIN_PASSWORD_CHARS = 10
MAX_PASSWORD_CHARS = 200
# A thousand IP addresses that each try as often as one may need more than ten days for this many.
MIN_GUESSES = 10**7
# Only this many characters are estimated. 200 hostile characters took 19 s, these take 0.7 s.
ESTIMATED_CHARS = 24

# Werkzeug's default: N = 2^15, r = 8, p = 1 (RFC 7914).
METHOD = "scrypt:32768:8:1"

# Half the threads of a web process.
MAX_CALLERS = 4

_callers = BoundedSemaphore(MAX_CALLERS)
_one_at_a_time = Lock()


def check_password(username: str, password: str) -> None:
    """Check a new password.

    Raises `WeakPassword`, with a sentence for the user, and `PasswordsBusy`.
    """
    if not MIN_PASSWORD_CHARS <= len(password) <= MAX_PASSWORD_CHARS:
        raise WeakPassword(
            f"A password has {MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS} characters."
        )
    if password.casefold() == username.casefold():
        raise WeakPassword("The password must not be the name.")
    if _guesses(username, password[:ESTIMATED_CHARS]) < MIN_GUESSES:
        raise WeakPassword(
            "This password is easy to guess. Use several words that do not belong together."
        )


def _guesses(username: str, password: str) -> int:
    """Estimate how many passwords a guesser tries before this one.

    A guesser tries common passwords, words and names first, then variants of them.
    """
    # Its lists take 10 MB, which a process needs only when a user chooses a password.
    from zxcvbn import zxcvbn

    # It stores the name in a dictionary of its module, so only one thread may call it.
    with turn():
        return int(zxcvbn(password, [username])["guesses"])


def hash_of(password: str) -> str:
    """Return Werkzeug's salted scrypt hash. Raises `PasswordsBusy`."""
    with turn():
        return generate_password_hash(password, METHOD)


def is_password(password_hash: str, password: str) -> bool:
    """Whether the hash is of this password. Raises `PasswordsBusy`."""
    with turn():
        return check_password_hash(password_hash, password[:MAX_PASSWORD_CHARS])


@contextmanager
def turn() -> Iterator[None]:
    """Run the block for one caller at a time.

    Raises `PasswordsBusy` immediately if enough callers wait already.
    """
    if not _callers.acquire(blocking=False):
        raise PasswordsBusy
    try:
        with _one_at_a_time:
            yield
    finally:
        _callers.release()
