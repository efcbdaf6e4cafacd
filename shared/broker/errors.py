"""The error of a message that no worker understands."""

from shared.errors import VoterSystemError


class UnreadableMessage(VoterSystemError):
    """The message is not from this service, or is from a later version of it."""
