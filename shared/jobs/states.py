"""The states of a job and the transitions between them.

| from             | to      | who and when                                                       |
|------------------|---------|--------------------------------------------------------------------|
| -                | PENDING | the web process: file and row are committed                        |
| PENDING, RETRY   | STARTED | a worker claims it: attempt + 1                                    |
| STARTED          | STARTED | another worker, the lease has run out: attempt + 1, deaths + 1     |
| STARTED          | RETRY   | infrastructure fault, dead job process, shutdown (no death)        |
| STARTED          | SUCCESS | the job process, in the transaction that changes the roll          |
| STARTED          | FAILURE | file fault, time or memory limit, deaths used up, a bug            |
| PENDING, RETRY   | REVOKED | a user or a token cancels it                                       |
| STARTED          | REVOKED | a user or a token cancels it, and its attempt can no longer write  |
| PENDING, RETRY   | FAILURE | deaths used up, as a worker with a lower MAX_ATTEMPTS sees it      |

`flask import` is the exception: it commits its job as STARTED, with attempt 1.

Every transition is one conditional UPDATE in `shared.jobs.transitions` or `shared.jobs.jobs`. Its
condition is the state and, for a running job, the attempt number. The attempt number is the fencing
token. An attempt that was wrongly thought dead finds another number and changes nothing.
"""

from enum import StrEnum


class JobState(StrEnum):
    """The state of a job. SUCCESS, FAILURE and REVOKED are final."""

    PENDING = "PENDING"
    STARTED = "STARTED"
    RETRY = "RETRY"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    REVOKED = "REVOKED"


FINAL_STATES = frozenset({JobState.SUCCESS, JobState.FAILURE, JobState.REVOKED})
WAITING_STATES = frozenset({JobState.PENDING, JobState.RETRY})


class Phase(StrEnum):
    """The phase of the current attempt."""

    QUEUED = "queued"
    READING = "reading"
    APPLYING = "applying"
    DONE = "done"


class Channel(StrEnum):
    """How a finished job is reported: by the report email, and by the webhook call."""

    MAIL = "mail"
    WEBHOOK = "webhook"


class OutboxState(StrEnum):
    """The state of the report email or of the webhook call of a job."""

    NONE = "none"
    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"


class JobCode(StrEnum):
    """Why a job failed, if its file is not the reason."""

    WORKER_CRASHED = "WORKER_CRASHED"
    TIME_LIMIT = "TIME_LIMIT"
    MEMORY_LIMIT = "MEMORY_LIMIT"
    FILE_LOST = "FILE_LOST"
    FILE_CHANGED = "FILE_CHANGED"
    SERVICE_UNAVAILABLE = "SERVICE_UNAVAILABLE"
    WORKER_TOO_OLD = "WORKER_TOO_OLD"
    DISK_FULL = "DISK_FULL"
    INTERRUPTED = "INTERRUPTED"
    ROWS_REJECTED = "ROWS_REJECTED"
    TOO_MANY_REJECTED = "TOO_MANY_REJECTED"
    ROW_COUNT_MISMATCH = "ROW_COUNT_MISMATCH"
    ROLL_CHANGED = "ROLL_CHANGED"
    INTERNAL_ERROR = "INTERNAL_ERROR"


# The same file with the same options may succeed at another time. Any other failure will repeat.
MAY_PASS = frozenset(
    {
        JobCode.WORKER_CRASHED,
        JobCode.TIME_LIMIT,
        JobCode.MEMORY_LIMIT,
        JobCode.SERVICE_UNAVAILABLE,
        JobCode.DISK_FULL,
        JobCode.WORKER_TOO_OLD,
        JobCode.INTERRUPTED,
        JobCode.INTERNAL_ERROR,
    }
)
DESCRIPTIONS = {
    JobCode.WORKER_CRASHED: "The process that read the file died on every attempt.",
    JobCode.TIME_LIMIT: "The import took longer than JOB_TIME_LIMIT_SECONDS.",
    JobCode.MEMORY_LIMIT: "The import needed more memory than JOB_MEMORY_LIMIT_MB.",
    JobCode.FILE_LOST: "The uploaded file is no longer in the upload store.",
    JobCode.FILE_CHANGED: "The stored file is not the one that was uploaded.",
    JobCode.SERVICE_UNAVAILABLE: "The database or the upload store stayed unavailable.",
    JobCode.WORKER_TOO_OLD: "The worker does not know an option of a newer web process.",
    JobCode.DISK_FULL: "There was no room left on a disk of the service.",
    JobCode.INTERRUPTED: "`flask import` was stopped before its end.",
    JobCode.ROWS_REJECTED: "A row was rejected, and the upload had on_error=abort.",
    JobCode.TOO_MANY_REJECTED: "More rows were rejected than max_rejected_percent allows.",
    JobCode.ROW_COUNT_MISMATCH: "The file has another number of rows than expected_rows.",
    JobCode.ROLL_CHANGED: "The roll has changed since the preview that was to be applied.",
    JobCode.INTERNAL_ERROR: "A bug in this service. The error id leads to the log.",
}
