"""The code of Gunicorn and Werkzeug that the web server extends without a promise from either.

Both may change these functions in any release. A changed one fails here, before a slow client finds
out. docs/decisions/0013-web-server.md says what each is for.
"""

import inspect
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

import pytest
from gunicorn import util
from gunicorn.glogging import Logger
from gunicorn.http.parser import Parser
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import PollableMethodQueue, TConn, ThreadWorker
from werkzeug.formparser import FormDataParser, default_stream_factory
from werkzeug.sansio.multipart import MultipartDecoder

from api.middleware.forms import Decoder, FormParser
from api.server.connection import Connection
from api.server.log import WebLog
from api.server.worker import WebWorker
from config.settings import PROJECT_ROOT

# Our classes and what they extend.
PAIRS = [
    (WebWorker, ThreadWorker),
    (Connection, TConn),
    (WebLog, Logger),
    (FormParser, FormDataParser),
    (Decoder, MultipartDecoder),
]
# Extended or called by ours. The source of each was read when its fingerprint was noted.
FINGERPRINTS: dict[Callable[..., Any], str] = {
    ThreadWorker.__init__: "5681b8b542ea",
    ThreadWorker.check_config.__func__: "677dafbcca4e",
    ThreadWorker.get_thread_pool: "003f3549a71b",
    ThreadWorker.accept: "f8dcead3dce5",
    ThreadWorker.on_client_socket_readable: "aead1a3ea7b7",
    ThreadWorker.on_pending_socket_readable: "2475f7087832",
    ThreadWorker.finish_request: "616e7bb15a00",
    ThreadWorker._keepalive_after: "4ebdbbc8bf5a",
    ThreadWorker._cap_keepalive: "745c8ac37108",
    ThreadWorker.murder_pending: "7bf11f464542",
    ThreadWorker.handle_error: "75426448389b",
    ThreadWorker.murder_keepalived: "4459960c4ccc",
    ThreadWorker.run: "f92c7394d857",
    ThreadWorker.enqueue_req: "c9f428953d24",
    ThreadWorker.handle: "ca85c9be3df7",
    ThreadWorker.handle_request: "6d0de5b91910",
    ThreadWorker.wait_for_and_dispatch_events: "ea969b352482",
    ThreadWorker.set_accept_enabled: "140150ebfd3c",
    PollableMethodQueue.run_callbacks: "2583376785b0",
    TConn.__init__: "c8763d7c6597",
    TConn.init: "5ff3d4ba451c",
    TConn.close: "6d1c334ed197",
    Parser.finish_body: "54c5d0d28c26",
    SocketUnreader.unread: "8e325744dfca",
    SocketUnreader.take_buffered: "89cef5e60e6f",
    util.write_nonblock: "d2ff97701c36",
    Logger.setup: "17c79acdddea",
    FormDataParser.parse: "ee2137d08509",
    FormDataParser._parse_multipart: "78294c63b4fd",
    FormDataParser._parse_urlencoded: "8b74e8a51166",
    MultipartDecoder._parse_headers: "3f1e81dfd163",
    default_stream_factory: "9e19e6538d45",
}
ADVICE = (
    "The library has changed this function. Compare it with what ours expects of it, see "
    "docs/decisions/0013-web-server.md. Then note the new fingerprint: "
)


def fingerprint(function: Callable[..., Any]) -> str:
    return sha256(inspect.getsource(function).encode()).hexdigest()[:12]


@pytest.mark.parametrize("function", FINGERPRINTS, ids=lambda function: function.__qualname__)
def test_borrowed_code_is_what_was_read(function: Callable[..., Any]) -> None:
    found = fingerprint(function)
    assert found == FINGERPRINTS[function], ADVICE + found


def replaced(ours: type, theirs: type) -> Iterator[Callable[..., Any]]:
    """Yield the library's functions that a class of ours replaces."""
    for name in vars(ours):
        found = getattr(theirs, name, None)
        if inspect.isroutine(found):
            yield getattr(found, "__func__", found)


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_every_replaced_function_is_listed(ours: type, theirs: type) -> None:
    missing = [found for found in replaced(ours, theirs) if found not in FINGERPRINTS]
    assert missing == []


def test_the_decision_names_all_borrowed_code() -> None:
    decision = (PROJECT_ROOT / "docs/decisions/0013-web-server.md").read_text(encoding="utf-8")
    names = {function.__name__ for function in FINGERPRINTS} - {"__init__"}
    assert [name for name in sorted(names) if f"`{name}`" not in decision] == []
