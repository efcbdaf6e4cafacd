"""The committed sample files are what their generator makes."""

from samples.generate import FOLDER, messy_csv, tidy_xlsx


def test_the_csv_sample_is_the_generated_one() -> None:
    assert (FOLDER / "roll.csv").read_bytes() == messy_csv()


def test_the_workbook_sample_is_the_generated_one() -> None:
    assert (FOLDER / "roll.xlsx").read_bytes() == tidy_xlsx()
