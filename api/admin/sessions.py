"""Sessions whose cookies are signed with the time of the web process that made them.

Web processes on two machines never have the very same clock. Itsdangerous takes a cookie of the
next second for an expired one, so a person would be signed out by the other machine.
"""

from datetime import datetime
from typing import Any

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import SignatureExpired, TimestampSigner

TOLERATED_SECONDS = 300


class TolerantSigner(TimestampSigner):
    """Takes a signature of the next minutes for one of now."""

    def unsign(  # type: ignore[override] # one of the two return types at a time
        self,
        signed_value: str | bytes,
        max_age: int | None = None,
        return_timestamp: bool = False,
    ) -> bytes | tuple[bytes, datetime]:
        """The signed value. Raises `SignatureExpired` for one that is too old or too new."""
        value, signed_at = super().unsign(signed_value, return_timestamp=True)
        if max_age is not None:
            age = self.get_timestamp() - int(signed_at.timestamp())
            if not -TOLERATED_SECONDS <= age <= max_age:
                raise SignatureExpired(f"Signature age {age}", value, signed_at)
        return (value, signed_at) if return_timestamp else value


class TolerantSessions(SecureCookieSessionInterface):
    """Flask's own sessions with that signer."""

    def get_signing_serializer(self, app: Flask) -> Any:
        """The serializer of the session cookie, None without a secret key."""
        serializer = super().get_signing_serializer(app)
        if serializer is not None:
            serializer.signer = TolerantSigner
        return serializer
