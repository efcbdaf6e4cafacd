"""Previews, and the options of an upload, on both databases."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.importing.attempt import perform
from shared.importing.errors import UnknownOption
from shared.importing.options import ImportOptions, OnError
from shared.importing.submission import keep
from shared.jobs import jobs, transitions
from shared.jobs.models import Job, JobFault
from shared.jobs.states import JobCode, JobState
from shared.roll_file.limits import Limits
from shared.roll_file.report import Report
from shared.staging.merge import Mode
from shared.storage.file_store import FileStore
from shared.voters.models import Voter, VoterHistory
from shared.voters.roll import roll_version

pytestmark = pytest.mark.usefixtures("any_database")

HEADER = "student_id,first_name,email,year,is_eligible\n"
ANN = "1,Ann,ann@x.edu,1,yes\n"
BEN = "2,Ben,ben@x.edu,2,no\n"
NEWER = "1,Ann,ann@x.edu,2,no\n3,Cy,cy@x.edu,1,yes\n"
FAULTY = "4,Di,nobody,1,yes\n5,Ed,ed@x.edu,99,yes\n"


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "uploads")


@pytest.fixture
def roll(any_database: object, store: FileStore) -> None:
    """Import Ann and Ben into the roll."""
    assert import_rows(store, ANN + BEN).state == JobState.SUCCESS


def import_rows(store: FileStore, rows: str, *, dry_run: bool = False, **options: Any) -> Job:
    file = keep(io.BytesIO((HEADER + rows).encode()), "roll.csv", store=store, max_bytes=1 << 20)
    job_id = jobs.create(
        file,
        uploaded_by="tests",
        dry_run=dry_run,
        options=ImportOptions(**options).to_dict(),
    )
    claim = transitions.claim(job_id, worker="w", lease_seconds=30, max_attempts=2)
    assert claim is not None
    perform(claim, store=store, limits=Limits(1000), max_attempts=2)
    return Job.get_by_id(job_id)


def voters() -> list[tuple[str, int | None, bool]]:
    return [
        (voter.student_id, voter.year, voter.is_eligible)
        for voter in Voter.select().order_by(Voter.student_id)
    ]


def outcome(job: Job) -> tuple[int, ...]:
    assert job.state == JobState.SUCCESS, job.error_message
    assert job.report is not None
    names = ("rows_read", "created", "updated", "unchanged", "rejected")
    return tuple(job.report[name] for name in names)


@pytest.mark.usefixtures("roll")
def test_a_preview_shows_what_would_change_and_changes_nothing(store: FileStore) -> None:
    before = voters()
    job = import_rows(store, NEWER, dry_run=True)

    assert outcome(job) == (2, 1, 1, 0, 0)
    assert job.report["would_create"] == job.report["would_update"] == 1
    assert (job.report["eligibility_on"], job.report["eligibility_off"]) == (0, 1)
    assert job.report["differences"] == [
        {
            "change": "update",
            "student_id": "1",
            "line": 2,
            "fields": {"year": {"from": 1, "to": 2}, "is_eligible": {"from": True, "to": False}},
        },
        {
            "change": "create",
            "student_id": "3",
            "line": 3,
            "fields": {
                "email": {"from": None, "to": "cy@x.edu"},
                "first_name": {"from": None, "to": "Cy"},
                "year": {"from": None, "to": 1},
                "is_eligible": {"from": None, "to": True},
            },
        },
    ]
    assert voters() == before
    assert job.roll_version == roll_version() == 1


@pytest.mark.usefixtures("roll")
def test_a_preview_shows_at_most_fifty_voters(store: FileStore) -> None:
    rows = "".join(f"{number},N,n{number}@x.edu,1,yes\n" for number in range(100, 180))
    job = import_rows(store, rows + NEWER, dry_run=True)
    assert job.report is not None
    kinds = [difference["change"] for difference in job.report["differences"]]
    assert kinds == ["update"] + 49 * ["create"]


def test_an_import_says_nothing_of_a_preview(store: FileStore) -> None:
    report = import_rows(store, ANN).report
    assert report is not None
    assert {"would_create", "would_update", "differences"}.isdisjoint(report)


@pytest.mark.usefixtures("roll")
@pytest.mark.parametrize(
    ("mode", "expected", "warnings", "after"),
    [
        (Mode.UPSERT, (2, 1, 1, 0, 0), {}, [("1", 2, False), ("2", 2, False), ("3", 1, True)]),
        (
            Mode.CREATE_ONLY,
            (2, 1, 0, 1, 0),
            {"NOT_UPDATED": 1},
            [("1", 1, True), ("2", 2, False), ("3", 1, True)],
        ),
        (
            Mode.UPDATE_ONLY,
            (2, 0, 1, 1, 0),
            {"NOT_CREATED": 1},
            [("1", 2, False), ("2", 2, False)],
        ),
    ],
)
@pytest.mark.parametrize("is_previewed", [False, True])
def test_a_mode_leaves_voters_as_they_are(
    store: FileStore,
    mode: Mode,
    expected: tuple[int, ...],
    warnings: dict[str, int],
    after: list[tuple[str, int, bool]],
    is_previewed: bool,
) -> None:
    if is_previewed:
        preview = import_rows(store, NEWER, dry_run=True, mode=mode)
        assert outcome(preview) == expected
        assert preview.report is not None
        kinds = [difference["change"] for difference in preview.report["differences"]]
        assert kinds == expected[2] * ["update"] + expected[1] * ["create"]
    job = import_rows(store, NEWER, mode=mode)
    assert outcome(job) == expected
    assert job.report is not None
    assert job.report["warnings"] == warnings
    assert job.report["eligibility_off"] == expected[2]
    assert voters() == after


@pytest.mark.usefixtures("roll")
@pytest.mark.parametrize(
    ("mode", "code", "created"),
    [(Mode.UPDATE_ONLY, "NOT_CREATED", 0), (Mode.CREATE_ONLY, "NOT_UPDATED", 1)],
)
def test_repeats_of_a_voter_that_is_left_alone_are_not_saved(
    store: FileStore, mode: Mode, code: str, created: int
) -> None:
    known, new = ANN.replace(",1,yes", ",9,yes"), "3,Cy,cy@x.edu,1,yes\n"
    left, saved = (new, known) if mode is Mode.UPDATE_ONLY else (known, new)
    job = import_rows(store, left * 3 + saved * 2, mode=mode)
    assert job.report is not None
    assert job.report["warnings"][code] == 3
    assert (job.report["created"], job.report["repeated"]) == (created, 3)
    assert Report.from_dict(job.report).saved == 2


@pytest.mark.usefixtures("roll")
@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"on_error": OnError.ABORT}, JobCode.ROWS_REJECTED),
        ({"max_rejected_percent": 49.9}, JobCode.TOO_MANY_REJECTED),
        ({"expected_rows": 3}, JobCode.ROW_COUNT_MISMATCH),
    ],
)
@pytest.mark.parametrize("dry_run", [False, True])
def test_an_unmet_condition_keeps_the_roll_and_gives_the_rejects(
    store: FileStore, options: dict[str, Any], code: JobCode, dry_run: bool
) -> None:
    before = voters()
    job = import_rows(store, NEWER + FAULTY, dry_run=dry_run, **options)

    assert (job.state, job.error_code, job.report) == (JobState.FAILURE, code, None)
    assert job.rows_read == 4
    assert voters() == before
    assert roll_version() == 1
    assert [fault.code for fault in faults(job)] == ["INVALID_EMAIL", "INVALID_YEAR"]
    assert job.rejects_key is not None
    with store.open(job.rejects_key) as rejects:
        assert len(rejects.read().splitlines()) == 3


def faults(job: Job) -> Iterator[JobFault]:
    return iter(JobFault.select().where(JobFault.job == job.id).order_by(JobFault.number))


@pytest.mark.usefixtures("roll")
@pytest.mark.parametrize(
    "options",
    [
        {"on_error": OnError.SKIP},
        {"max_rejected_percent": 50.0},
        {"expected_rows": 4},
    ],
)
def test_a_condition_that_is_met_changes_nothing(store: FileStore, options: dict[str, Any]) -> None:
    assert outcome(import_rows(store, NEWER + FAULTY, **options)) == (4, 1, 1, 0, 2)


def test_the_control_total_counts_no_blank_rows(store: FileStore) -> None:
    assert import_rows(store, ANN + ",,,,\n" + BEN, expected_rows=2).state == JobState.SUCCESS


@pytest.mark.usefixtures("roll")
def test_applying_a_preview_fails_if_the_roll_has_changed(store: FileStore) -> None:
    preview = import_rows(store, NEWER, dry_run=True)
    applied = jobs.create_again(preview, uploaded_by="tests", dry_run=False, preview_of=preview.id)
    assert applied is not None
    claim = transitions.claim(applied, worker="w", lease_seconds=30, max_attempts=2)
    assert claim is not None
    import_rows(store, "9,Zoe,zoe@x.edu,1,yes\n")
    before = voters()

    perform(claim, store=store, limits=Limits(1000), max_attempts=2)
    job = Job.get_by_id(applied)
    assert (job.state, job.error_code) == (JobState.FAILURE, JobCode.ROLL_CHANGED)
    assert voters() == before


@pytest.mark.usefixtures("roll")
def test_only_what_changes_the_roll_raises_its_version(store: FileStore) -> None:
    assert import_rows(store, ANN).roll_version == 1
    assert import_rows(store, NEWER).roll_version == 2
    assert roll_version() == 2


@pytest.mark.usefixtures("roll")
def test_the_history_has_each_entry_as_it_was_before_an_import(store: FileStore) -> None:
    job = import_rows(store, NEWER)
    [entry] = VoterHistory.select()
    assert (entry.student_id, entry.year, entry.is_eligible) == ("1", 1, True)
    assert (entry.changed_by, entry.job) == ("tests", job.id)


def test_a_cancelled_attempt_changes_nothing(store: FileStore) -> None:
    file = keep(io.BytesIO((HEADER + ANN).encode()), "roll.csv", store=store, max_bytes=1 << 20)
    claim = jobs.create_started(
        file, uploaded_by="tests", dry_run=False, worker="w", lease_seconds=30
    )
    assert jobs.cancel(claim.job_id, by="ann")
    perform(claim, store=store, limits=Limits(1000), max_attempts=2)

    job = Job.get_by_id(claim.job_id)
    assert (job.state, job.cancelled_by, job.report) == (JobState.REVOKED, "ann", None)
    assert voters() == []


def test_a_job_cancelled_while_reading_does_not_change_the_roll(store: FileStore) -> None:
    file = keep(io.BytesIO((HEADER + ANN).encode()), "roll.csv", store=store, max_bytes=1 << 20)
    claim = jobs.create_started(
        file, uploaded_by="tests", dry_run=False, worker="w", lease_seconds=30
    )

    def cancel(*_: object) -> None:
        jobs.cancel(claim.job_id, by="ann")

    perform(claim, store=store, limits=Limits(1000), max_attempts=2, on_progress=cancel)
    assert Job.get_by_id(claim.job_id).state == JobState.REVOKED
    assert voters() == []


@pytest.mark.parametrize("newer", [{"on_shared_email": "reject"}, {"mode": "replace"}])
def test_an_option_of_a_newer_release_waits_for_a_newer_worker(
    store: FileStore, newer: dict[str, str]
) -> None:
    file = keep(io.BytesIO((HEADER + ANN).encode()), "roll.csv", store=store, max_bytes=1 << 20)
    job_id = jobs.create(file, uploaded_by="tests", options=newer)
    states = []
    for _ in range(2):
        claim = transitions.claim(job_id, worker="w", lease_seconds=30, max_attempts=2)
        assert claim is not None
        perform(claim, store=store, limits=Limits(1000), max_attempts=2)
        job = Job.get_by_id(job_id)
        states.append((job.state, job.error_code))
        Job.update(not_before=Job.created_at).execute()
    assert states == [("RETRY", None), ("FAILURE", "WORKER_TOO_OLD")]
    assert voters() == []


def test_options_survive_the_jobs_table() -> None:
    options = ImportOptions(
        encoding="utf-8",
        mode=Mode.CREATE_ONLY,
        on_error=OnError.ABORT,
        max_rejected_percent=2.5,
        expected_rows=7,
    )
    assert ImportOptions.from_dict(options.to_dict()) == options
    assert ImportOptions().to_dict() == {}
    with pytest.raises(UnknownOption, match="sideways"):
        ImportOptions.from_dict({"mode": "sideways"})
