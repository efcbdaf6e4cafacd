"""Files as registrars send them, through a whole attempt."""

import io
from operator import itemgetter

import pytest

from shared.importing.attempt import perform
from shared.importing.submission import keep
from shared.jobs import jobs
from shared.jobs.models import Job, JobFault
from shared.jobs.states import JobState
from shared.roll_file.errors import FileFault
from shared.roll_file.fields import FIELDS
from shared.roll_file.limits import Limits
from shared.storage.database_store import DatabaseStore
from shared.voters.models import Voter
from tests.importing.cell_rolls import ROLLS as CELL_ROLLS
from tests.importing.csv_rolls import ROLLS as CSV_ROLLS
from tests.importing.excel_rolls import ROLLS as EXCEL_ROLLS
from tests.importing.header_rolls import ROLLS as HEADER_ROLLS
from tests.importing.merge_rolls import ROLLS as MERGE_ROLLS
from tests.importing.rolls import Roll

ROLLS = (*CSV_ROLLS, *HEADER_ROLLS, *CELL_ROLLS, *MERGE_ROLLS, *EXCEL_ROLLS)
FIELDS_OF_THE_ROLL = [getattr(Voter, name) for name in FIELDS]
OUTCOMES = ("created", "updated", "unchanged", "repeated", "rejected")


def outcome_of(roll: Roll) -> Job | FileFault:
    """The finished job, or the fault for which the upload was refused."""
    store = DatabaseStore()
    try:
        file = keep(
            io.BytesIO(roll.data),
            "roll",
            store=store,
            max_bytes=1 << 30,
            encoding=roll.options.get("encoding"),
        )
    except FileFault as fault:
        return fault
    claim = jobs.create_started(
        file,
        uploaded_by="tests",
        dry_run=False,
        options=roll.options,
        worker="tests",
        lease_seconds=60,
    )
    perform(claim, store=store, limits=Limits(), max_attempts=1)
    job = jobs.find(claim.job_id)
    assert job is not None
    return job


@pytest.mark.usefixtures("any_database")
@pytest.mark.parametrize("roll", ROLLS, ids=[roll.name for roll in ROLLS])
def test_a_roll_has_the_promised_outcome(roll: Roll) -> None:
    if roll.before:
        Voter.insert_many(roll.before, fields=FIELDS_OF_THE_ROLL).execute()
    outcome = outcome_of(roll)
    on_the_roll = Voter.select(*FIELDS_OF_THE_ROLL).order_by(Voter.student_id).tuples()
    assert list(on_the_roll) == sorted(roll.voters, key=itemgetter(0))
    if roll.refused is not None:
        code, message = code_and_message(outcome)
        assert (code, roll.sentence in message) == (roll.refused, True), message
        return
    assert isinstance(outcome, Job)
    assert outcome.state == JobState.SUCCESS, outcome.error_message
    report = outcome.report
    counts = {name: report[name] for name in (*OUTCOMES, "blank_rows")}
    assert counts == dict.fromkeys(counts, 0) | dict(roll.counts)
    assert report["rows_read"] == sum(report[name] for name in OUTCOMES)
    assert report["warnings"] == dict(roll.warnings)
    assert faults_of(outcome) == roll.faults
    if roll.missing is not None:
        assert report["missing_fields"] == dict(roll.missing)


def code_and_message(outcome: Job | FileFault) -> tuple[str, str]:
    if isinstance(outcome, FileFault):
        return outcome.code, outcome.message
    return str(outcome.error_code), str(outcome.error_message)


def faults_of(job: Job) -> tuple[tuple[int, str, str], ...]:
    kept = JobFault.select().where(JobFault.job == job.id).order_by(JobFault.number)
    return tuple((fault.line, fault.column, fault.code) for fault in kept)


def test_the_table_is_long_and_has_no_roll_twice() -> None:
    names = [roll.name for roll in ROLLS]
    assert len(names) == len(set(names)) >= 80
