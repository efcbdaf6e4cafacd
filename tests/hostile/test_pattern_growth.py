"""No regular expression of the product takes long, or matches wrongly in an older Python 3.11."""

import re
import time
from collections.abc import Callable
from re import _constants as op  # type: ignore[attr-defined] # no stubs
from re import _parser as parser  # type: ignore[attr-defined] # no stubs
from typing import Any

import pytest

from tests.support.patterns import (
    Pattern,
    compiled_patterns,
    hostile_texts,
    matched_from_start,
    operations,
    strings_in_code,
)

PATTERNS = compiled_patterns()
FROM_START = matched_from_start()
MATCHED_WRONGLY = {op.POSSESSIVE_REPEAT, op.ATOMIC_GROUP}
POSSESSIVE_TEXT = re.compile(r"(?:[*+?]|\d\})\+|\(\?>")
SIZE = 8_000
# A pattern with linear time takes a tenth of this for the text, even on a slow machine.
SUSPICIOUS_SECONDS = 0.01
ENDLESS_SECONDS = 0.2
# For four times the text, linear time is four times as long, and quadratic time sixteen times.
MAX_GROWTH = 9
# A pattern of openpyxl, which gets only number formats of at most 255 characters.
BOUNDED = {"shared.roll_file.workbooks.xlsx.styles.STRIP_RE"}


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_is_neither_possessive_nor_atomic(name: str) -> None:
    """CPython before 3.11.5 matches such patterns wrongly if they are nested (gh-106052)."""
    pattern = PATTERNS[name]
    tree = parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)
    assert not MATCHED_WRONGLY.intersection(operations(tree))


def test_no_piece_of_a_pattern_is_possessive_or_atomic() -> None:
    found = [place for place, text in strings_in_code() if POSSESSIVE_TEXT.search(text)]
    assert found == []


@pytest.mark.parametrize("text", [r"a*+", r"a++", r"[+]?+", r"a{2}+", r"(?>a)", r"(?:b(?>a|c))*"])
def test_a_possessive_or_atomic_pattern_would_be_found(text: str) -> None:
    assert MATCHED_WRONGLY.intersection(operations(parser.parse(text)))
    assert POSSESSIVE_TEXT.search(text)


@pytest.mark.parametrize("name", sorted(PATTERNS.keys() - BOUNDED))
def test_the_time_of_a_pattern_grows_with_its_text(name: str) -> None:
    pattern = PATTERNS[name]
    is_from_start = name.rpartition(".")[2] in FROM_START
    assert superlinear(pattern, pattern.fullmatch if is_from_start else pattern.search) is None


@pytest.mark.parametrize("text", [r"\[[^\]]*\]", r"\s+x", r"a*a*b"])
def test_a_slow_pattern_would_be_found(text: str) -> None:
    pattern = re.compile(text)
    assert superlinear(pattern, pattern.search) is not None


def superlinear(pattern: Pattern, find: Callable[[Any], object]) -> str | None:
    """The beginning of a text for which the pattern takes more than linear time, or None."""
    shorter = hostile_texts(pattern, SIZE // 4)
    for short, long in zip(shorter, hostile_texts(pattern, SIZE), strict=True):
        # If the short text is slow already, the long one could take too long for a test.
        if max(seconds(find, short[:24]), seconds(find, short)) > ENDLESS_SECONDS:
            return repr(short[:80])
        spent = seconds(find, long)
        if spent > SUSPICIOUS_SECONDS and spent > MAX_GROWTH * seconds(find, short):
            return repr(long[:80])
    return None


def seconds(find: Callable[[Any], object], text: str | bytes) -> float:
    """The shorter processor time of two searches in the text, in seconds."""
    times = []
    for _ in range(2):
        started = time.process_time()
        find(text)
        times.append(time.process_time() - started)
    return min(times)
