"""One attempt at a job, from the stored file to the roll and the job, on both databases."""

import csv
import errno
import io
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from zipfile import ZipFile

import pytest
from openpyxl import Workbook
from peewee import OperationalError

from shared.importing.attempt import perform
from shared.importing.errors import TooLarge
from shared.importing.reading import MAX_WAITING_REJECTS
from shared.importing.submission import keep, printable_name
from shared.jobs import jobs, transitions
from shared.jobs.claims import Claim
from shared.jobs.models import Job, JobFault
from shared.jobs.states import JobCode, JobState, Phase
from shared.roll_file.errors import FileCode, FileFault
from shared.roll_file.fields import FIELDS
from shared.roll_file.limits import Limits
from shared.storage.errors import StoreFull, StoreUnavailable
from shared.storage.file_store import FileStore
from shared.voters.models import Voter

pytestmark = pytest.mark.usefixtures("any_database")

HEADER = "student_id,first_name,last_name,email,department,year,is_eligible\n"


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "uploads")


def claim_job(store: FileStore, content: str | bytes, *, dry_run: bool = False) -> Claim:
    data = content.encode() if isinstance(content, str) else content
    file = keep(io.BytesIO(data), "roll.csv", store=store, max_bytes=1 << 24)
    return jobs.create_started(
        file, uploaded_by="tests", dry_run=dry_run, worker="w", lease_seconds=30
    )


def attempt(claim: Claim, store: FileStore, max_rows: int = 1000) -> Job:
    perform(claim, store=store, limits=Limits(max_rows), max_attempts=2)
    job = jobs.find(claim.job_id)
    assert job is not None
    return job


def import_content(store: FileStore, content: str | bytes, *, dry_run: bool = False) -> Job:
    return attempt(claim_job(store, content, dry_run=dry_run), store)


def test_the_cause_of_an_unreadable_file_is_logged_without_cells(
    store: FileStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    book = Workbook()
    book.worksheets[0].append(["ID", "Mail"])
    book.save(content := io.BytesIO())
    with ZipFile(content, "a") as archive:
        archive.writestr("xl/worksheets/odd.xml", "<worksheet><row r='Moss'/></worksheet>")
    job = import_content(store, content.getvalue())
    assert job.error_code == FileCode.UNREADABLE_FILE
    [line] = [vars(record) for record in caplog.records if record.message == "attempt ended"]
    assert re.fullmatch(r"ValueError at scan\.py:\d+", line["cause"])
    assert "Moss" not in str(line)


def test_every_outcome_of_a_row_is_counted_once(store: FileStore) -> None:
    import_content(store, HEADER + "1,Ann,Lee,ann@x.edu,Law,1,yes\n2,Ben,Ray,ben@x.edu,Art,2,no\n")
    job = import_content(
        store,
        HEADER
        + "1,Ann,Lee,ann@x.edu,Law,1,yes\n"  # unchanged
        + "2,Ben,Ray,ben@x.edu,Art,3,no\n"  # updated
        + "3,Cy,Fox,cy@x.edu,Law,1,yes\n"  # created
        + "3,Cy,Fox,cy@x.edu,Law,1,yes\n"  # repeated
        + ",,,,,,\n"  # blank
        + "4,Di,Roe,not an address,Law,13,maybe\n"  # rejected, three faults
        + "5,Ed,Poe,ed@x.edu,Law,1,yes\n"  # conflict
        + "5,Ed,Poe,ed@x.edu,Law,2,yes\n"  # conflict
        + "6,Flo,Orr,cy@x.edu,,,\n",  # created, shares an email address
    )
    assert job.state == JobState.SUCCESS
    assert job.report == {
        "rows_read": 8,
        "created": 2,
        "updated": 1,
        "unchanged": 1,
        "repeated": 1,
        "rejected": 3,
        "blank_rows": 1,
        "missing_columns": [],
        "ignored_columns": [],
        "missing_fields": {"department": 1, "year": 1, "is_eligible": 1},
        "errors": {
            "INVALID_EMAIL": 1,
            "INVALID_YEAR": 1,
            "INVALID_ELIGIBILITY": 1,
            "CONFLICTING_ROWS": 2,
        },
        "warnings": {"REPEATED_ROW": 1, "SHARED_EMAIL": 2},
        "columns": {name: name for name in FIELDS},
        "assumptions": [],
        "signs": [],
        "eligibility_on": 0,
        "eligibility_off": 0,
    }
    assert sorted(voter.student_id for voter in Voter.select()) == ["1", "2", "3", "6"]
    assert Voter.get_by_id("2").year == 3
    faults = [(fault.line, fault.code) for fault in JobFault.select().order_by(JobFault.number)]
    assert faults == [
        (7, "INVALID_EMAIL"),
        (7, "INVALID_YEAR"),
        (7, "INVALID_ELIGIBILITY"),
        (8, "CONFLICTING_ROWS"),
        (9, "CONFLICTING_ROWS"),
    ]


def test_a_dry_run_counts_and_changes_nothing(store: FileStore) -> None:
    job = import_content(store, HEADER + "1,Ann,Lee,ann@x.edu,Law,1,yes\n", dry_run=True)
    assert job.state == JobState.SUCCESS
    assert job.report is not None
    assert job.report["created"] == 1
    assert Voter.select().count() == 0


def messages_of(job: Job) -> dict[int, str]:
    faults = JobFault.select().where(JobFault.job == job.id)
    return {fault.line: fault.message for fault in faults}


def test_a_contradiction_also_names_rejected_lines_of_the_id(store: FileStore) -> None:
    job = import_content(
        store,
        HEADER
        + "1,Ann,Lee,ann@x.edu,Law,1,yes\n"
        + "1,Ann,Lee,ann@x.edu,Art,13,yes\n"  # contradicts
        + "1,Ann,Lee,,Law,1,yes\n"  # equal in all readable cells
        + "1,Ann,Lee,ann@x.edu,Law,1,yes\n"
        + "2,Ben,Ray,ben@x.edu,Law,1,yes\n"
        + "2,Ben,Ray,ben@x.edu,Art,1,yes\n"
        + "2,Ben,Ray,ben@x.edu,Law,13,yes\n",
    )
    messages = messages_of(job)
    assert "Lines 3, 4 and 5 give" in messages[2]
    assert "Lines 2, 3 and 4 give" in messages[5]
    assert "Lines 7 and 8 give" in messages[6]
    assert "Lines 6 and 8 give" in messages[7]
    assert "year of study" in messages[3]
    assert Voter.select().count() == 0


def test_rejects_beyond_the_memory_limit_contradict_good_rows(store: FileStore) -> None:
    """Bad rows before, between and after the good rows. Only the last good row is saved."""
    count = 2 * MAX_WAITING_REJECTS + 1
    bad = "".join(f"{number},Ann,Lee,nobody,Law,1,yes\n" for number in range(count))
    good = "".join(f"{number},Ann,Ash,a{number}@x.edu,Law,1,yes\n" for number in range(count))
    last = f"{count},Ann,Lee,last@x.edu,Law,1,yes\n"
    job = attempt(claim_job(store, HEADER + bad + good + bad + last), store, max_rows=10 * count)
    assert job.state == JobState.SUCCESS, job.error_message
    assert job.report is not None
    assert job.report["errors"] == {"INVALID_EMAIL": 2 * count, "CONFLICTING_ROWS": count}
    assert [voter.student_id for voter in Voter.select()] == [str(count)]


def test_many_good_and_bad_rows_of_one_id_take_linear_time(store: FileStore) -> None:
    """Comparing each row with each other row would take 100 million comparisons."""
    rows = ("1,Ann,Lee,ann@x.edu,Law,1,yes\n" + "1,Ann,Lee,,Law,1,yes\n") * 10_000
    started = time.monotonic()
    job = attempt(claim_job(store, HEADER + rows), store, max_rows=30_000)
    assert time.monotonic() - started < 20
    assert job.report is not None
    assert (job.report["created"], job.report["repeated"]) == (1, 9_999)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("name,town\nA,B\n", "MISSING_COLUMNS"),
        ("id,Student ID,email\n1,1,a@x.edu\n", "AMBIGUOUS_COLUMNS"),
        (HEADER, "NO_ROWS"),
        (HEADER + ",,,,,,\n", "NO_ROWS"),
        (HEADER + '1,"Ann,Lee,ann@x.edu,Law,1,yes\n', "UNCLOSED_QUOTE"),
        (HEADER + "".join(f"{n},,,a{n}@x.edu,,,\n" for n in range(1001)), "TOO_MANY_ROWS"),
    ],
)
def test_a_fault_of_the_file_fails_the_job_and_leaves_the_roll(
    store: FileStore, content: str, code: str
) -> None:
    import_content(store, HEADER + "1,Ann,Lee,ann@x.edu,Law,1,yes\n")
    job = import_content(store, content)
    assert (job.state, job.error_code) == (JobState.FAILURE, code)
    assert job.error_message
    assert job.report is None
    assert Voter.select().count() == 1


def test_a_lost_file_is_reported_as_such(store: FileStore) -> None:
    claim = claim_job(store, HEADER)
    job = jobs.find(claim.job_id)
    assert job is not None
    store.delete(job.file_key)
    assert attempt(claim, store).error_code == JobCode.FILE_LOST


def test_a_changed_file_is_not_imported(store: FileStore) -> None:
    claim = claim_job(store, HEADER + "1,Ann,Lee,ann@x.edu,Law,1,yes\n")
    job = jobs.find(claim.job_id)
    assert job is not None
    (store.folder / job.file_key).write_text(HEADER + "2,Ben,Ray,ben@x.edu,Law,1,yes\n")
    assert attempt(claim, store).error_code == JobCode.FILE_CHANGED
    assert Voter.select().count() == 0


def test_an_attempt_that_lost_its_job_changes_nothing(store: FileStore) -> None:
    claim = claim_job(store, HEADER + "1,Ann,Lee,ann@x.edu,Law,1,yes\n")
    Job.update(attempts=2).execute()
    job = attempt(claim, store)
    assert job.state == JobState.STARTED
    assert Voter.select().count() == 0


def test_an_attempt_that_loses_its_job_while_applying_rolls_back(store: FileStore) -> None:
    claim = claim_job(store, HEADER + "1,Ann,Lee,ann@x.edu,Law,1,yes\n")

    def take_over(phase: Phase, rows_read: int, percent: float | None) -> None:
        if phase is Phase.APPLYING:
            Job.update(attempts=2).execute()

    perform(claim, store=store, limits=Limits(10), max_attempts=2, on_progress=take_over)
    job = jobs.find(claim.job_id)
    assert job is not None
    assert job.state == JobState.STARTED
    assert Voter.select().count() == 0


class BrokenStore(FileStore):
    """A store that raises `error`: it is unavailable, or has an unexpected error."""

    def __init__(self, store: FileStore, error: Exception) -> None:
        super().__init__(store.folder)
        self.error = error

    def open(self, key: str) -> BinaryIO:
        raise self.error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StoreUnavailable("away"), JobCode.SERVICE_UNAVAILABLE),
        (StoreFull("full"), JobCode.DISK_FULL),
        (OperationalError("gone"), JobCode.SERVICE_UNAVAILABLE),
        (OSError(errno.ENOSPC, "No space left on device"), JobCode.DISK_FULL),
    ],
)
def test_an_outage_is_retried_and_fails_the_job_in_the_end(
    store: FileStore, error: Exception, code: JobCode
) -> None:
    claim = claim_job(store, HEADER)
    broken = BrokenStore(store, error)
    job = attempt(claim, broken)
    assert (job.state, job.deaths) == (JobState.RETRY, 1)
    Job.update(not_before=Job.created_at).execute()
    again = transitions.claim(claim.job_id, worker="w", lease_seconds=30, max_attempts=2)
    assert again is not None
    job = attempt(again, broken)
    assert (job.state, job.error_code) == (JobState.FAILURE, code)


def test_an_internal_error_is_shown_as_an_id_that_the_log_has(
    store: FileStore, caplog: pytest.LogCaptureFixture
) -> None:
    claim = claim_job(store, HEADER)
    job = attempt(claim, BrokenStore(store, RuntimeError("nobody thought of this")))
    [record] = [record for record in caplog.records if record.exc_info]
    assert job.error_code == JobCode.INTERNAL_ERROR
    assert record.__dict__["error_id"] in str(job.error_message)
    assert "nobody thought" not in str(job.error_message)


def test_the_log_of_an_import_holds_nothing_of_its_rows(
    store: FileStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="shared")
    import_content(
        store, HEADER + "S77,Zebedee,Quux,zq@x.edu,Law,1,yes\nS78,Zebedee,Quux,bad,Law,1,yes\n"
    )
    log = " ".join(str(vars(record)) for record in caplog.records)
    assert "attempt ended" in log
    for private in ("S77", "Zebedee", "Quux", "zq@x.edu"):
        assert private not in log


def test_progress_goes_from_reading_to_done(store: FileStore) -> None:
    claim = claim_job(store, HEADER + "1,Ann,Lee,ann@x.edu,Law,1,yes\n")
    phases: list[tuple[Phase, int]] = []
    perform(
        claim,
        store=store,
        limits=Limits(10),
        max_attempts=2,
        on_progress=lambda phase, rows_read, percent: phases.append((phase, rows_read)),
    )
    assert phases == [(Phase.APPLYING, 1), (Phase.DONE, 1)]


def test_what_the_file_turned_out_to_be_is_on_the_job(store: FileStore) -> None:
    job = import_content(store, "Matrikel;ID;E-Mail\n1;Müller;m@x.edu\n".encode("windows-1252"))
    assert (job.encoding, job.delimiter, job.format) == ("windows-1252", ";", "csv")
    assert job.report is not None
    assert job.report["warnings"] == {"ENCODING_ASSUMED": 1}


@pytest.mark.parametrize("content", [b"", b" \r\n", b"%PDF-1.7\n"])
def test_what_is_refused_at_once_is_not_kept(store: FileStore, content: bytes) -> None:
    with pytest.raises(FileFault):
        keep(io.BytesIO(content), "roll.csv", store=store, max_bytes=1 << 24)
    assert list(_files(store)) == []


def test_a_file_beyond_the_limit_is_not_kept(store: FileStore) -> None:
    with pytest.raises(TooLarge):
        keep(io.BytesIO(b"a,b\n" * 100), "roll.csv", store=store, max_bytes=399)
    assert list(_files(store)) == []


def test_a_file_exactly_at_the_limit_is_kept_with_hash_and_size(store: FileStore) -> None:
    file = keep(io.BytesIO(b"a,b\n" * 100), "roll.csv", store=store, max_bytes=400)
    assert file.size_bytes == 400
    assert len(file.sha256) == 64
    assert file.key != "roll.csv"


def _files(store: FileStore) -> Iterator[Path]:
    return store.folder.iterdir() if store.folder.exists() else iter(())


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("roll.csv", "roll.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\roll.csv", "roll.csv"),
        ("ro\r\nll\x00\u202e.csv", "ro__ll__.csv"),
        ("", "unnamed"),
        ("x" * 300, "x" * 255),
        ("Wählerliste 2026.csv", "Wählerliste 2026.csv"),
    ],
)
def test_a_client_s_file_name_is_only_ever_something_to_show(given: str, shown: str) -> None:
    assert printable_name(given) == shown


def rejects_of(job: Job, store: FileStore) -> str:
    assert job.rejects_key
    with store.open(job.rejects_key) as file:
        return file.read().decode("utf-8-sig")


def test_a_rejects_file_has_all_rejected_rows_to_fix_and_import(store: FileStore) -> None:
    job = import_content(
        store,
        "Matric No;E-mail;Dept;Hall\n"
        "001;ann@x.edu;=Law;South\n"
        "002;nobody;'t Hooft;-North\n"
        "003;cy@x.edu;Law;\n"
        "003;cy@x.edu;Art;\n",
    )
    text = rejects_of(job, store)
    lines = text.splitlines()
    assert lines[0] == "Matric No,E-mail,Dept,Hall,_line,_errors"
    assert lines[1].startswith("'002,nobody,'t Hooft,'-North,3,E-mail: INVALID_EMAIL.")
    assert [line.split(",")[4] for line in lines[1:]] == ["3", "4", "5"]
    corrected = text.replace("nobody", "ben@x.edu").replace(",Art,", ",Law,")
    job = import_content(store, corrected)
    assert job.report is not None
    assert (job.report["created"], job.report["rejected"]) == (2, 0)
    assert Voter.get_by_id("002").department == "'t Hooft"


def as_a_spreadsheet_saves_it(text: str) -> str:
    """A CSV text after a spreadsheet program has changed its numbers and dates."""

    def saved_text(cell: str) -> str:
        if re.fullmatch(r"\d+(\.\d+)?(E\d+)?", cell):
            return f"{float(cell):.6g}".upper() if len(cell) > 11 else f"{float(cell):g}"
        return "03. Apr" if re.fullmatch(r"\d+[-/]\d+", cell) else cell

    rows = csv.reader(io.StringIO(text, newline=""))
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=";").writerows([saved_text(cell) for cell in row] for row in rows)
    return file.getvalue()


def test_ids_come_back_whole_from_a_spreadsheet_program(store: FileStore) -> None:
    ids = ["00123", "20230123456789", "12E3", "3-4", "1.50", "MAR1", "77"]
    job = import_content(store, "id,email\n" + "".join(f"{key},nobody\n" for key in ids))
    assert job.report is not None
    assert job.report["rejected"] == len(ids)
    corrected = as_a_spreadsheet_saves_it(rejects_of(job, store)).replace("nobody", "a@x.edu")
    import_content(store, corrected)
    assert {voter.student_id for voter in Voter.select()} == set(ids)


def test_unchanged_rejects_are_rejected_again_with_equal_columns(store: FileStore) -> None:
    text = (
        "id,email,dept,hall\n"
        "1,a@x.edu,Law\n"
        "2,b@x.edu\n"
        "3,c@x.edu,Law,South,more\n"
        '4,d@x.edu,The "old" hall,"x"y\n'
        "05,nobody,-Law,0\n"
    )
    first = rejects_of(import_content(store, text), store)
    assert len(first.splitlines()) == 6
    again = rejects_of(import_content(store, first), store)
    once_more = rejects_of(import_content(store, again), store)
    assert len(again.splitlines()) == 6
    assert again.splitlines()[0] == "id,email,dept,hall,_line,_errors"
    assert again == once_more
    assert not Voter.select().count()


def test_a_disarmed_cell_is_armed_again_in_a_rejects_file_alone(store: FileStore) -> None:
    import_content(store, "id,email,dept,_line,_errors\n1,a@x.edu,'=Law,7,x\n")
    import_content(store, "id,email,dept\n2,b@x.edu,'=Law\n")
    assert [Voter.get_by_id(key).department for key in ("1", "2")] == ["=Law", "'=Law"]


def test_a_good_file_leaves_no_rejects_file(store: FileStore) -> None:
    job = import_content(store, HEADER + "1,Ann,Lee,ann@x.edu,Law,1,yes\n")
    assert job.rejects_key is None
    assert [path.name for path in _files(store)] == [job.file_key]


def test_an_attempt_failing_at_the_end_leaves_no_rejects_file(store: FileStore) -> None:
    claim = claim_job(store, HEADER + "1,Ann,Lee,nobody,Law,1,yes\n")

    def take_over(phase: Phase, rows_read: int, percent: float | None) -> None:
        if phase is Phase.APPLYING:
            Job.update(attempts=2).execute()

    perform(claim, store=store, limits=Limits(10), max_attempts=2, on_progress=take_over)
    assert len(list(_files(store))) == 1


def test_the_report_shows_columns_and_assumptions(store: FileStore) -> None:
    job = import_content(store, "Matric No;E-Mail;X\n1;m@x.edu;Müller\n".encode("windows-1252"))
    assert job.report is not None
    assert job.report["columns"] == {"student_id": "Matric No", "email": "E-Mail"}
    assert "Windows-1252" in job.report["assumptions"][0]


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([f"{n + 1000},a{n}@x.edu,D{n % 3},yes" for n in range(29)] + ["7,z@x.edu,D1,yes"],
         "ID_LENGTHS"),
        ([f"{n + 1000},a{n}@x.edu,D{n % 3},{'yes' if n == 0 else 'no'}" for n in range(30)],
         "MOSTLY_INELIGIBLE"),
        ([f"{n + 1000},a{n}@x.edu,Law,yes" for n in range(30)], "ONE_DEPARTMENT"),
        ([f"{n + 1000},a{n}@x.edu,D{n % 3},yes" for n in range(30)], None),
    ],
)  # fmt: skip
def test_what_is_odd_about_a_file_is_reported(
    store: FileStore, rows: list[str], code: str | None
) -> None:
    job = import_content(store, "\n".join(["id,email,dept,eligible", *rows, ""]))
    assert job.report is not None
    assert [sign["code"] for sign in job.report["signs"]] == ([code] if code else [])


def test_a_file_much_smaller_than_the_roll_is_odd(store: FileStore) -> None:
    import_content(store, "id,email\n" + "".join(f"{n},a{n}@x.edu\n" for n in range(100, 160)))
    job = import_content(
        store, "id,email\n" + "".join(f"{n},a{n}@x.edu\n" for n in range(100, 125))
    )
    assert job.report is not None
    assert [sign["code"] for sign in job.report["signs"]] == ["SMALL_ROLL"]


def test_the_options_of_the_upload_override_detection(store: FileStore) -> None:
    file = keep(
        io.BytesIO("id;email;dept\n1;a@x.edu;Пра\n".encode("cp1251")),
        "roll.csv",
        store=store,
        max_bytes=1000,
    )
    claim = jobs.create_started(
        file,
        uploaded_by="tests",
        dry_run=False,
        worker="w",
        lease_seconds=30,
        options={"encoding": "cp1251", "delimiter": ";"},
    )
    assert attempt(claim, store).state == JobState.SUCCESS
    assert Voter.get_by_id("1").department == "Пра"
