"""Text as the roll keeps it: trimmed, composed, and safe to show.

No other module may call `unicodedata.normalize`. It takes quadratic time for combining marks, so
this module checks the length of a text first.
"""

import re
from unicodedata import category, is_normalized, normalize

from shared.roll_file.errors import MAX_VALUE_CHARS, TextTooLong

# Unicode's White_Space property (PropList.txt). `str.strip` alone would also remove four separator
# controls (U+001C to U+001F), which are a fault and not a space.
_WHITE_SPACE = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
# Zero-width spaces and joiners, the word joiner, the BOM, the soft hyphen, and direction marks.
# Copying from Outlook, Windows or a right-to-left page leaves direction marks at a cell's ends.
_ZERO_WIDTH = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff" + "".join(
    map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
)
_TRIMMED = _WHITE_SPACE + _ZERO_WIDTH
# Cc without tab, newline and carriage return, then lone surrogates, then direction overrides.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]"
)
# Marks that are invisible, so that two addresses would look alike (Mn characters with Unicode's
# Default_Ignorable_Code_Point): the grapheme joiner, two Khmer vowels, and variation selectors.
_UNSEEN_MARKS = re.compile(
    "[\u034f\u17b4\u17b5\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"})
# NFC composes at most four characters into one: U+1F82 is a letter and three marks.
COMPOSED_CHARS = 4
# More marks on one letter than any language writes (UAX #15, section 13). The pattern matches
# category names.
_MANY_MARKS = re.compile("(?:M[a-z]){31}")
# No alias of a heading is nearly as long.
MAX_FOLDED_CHARS = 100


def trim(text: str) -> str:
    """Remove white space (NBSP too) and zero-width characters at both ends."""
    return text.strip(_TRIMMED)


def clean(text: str, max_chars: int) -> str:
    """Trim the text and compose it (NFC), so equal names compare equal. Raises `TextTooLong`."""
    short_text = trim(text)
    return short_text if _is_short(short_text, max_chars) else trim(compose(short_text, max_chars))


def compose(text: str, max_chars: int) -> str:
    """Return the text in NFC.

    Raises `TextTooLong`. Does no work on a text that would stay too long.
    """
    if len(text) > max_chars and not _may_become_short(text, max_chars):
        raise TextTooLong(len(text))
    nfc_text = text if is_composed(text) else normalize("NFC", text)
    if len(nfc_text) > max_chars:
        raise TextTooLong(len(nfc_text))
    return nfc_text


def is_composed(text: str) -> bool:
    """Whether the text is in NFC. Takes linear time."""
    return text.isascii() or is_normalized("NFC", text)


def _is_short(text: str, max_chars: int) -> bool:
    return len(text) <= max_chars and text.isascii()


def _may_become_short(text: str, max_chars: int) -> bool:
    """Whether composing can make the text short enough, in linear time."""
    if text.isascii() or len(text) > COMPOSED_CHARS * max_chars:
        return False
    return not _MANY_MARKS.search("".join(map(category, text)))


def fold(text: str) -> str:
    """Return the form in which equal headings are equal: NFKC in one case. A long text is ""."""
    if len(text) > MAX_FOLDED_CHARS:
        return ""
    return text.casefold() if text.isascii() else normalize("NFKC", text).casefold()


def forbidden_in_text(text: str) -> str | None:
    """Return the first control character that no name has. Line breaks and tabs are allowed."""
    match = _FORBIDDEN.search(text)
    return match.group() if match else None


def invisible(text: str) -> str | None:
    """Return the first invisible character, or one that looks like a space.

    An id or an email address must not contain any.
    """
    if text.isprintable():
        return None
    return next((sign for sign in text if sign != " " and category(sign) in _INVISIBLE), None)


def is_mark(sign: str) -> bool:
    """Whether a character is a visible part of the letter before it (Unicode's Mn and Mc)."""
    return category(sign) in ("Mn", "Mc") and not _UNSEEN_MARKS.match(sign)


def printable(text: str) -> str:
    """Spell out the control characters of a text, for databases and terminals."""
    return _FORBIDDEN.sub(lambda match: f"<{code_point(match.group())}>", text)


def shorten(text: str) -> str:
    """Return at most 200 characters, printable."""
    visible_text = printable(text[: MAX_VALUE_CHARS + 1])
    return (
        visible_text
        if len(visible_text) <= MAX_VALUE_CHARS
        else f"{visible_text[: MAX_VALUE_CHARS - 1]}…"
    )


def code_point(sign: str) -> str:
    """Return the code point of a character for look-ups, such as U+200B."""
    return f"U+{ord(sign):04X}"
