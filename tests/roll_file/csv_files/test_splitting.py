import csv

import pytest

from shared.roll_file.csv_files.splitting import MAX_CELL_CHARS, split_lines


def test_the_limit_of_a_cell_is_set_for_the_process() -> None:
    assert csv.field_size_limit() == MAX_CELL_CHARS


def test_a_cell_of_several_lines_has_a_limit() -> None:
    line = "x" * 1023 + "\n"
    whole = ['"', *[line] * (MAX_CELL_CHARS // 1024 - 1), '"']
    assert len(next(split_lines(whole, ","))[0]) == MAX_CELL_CHARS - 1024
    with pytest.raises(csv.Error, match="field larger than field limit"):
        next(split_lines(['"', *[line] * (MAX_CELL_CHARS // 1024 + 1)], ","))


def test_text_after_a_mark_is_an_error_only_if_strict() -> None:
    assert next(split_lines(['"a"b, c'], ",")) == ["ab", "c"]
    with pytest.raises(csv.Error, match="expected after"):
        next(split_lines(['"a"b, c'], ",", strict=True))
