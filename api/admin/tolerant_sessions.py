"""Sessions that accept a cookie from a web process whose clock is ahead.

The clocks of two machines never agree exactly. Itsdangerous treats a cookie from the next second as
expired, so the other machine would sign the user out.
"""

from datetime import datetime
from typing import Any

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import SignatureExpired, TimestampSigner

TOLERATED_SECONDS = 300


class TolerantSigner(TimestampSigner):
    """A signer that accepts a signature from up to `TOLERATED_SECONDS` ahead."""

    def unsign(  # type: ignore[override] # one of the two return types at a time
        self,
        signed_value: str | bytes,
        max_age: int | None = None,
        return_timestamp: bool = False,
    ) -> bytes | tuple[bytes, datetime]:
        """Return the signed value. Raises `SignatureExpired` if it is too old or too new."""
        value, signed_at = super().unsign(signed_value, return_timestamp=True)
        if max_age is not None:
            age = self.get_timestamp() - int(signed_at.timestamp())
            if not -TOLERATED_SECONDS <= age <= max_age:
                raise SignatureExpired(f"Signature age {age}", value, signed_at)
        return (value, signed_at) if return_timestamp else value


class TolerantSessions(SecureCookieSessionInterface):
    """Flask's own sessions with the tolerant signer."""

    def get_signing_serializer(self, app: Flask) -> Any:
        """Return the serializer of the session cookie, or None without a secret key."""
        serializer = super().get_signing_serializer(app)
        if serializer is not None:
            serializer.signer = TolerantSigner
        return serializer
