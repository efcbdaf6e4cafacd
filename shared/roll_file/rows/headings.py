"""Decide what a message may quote of a header or of the titles of sheets.

Messages go into emails and into logs of other programs. They must not contain what may be a voter's
data.
"""

MAX_CHARS_SHOWN = 60
# A year has this many digits. Most ids and telephone numbers have more.
MAX_HEADING_DIGITS = 4


def looks_like_data(label: str) -> bool:
    """Whether a label looks like an email address, an id, a date or a number, not a heading."""
    digits = sum(1 for sign in label if sign.isdigit())
    signs = sum(1 for sign in label if sign.isalnum())
    return "@" in label or digits > MAX_HEADING_DIGITS or 2 * digits > signs


def short_label(label: str) -> str:
    """Shorten a label or the title of a sheet to fit into a sentence."""
    return label if len(label) <= MAX_CHARS_SHOWN else f"{label[: MAX_CHARS_SHOWN - 1]}…"
