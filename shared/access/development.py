"""The person and the token that `make run` makes, which no other service may go on with.

Their secrets were shown on a terminal and lie in a file of a laptop.
"""

import re

from shared.access.people import all_people
from shared.access.scopes import Scope
from shared.access.tokens import TokenState, all_tokens

NAME = "development"
TOKEN_NAME = f"{NAME}-token"
# A second one has a number behind the name, see dev/prepare.py.
NAMES = re.compile(rf"{NAME}(-token)?(-\d+)?")


def left_tokens() -> list[str]:
    """Names of its tokens that still may do everything; another of that name may not."""
    return [
        token.name
        for token in all_tokens()
        if NAMES.fullmatch(token.name)
        and token.state is TokenState.VALID
        and token.scopes.split() == sorted(Scope)
    ]


def left_people() -> list[str]:
    """Names of its people who still may sign in."""
    return [
        person.username
        for person in all_people()
        if NAMES.fullmatch(person.username) and person.disabled_at is None
    ]
