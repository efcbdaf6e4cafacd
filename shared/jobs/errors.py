"""The error of an attempt that no longer owns its job."""

from shared.errors import VoterSystemError


class AttemptLost(VoterSystemError):
    """Another attempt owns the job now. This one must not write what it has found."""
