"""The sentences of Markdown, of templates and of messages in code, and the rules they keep.

Each `*_blocks` function turns the text of one file into blocks: a paragraph, a heading, a list
item, a table cell, a message. A sentence never goes from one block into the next. Code counts as
one word.
"""

import ast
import html
import re
from collections.abc import Iterable, Iterator

from config.settings import PROJECT_ROOT

MAX_WORDS = 25
GLOSSARY = PROJECT_ROOT / "docs" / "glossary.md"
# The replacement for a code span, a placeholder or a variable in a sentence.
CODE = "CODE"

_FRONT_MATTER = re.compile(r"\A---\n.*?^---$", re.M | re.S)
_FENCE = re.compile(r"^( *)```.*?^\1```$", re.M | re.S)
_CODE_SPAN = re.compile(r"`[^`]+`")
_IMAGE = re.compile(r"!\[([^\]]*)\]\([^)]*\)|<img[^>]*\balt=\"([^\"]*)\"[^>]*>")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_TAG = re.compile(r"<[^>]+>")
_ITEM = re.compile(r"^\s*(?:[-*]|\d+\.) ")
_HEADING = re.compile(r"^#+ ")
_SENTENCE_END = re.compile(r"(?<=[.!?])[)\"'”*_]*\s+")

_SCRIPT = re.compile(r"<(script|style)\b.*?</\1>|\{#.*?#\}|<!--.*?-->", re.S)
_STATEMENT = re.compile(r"\{%.*?%\}", re.S)
_EXPRESSION = re.compile(r"\{\{.*?\}\}", re.S)
_INLINE_TAG = re.compile(r"</?(?:a|abbr|b|code|em|i|kbd|small|span|strong|time)\b[^>]*>")
_MESSAGE = re.compile(r"[A-Z].* .*[.?!]", re.S)


def markdown_blocks(text: str) -> Iterator[str]:
    """The prose of a Markdown file, without code blocks and HTML tags."""
    for pattern, stand_in in ((_FRONT_MATTER, ""), (_FENCE, "\n"), (_CODE_SPAN, CODE)):
        text = pattern.sub(stand_in, text)
    text = _IMAGE.sub(lambda found: f"\n\n{found[1] or found[2]}\n\n", text)
    text = _TAG.sub(" ", _LINK.sub(r"\1", text))
    block: list[str] = []
    for line in [*text.splitlines(), ""]:
        is_block = line.startswith("|") or _HEADING.match(line)
        if is_block or _ITEM.match(line) or not line.strip():
            yield " ".join(block)
            block = []
        if is_block:
            yield from _HEADING.sub("", line).strip("|").split("|")
        else:
            block.append(_ITEM.sub("", line).strip().removeprefix("> "))


def template_blocks(text: str) -> Iterator[str]:
    """The prose of a Jinja template. A blank line or a tag that is not inline ends a block."""
    text = _EXPRESSION.sub(CODE, _STATEMENT.sub("\n\n", _SCRIPT.sub("\n\n", text)))
    text = html.unescape(_TAG.sub("\n\n", _INLINE_TAG.sub("", text)))
    yield from (" ".join(block.split()) for block in re.split(r"\n\s*\n", text))


def message_blocks(text: str) -> Iterator[str]:
    """The strings of a Python module that are sentences, without its docstrings."""
    tree = ast.parse(text)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    parts: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts |= {id(part) for part in node.values}
            message = "".join(_shown(part) for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            message = node.value
        else:
            continue
        if not {id(node)} & (docstrings | parts) and _MESSAGE.fullmatch(message):
            yield message


def _shown(part: ast.expr) -> str:
    return str(part.value) if isinstance(part, ast.Constant) else CODE


def sentences(blocks: Iterable[str]) -> Iterator[str]:
    for block in blocks:
        yield from filter(None, (part.strip() for part in _SENTENCE_END.split(block)))


def faults(sentence: str, forbidden: re.Pattern[str]) -> list[str]:
    """What a sentence does that `docs/writing.md` forbids."""
    found = [f"do not write {match[0]!r}" for match in forbidden.finditer(sentence)]
    if ";" in sentence:
        found.append("a semicolon")
    words = sum(1 for word in sentence.split() if re.search(r"\w", word))
    if words > MAX_WORDS:
        found.append(f"{words} words")
    return [f"{fault}: {sentence}" for fault in found]


def forbidden_words() -> re.Pattern[str]:
    """The words in code spans of the column "Do not write" of the glossary."""
    rows = re.findall(r"^\|.*\|([^|]*)\|$", GLOSSARY.read_text(encoding="utf-8"), re.M)
    words = sorted({word for row in rows for word in re.findall(r"`([^`]+)`", row)})
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})\b", re.I)
