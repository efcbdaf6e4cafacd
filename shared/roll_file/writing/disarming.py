"""Cells that a spreadsheet program would run or change, made safe by an apostrophe in front.

It runs what begins like a formula (OWASP, CSV Injection), and of what it takes for a number or a
date it saves the value alone: 00123 becomes 123, and 3-4 the third of April.

A program that splits lines at another separator than ours, or at the line breaks in a cell, makes
several cells of one. So an apostrophe stands before every sign that could then begin a formula.
"""

import re

# With the full-width forms, which some languages' programs take for the same.
_SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20"
_RUN = re.compile(f"[{_SIGNS}\t\r\n]")
_BREAKS = ",;\t|\r\n\x0b\x0c\x85\u2028\u2029"
# Quotation marks may begin a cell and blanks may be trimmed. No part can match in two ways.
_WITHIN = rf'(\A[" ]+|[{_BREAKS}][" ]*)'
_BARE_WITHIN = re.compile(rf"{_WITHIN}(?='*[{_SIGNS}])")
_DISARMED_WITHIN = re.compile(rf"{_WITHIN}'(?='*[{_SIGNS}])")
_MONTH = (
    "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
    # Those of other languages of Western Europe, where they differ.
    "|mär|mai|mei|maj|okt|dez|gen|ene|fév|fev|avr|abr|mag|giu|lug|juin|juil|ago|aoû|set|ott|out"
    "|dic|déc)[^\\W\\d_]{0,6}[.]?"
)
_CHANGED = re.compile(
    # Digits and what stands between those of numbers, dates, times and fractions; but every
    # program leaves a whole number of at most 11 digits alone.
    r"(?!(?:0|[1-9]\d{0,10})\Z)[(.,$£€]?\d[\d.,:/ %)-]*(?<! )(?: [ap]m?)?"
    r"|\d+(?:[.,]\d*)?E[+-]?\d+"
    rf"|\d+[ ./-]*{_MONTH}(?:[ ./,-]*\d+)?"
    rf"|{_MONTH}[ ./,-]*\d+(?:[ ./,-]+\d+)?",
    re.IGNORECASE,
)
# A longer cell is no id, and matching takes more than linear time.
_MAX_CHANGED_CHARS = 80


def disarm(text: str) -> str:
    """The text with an apostrophe wherever a spreadsheet program might run or change it."""
    if not text or text.isalpha():
        return text
    text = _disarm_within(text)
    return f"'{text}" if _is_unsafe(text.lstrip("'")) else text


def arm(text: str) -> str:
    """What `disarm` was given."""
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
    """`disarm` for a cell that is known to be text, where a program may run but not change it.

    `arm` undoes it as well.
    """
    if _RUN.match(text):
        return f"'{_disarm_within(text)}"
    if arm(text) == text:
        return text
    return disarm(text)
