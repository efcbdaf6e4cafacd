import pytest

from shared.roll_file.errors import DESCRIPTIONS, FileCode, RowCode, SignCode, WarningCode
from shared.roll_file.report import Report


def example() -> Report:
    return Report(
        rows_read=1000, created=900, updated=50, unchanged=48, rejected=2, errors={"X": 2}
    )


def test_the_sentence_says_what_was_saved() -> None:
    assert example().sentence(dry_run=False) == (
        "File processing completed successfully: 998 of 1,000 rows saved"
        " (900 created, 50 updated, 48 unchanged), 2 rejected."
    )


def test_the_sentence_of_a_check_says_that_nothing_was_changed() -> None:
    assert example().sentence(dry_run=True) == (
        "File check completed: 998 of 1,000 rows would be saved"
        " (900 created, 50 updated, 48 unchanged), 2 rejected. Nothing was changed."
    )


def test_repeated_rows_count_as_saved_and_are_shown_if_any() -> None:
    report = Report(rows_read=3, created=1, repeated=2)
    assert report.saved == 3
    assert "3 of 3 rows saved (1 created, 0 updated, 0 unchanged, 2 repeated), 0 rejected" in (
        report.sentence(dry_run=False)
    )


@pytest.mark.parametrize(
    ("code", "mode"), [("NOT_CREATED", "update_only"), ("NOT_UPDATED", "create_only")]
)
def test_rows_that_a_mode_left_alone_are_not_saved(code: str, mode: str) -> None:
    report = Report(rows_read=4, created=1, unchanged=2, repeated=1, warnings={code: 2, "X": 1})
    report.check()
    assert (report.saved, report.left_alone) == (2, 2)
    assert (
        "2 of 4 rows saved (1 created, 0 updated, 2 unchanged, 1 repeated,"
        f" including 2 that {mode} skips), 0 rejected."
    ) in report.sentence(dry_run=False)


def test_a_report_survives_its_own_dictionary() -> None:
    values = example().to_dict()
    assert list(values) == [
        *("rows_read", "created", "updated", "unchanged", "repeated", "rejected", "blank_rows"),
        *("missing_columns", "ignored_columns", "missing_fields", "errors", "warnings"),
        *("columns", "assumptions", "signs", "eligibility_on", "eligibility_off"),
    ]
    assert Report.from_dict(values) == example()


def test_rows_that_are_not_accounted_for_are_an_error() -> None:
    report = example()
    report.check()
    report.rejected = 1
    with pytest.raises(ValueError, match="1000 rows read, 998 good, 1 rejected"):
        report.check()


def test_every_code_is_described_in_one_sentence() -> None:
    assert set(DESCRIPTIONS) == {*RowCode, *WarningCode, *SignCode, *FileCode}
    assert all(text.endswith(".") for text in DESCRIPTIONS.values())


def test_a_report_of_a_newer_worker_can_be_read() -> None:
    report = Report(rows_read=1, created=1)
    assert Report.from_dict({**report.to_dict(), "vanished": 3}) == report
