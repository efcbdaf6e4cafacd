"""The errors of an import: why a file does not become a job, or a job cannot go on."""

from collections.abc import Sequence
from enum import StrEnum

from shared.errors import CodedError, VoterSystemError
from shared.jobs.states import JobCode
from shared.roll_file.errors import RowError


class TooLarge(VoterSystemError):
    """The file is larger than MAX_UPLOAD_BYTES."""


class KeyReused(VoterSystemError):
    """The idempotency key was used before, for another file or with other options."""


class UnknownOption(VoterSystemError):
    """A newer web process has stored an option or a value that this worker does not know."""


class FilePurged(VoterSystemError):
    """The file of the job has been deleted, because files are kept for a limited time."""


class NotPossibleCode(StrEnum):
    """Why a job cannot be followed up, besides ROLL_CHANGED."""

    NOT_A_PREVIEW = "NOT_A_PREVIEW"
    NOT_FAILED = "NOT_FAILED"


class NotPossible(CodedError[NotPossibleCode | JobCode]):
    """The state of the job does not allow this. `message` says why and what to do instead."""


class JobFailure(CodedError[JobCode]):
    """The job cannot succeed, for a reason that is not a file fault.

    `faults` and `rejects_key` belong to its rejected rows, if these are the reason.
    """

    def __init__(
        self,
        code: JobCode,
        message: str,
        *,
        faults: Sequence[RowError] = (),
        rejects_key: str | None = None,
    ) -> None:
        super().__init__(code, message)
        self.faults = faults
        self.rejects_key = rejects_key
