"""What the worker, its template process and the job processes tell each other.

The worker imports this module, so it must not import what only a job needs.
"""

import json
from uuid import UUID

from shared.jobs.claims import Claim

# From the worker: fork a process, whose standard input comes with the message.
FORK = b"fork"
# From the template: it has imported everything. After that it sends events.
READY = b"ready"
MAX_BYTES = 100
# Takes the place of the process id when the machine cannot fork now.
NOT_FORKED = 0


def event(pid: int, status: int | None = None) -> bytes:
    """A process has started, or has ended with this status, as in `subprocess.Popen.returncode`."""
    return json.dumps([pid, status]).encode()


def read_event(message: bytes) -> tuple[int, int | None]:
    """Return the process id and the status of an event."""
    pid, status = json.loads(message)
    return pid, status


def job_line(claim: Claim) -> bytes:
    """The line that tells a waiting job process its job."""
    return json.dumps([str(claim.job_id), claim.attempt, claim.request_id]).encode() + b"\n"


def read_job_line(line: bytes) -> Claim:
    """Return the claim that a job line names."""
    job_id, attempt, request_id = json.loads(line)
    return Claim(UUID(job_id), attempt, request_id)
