"""Cells that a spreadsheet program would run or change, made safe by an apostrophe in front.

It runs what begins like a formula (OWASP, CSV Injection), and of what it takes for a number or a
date it saves the value alone: 00123 becomes 123, and 3-4 the third of April.
"""

import re

_RUN = ("=", "+", "-", "@", "\t", "\r")
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
    """The text with an apostrophe in front if a spreadsheet program might run or change it."""
    if not text or text.isalpha():
        return text
    return f"'{text}" if _is_unsafe(text.lstrip("'")) else text


def arm(text: str) -> str:
    """What `disarm` was given."""
    return text[1:] if text.startswith("'") and _is_unsafe(text.lstrip("'")) else text


def _is_unsafe(text: str) -> bool:
    if text.startswith(_RUN):
        return True
    return len(text) <= _MAX_CHANGED_CHARS and _CHANGED.fullmatch(text.strip()) is not None


def disarm_text(text: str) -> str:
    """`disarm` for a cell that is known to be text, where a program may run but not change it.

    `arm` undoes it as well.
    """
    return f"'{text}" if text.startswith(_RUN) or arm(text) != text else text
