"""The bytes that the main loop waits for before it passes a request to a thread."""

import pytest

from api.server.small_bodies import BODY_BYTES, shows_credential, whole_bytes

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    ("headers", "body_bytes"),
    [
        (b"", 0),
        (b"Content-Length: 0\r\n", 0),
        (b"Content-Length: 7\r\n", 7),
        (b"CONTENT-LENGTH:7 \r\n", 7),
        (f"Content-Length: {BODY_BYTES}\r\n".encode(), BODY_BYTES),
        (f"Content-Length: {BODY_BYTES + 1}\r\n".encode(), 0),
        (b"Content-Length: 99999999999999999999\r\n", 0),
        (b"Content-Length: -7\r\n", 0),
        (b"X-Content-Length: 7\r\n", 0),
        (b"X: content-length: 7\r\n", 0),
        (b"Transfer-Encoding: chunked\r\n", 0),
        (b"Content-Length: 7\r\nExpect: 100-continue\r\n", 0),
    ],
)
def test_a_small_body_of_known_length_is_collected(headers: bytes, body_bytes: int) -> None:
    head = HEAD + headers + b"\r\n"
    assert whole_bytes(bytearray(head), 0) == len(head) + body_bytes
    # Text in the body that looks like a header is not a header.
    assert whole_bytes(bytearray(head + b"\r\nContent-Length: 9\r\n\r\n"), 0) == (
        len(head) + body_bytes
    )


def test_a_head_is_complete_with_its_last_byte() -> None:
    head = HEAD + b"Content-Length: 7\r\n\r\n"
    found = [whole_bytes(bytearray(head[:size]), size - 1) for size in range(1, len(head) + 1)]
    assert found == [None] * (len(head) - 1) + [len(head) + 7]


def test_a_head_that_the_parser_refuses_is_not_waited_for() -> None:
    assert whole_bytes(bytearray(b"GET / HTTP/1.1\nHost: x\r\n"), 0) is not None


@pytest.mark.parametrize(
    ("received", "is_shown"),
    [
        (b"POST / HTTP/1.1\r\nAuthorization: Bearer x\r\n\r\n", True),
        (b"POST / HTTP/1.1\r\ncookie: session=x\r\n\r\n", True),
        (b"POST / HTTP/1.1\r\nX-Cookie: x\r\n\r\n", False),
        (b"POST / HTTP/1.1\r\nHost: x\r\n\r\nx\r\nCookie: x\r\n", False),
    ],
)
def test_only_a_header_shows_a_credential(received: bytes, is_shown: bool) -> None:
    assert shows_credential(bytearray(received)) is is_shown
