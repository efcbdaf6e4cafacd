"""The errors of names and passwords."""

from shared.errors import VoterSystemError


class UnusableName(VoterSystemError):
    """No list could show the name, or another actor already has it."""


class WeakPassword(VoterSystemError):
    """The password is not acceptable.

    It is too short, too long, the user's name, easily guessed, or the one-time password.
    """


class PasswordExpired(VoterSystemError):
    """The one-time password was correct, but it has expired."""


class PasswordsBusy(VoterSystemError):
    """Too many callers wait for a password check. Try again in a moment."""
