"""The client's IP address and scheme from the headers of proxies, if a setting says so.

Without TRUSTED_PROXIES these headers are ignored, because any client can send them. Variables of a
platform (PORT, DYNO) do not make them trusted, because `PORT` is set on laptops too. The host name
never comes from `X-Forwarded-Host`. Heroku passes on what a client sends there, and every platform
keeps the header `Host`.
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
    """Return the application behind this number of proxies, each of which adds its entry.

    The application sees the client's address as a bare IP address, or as "".
    """

    def app_with_address(
        environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        environ["REMOTE_ADDR"] = client_address(environ.get("REMOTE_ADDR"))
        return app(environ, start_response)

    if not count:
        return _IgnoredProxies(app_with_address)
    return ProxyFix(app_with_address, x_for=count, x_proto=count, x_host=0, x_port=0, x_prefix=0)


class _IgnoredProxies:
    """Warns the operator once: without TRUSTED_PROXIES all clients of a proxy share one limit."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app
        self._is_silent = threading.Lock()

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        if any(name in environ for name in SIGNS) and self._is_silent.acquire(blocking=False):
            logger.warning("there seems to be a proxy in front. If so, set TRUSTED_PROXIES")
        return self._app(environ, start_response)
