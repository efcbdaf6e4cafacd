"""The user and the token that `make run` creates, which no other service may keep.

Their secrets were shown on a terminal and are in a file on a laptop.
"""

import re

from shared.access.models import TokenState
from shared.access.scopes import Scope
from shared.access.tokens import all_tokens
from shared.access.users import all_users

NAME = "development"
TOKEN_NAME = f"{NAME}-token"
# A second one has a number after the name, see dev/prepare.py.
NAMES = re.compile(rf"{NAME}(-token)?(-\d+)?")


def left_tokens() -> list[str]:
    """Return the names of development tokens that are valid and have every scope.

    Another token with such a name has fewer scopes.
    """
    return [
        token.name
        for token in all_tokens()
        if NAMES.fullmatch(token.name)
        and token.state is TokenState.VALID
        and token.scopes.split() == sorted(Scope)
    ]


def left_users() -> list[str]:
    """Return the names of development users that may still sign in."""
    return [
        user.username
        for user in all_users()
        if NAMES.fullmatch(user.username) and user.disabled_at is None
    ]
