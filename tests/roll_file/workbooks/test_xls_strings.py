"""The lengths of the shared strings of an .xls, which its records may split at any place."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from shared.roll_file.workbooks.calamine.xls_strings import string_lengths


def string(text: str, *, runs: int, more_bytes: int) -> list[bytes]:
    """A string in the pieces that no record may split, one per character ([MS-XLS] 2.5.293)."""
    is_wide = not text.isascii()
    flags = is_wide | (0x04 if more_bytes else 0) | (0x08 if runs else 0)
    head = struct.pack("<HB", len(text), flags)
    head += struct.pack("<H", runs) if runs else b""
    head += struct.pack("<L", more_bytes) if more_bytes else b""
    characters = [sign.encode("utf-16-le") if is_wide else sign.encode() for sign in text]
    return [head, *characters, *([b"run."] * runs), *([b"."] * more_bytes)]


STRINGS = st.lists(
    st.tuples(st.text(st.sampled_from("abcé王"), max_size=9), st.integers(0, 2), st.integers(0, 3)),
    max_size=8,
)


@given(STRINGS, st.data())
def test_the_strings_of_a_table_have_their_lengths(
    strings: list[tuple[str, int, int]], data: st.DataObject
) -> None:
    contents = [struct.pack("<LL", 0, len(strings))]
    for text, runs, more_bytes in strings:
        pieces = string(text, runs=runs, more_bytes=more_bytes)
        for number, piece in enumerate(pieces):
            if data.draw(st.booleans()):
                # A text that continues in another record repeats the width of its characters.
                is_within = 0 < number <= len(text)
                contents.append(bytes([not text.isascii()]) if is_within else b"")
            contents[-1] += piece
    lengths = string_lengths(map(memoryview, contents))
    assert list(lengths) == [len(text) for text, _, _ in strings]


def test_a_table_that_ends_early_has_the_strings_up_to_there() -> None:
    table = struct.pack("<LLHB", 9, 9, 2, 0) + b"ab" + struct.pack("<HB", 9, 0) + b"a"
    assert list(string_lengths([memoryview(table)])) == [2]
    assert list(string_lengths([])) == []
