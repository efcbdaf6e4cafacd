"""What a person's password must be: long enough, and none that strangers would try first."""

import threading

MIN_PASSWORD_CHARS = 10
MAX_PASSWORD_CHARS = 200
# A thousand addresses that each try as often as one may need more than ten days for so many.
MIN_GUESSES = 10**7
# Of these alone the guesses are estimated: 200 signs made to take long took 19 s, these 0.7 s.
ESTIMATED_CHARS = 24

# The estimator keeps the name it was given in a dictionary of its module.
_one_estimate = threading.Lock()


class WeakPassword(ValueError):
    """The password is too short, too long, the name itself, easily guessed, or the one-time
    password."""


def check_password(username: str, password: str) -> None:
    """Raises `WeakPassword`, with a sentence for the person."""
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

    with _one_estimate:
        return int(zxcvbn(password, [username])["guesses"])
