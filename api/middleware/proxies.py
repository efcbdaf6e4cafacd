"""What proxies in front of the web process say of the client, when a setting says that they do.

Without TRUSTED_PROXIES the headers are anybody's claim, so they are ignored; not even the
variables of a platform (PORT, DYNO) make them believed, since `PORT` is set on laptops too. The
name of the host is never taken from `X-Forwarded-Host`: Heroku passes on what a client claims
there, and every platform keeps the header `Host`.
"""

import logging
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

from werkzeug.middleware.proxy_fix import ProxyFix

from shared.access.addresses import client_address

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger(__name__)

SIGNS = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO")


def behind_proxies(app: "WSGIApplication", count: int) -> "WSGIApplication":
    """The application as it looks behind so many proxies, each of which adds its word.

    What it sees as the client's address is a bare IP address, or "".
    """

    def addressed(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        environ["REMOTE_ADDR"] = client_address(environ.get("REMOTE_ADDR"))
        return app(environ, start_response)

    if not count:
        return _IgnoredProxies(addressed)
    return ProxyFix(addressed, x_for=count, x_proto=count, x_host=0, x_port=0, x_prefix=0)


class _IgnoredProxies:
    """Tells the operator once, since all clients of a proxy share one limit until it is set."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app
        self._is_silent = threading.Lock()

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        if any(name in environ for name in SIGNS) and self._is_silent.acquire(blocking=False):
            logger.warning("there seems to be a proxy in front; if so, set TRUSTED_PROXIES")
        return self._app(environ, start_response)
