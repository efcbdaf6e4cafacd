"""The errors of a PostgreSQL server that cannot be used.

psycopg's class comes first among the bases, because peewee looks only at that one.
"""

import psycopg

from shared.errors import VoterSystemError


class NoAnswer(psycopg.OperationalError, VoterSystemError):
    """The server did not answer within the limit. The connection is closed."""


class SharedSession(psycopg.OperationalError, VoterSystemError):
    """A pooler shares the sessions of the server among its clients."""
