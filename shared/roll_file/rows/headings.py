"""What a message may quote of a header, and of the titles of sheets.

Messages go into mails and logs of other programs, so they hold nothing that may be a voter's data.
"""

MAX_CHARS_SHOWN = 60
# As many as the number of a year has, and fewer than most ids and telephone numbers.
MAX_HEADING_DIGITS = 4


def looks_like_data(label: str) -> bool:
    """Whether a label is more likely an address, an id, a date or a number than a heading."""
    digits = sum(map(str.isdigit, label))
    signs = sum(map(str.isalnum, label))
    return "@" in label or digits > MAX_HEADING_DIGITS or 2 * digits > signs


def short_label(label: str) -> str:
    """As much of a label or of a sheet's title as a sentence has room for."""
    return label if len(label) <= MAX_CHARS_SHOWN else f"{label[: MAX_CHARS_SHOWN - 1]}…"
