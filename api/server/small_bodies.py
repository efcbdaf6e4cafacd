"""How much of a request the main loop collects before a thread gets it.

That is the head, and a small body of a known length. A thread never waits for the body of a client
that has shown no credential. So such a body must be small, and its length must be stated.
"""

import re

END_OF_HEAD = b"\r\n\r\n"
# For a whole head, and for a body. A form of a public page is much smaller.
HEAD_BYTES = 32 * 1024
BODY_BYTES = 32 * 1024

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,6})[ \t]*\r\n", re.IGNORECASE)
# A client that asks whether it may send the body waits for a response first.
_EXPECT = re.compile(rb"\r\nexpect:", re.IGNORECASE)
# Nothing has checked it yet.
_CREDENTIAL = re.compile(rb"\r\n(?:authorization|cookie):", re.IGNORECASE)


def whole_bytes(received: bytearray, seen_bytes: int) -> int | None:
    """Return the number of bytes that a thread needs, or None while the head is incomplete.

    The first `seen_bytes` of the received bytes were checked before. A head with a line feed that
    stands alone also goes to a thread, because the parser rejects it without waiting.
    """
    seen_bytes = max(seen_bytes - len(END_OF_HEAD), 0)
    end = received.find(END_OF_HEAD, seen_bytes)
    if end >= 0:
        return end + len(END_OF_HEAD) + _body_bytes(received[: end + len(END_OF_HEAD)])
    line_ends = received.count(b"\r\n", max(seen_bytes - 1, 0))
    return len(received) if received.count(b"\n", seen_bytes) > line_ends else None


def _body_bytes(head: bytearray) -> int:
    length_field = _LENGTH.search(head)
    if length_field is None or _EXPECT.search(head):
        return 0
    length = int(length_field[1])
    return length if length <= BODY_BYTES else 0


def shows_credential(received: bytearray) -> bool:
    """Return whether a head has a header for a credential, whatever its value."""
    return _CREDENTIAL.search(received, 0, received.find(END_OF_HEAD) + 2) is not None
