"""The errors of the worker and its senders. `Shutdown` of the worker is a signal, not an error."""

from shared.errors import VoterSystemError


class BrokerRefusal(VoterSystemError):
    """The broker answers but refuses this service as it is configured.

    Waiting does not fix this. The text says what the operator can do.
    """


class NobodyToTell(VoterSystemError):
    """The settings name no receiver. The text says which setting is missing."""


class NotTaken(VoterSystemError):
    """The receiver has answered with an error. The text may be shown in logs and on pages."""


class DeliveryTimeout(VoterSystemError, TimeoutError):
    """The whole delivery took longer than the mail server is given."""


class CallTimeout(VoterSystemError, TimeoutError):
    """The receiver did not answer within the time of a call."""


class AddressRefused(VoterSystemError, OSError):
    """The host has an address that is not public."""
