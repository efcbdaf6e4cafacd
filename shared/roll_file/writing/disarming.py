"""Put an apostrophe before cells that a spreadsheet program would run or change.

A program runs a cell that begins like a formula (OWASP, CSV Injection). It saves only the value of
a cell that it takes for a number or a date. For example, 00123 becomes 123, and 3-4 becomes the
third of April.

A program may split lines at another separator than ours, or at the line breaks in a cell. One cell
then becomes several. An apostrophe therefore precedes every character that could begin a formula in
that case.
"""

import re

# Includes the full-width forms, which programs in some languages treat as the same.
_SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20"
_RUN = re.compile(f"[{_SIGNS}\t\r\n]")
_BREAKS = ",;\t|\r\n\x0b\x0c\x85\u2028\u2029"
# Quotation marks may begin a cell, and blanks may be trimmed. No part can match in two ways.
_WITHIN = rf'(\A[" ]+|[{_BREAKS}][" ]*)'
_BARE_WITHIN = re.compile(rf"{_WITHIN}(?='*[{_SIGNS}])")
_DISARMED_WITHIN = re.compile(rf"{_WITHIN}'(?='*[{_SIGNS}])")
_MONTH = (
    "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
    # Month names of other languages of Western Europe, if they differ.
    "|mär|mai|mei|maj|okt|dez|gen|ene|fév|fev|avr|abr|mag|giu|lug|juin|juil|ago|aoû|set|ott|out"
    "|dic|déc)[^\\W\\d_]{0,6}[.]?"
)
_CHANGED = re.compile(
    # Digits, and what is between them in numbers, dates, times and fractions. A whole number of at
    # most 11 digits is excluded, because every program leaves it unchanged.
    r"(?!(?:0|[1-9]\d{0,10})\Z)[(.,$£€]?\d[\d.,:/ %)-]*(?<! )(?: [ap]m?)?"
    r"|\d+(?:[.,]\d*)?E[+-]?\d+"
    rf"|\d+[ ./-]*{_MONTH}(?:[ ./,-]*\d+)?"
    rf"|{_MONTH}[ ./,-]*\d+(?:[ ./,-]+\d+)?",
    re.IGNORECASE,
)
# A longer cell is not an id, and matching takes more than linear time.
_MAX_CHANGED_CHARS = 80


def disarm(text: str) -> str:
    """Add an apostrophe wherever a spreadsheet program might run or change the text."""
    if not text or text.isalpha():
        return text
    text = _disarm_within(text)
    return f"'{text}" if _is_unsafe(text.lstrip("'")) else text


def arm(text: str) -> str:
    """Undo `disarm`."""
    if "'" not in text:
        return text
    is_disarmed = text.startswith("'") and _is_unsafe(text.lstrip("'"))
    return _DISARMED_WITHIN.sub(r"\1", text[1:] if is_disarmed else text)


def _disarm_within(text: str) -> str:
    return text if text.isalnum() else _BARE_WITHIN.sub(r"\1'", text)


def _is_unsafe(text: str) -> bool:
    if _RUN.match(text):
        return True
    return len(text) <= _MAX_CHANGED_CHARS and _CHANGED.fullmatch(text.strip()) is not None


def disarm_text(text: str) -> str:
    """Disarm a cell with the type text, which a program may run but not change.

    `arm` undoes this too.
    """
    if _RUN.match(text):
        return f"'{_disarm_within(text)}"
    if arm(text) == text:
        return text
    return disarm(text)
