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
_NAMES_HEADING = "## Names in code"

_FRONT_MATTER = re.compile(r"\A---\n.*?^---$", re.M | re.S)
_FENCE = re.compile(r"^( *)```.*?^\1```$", re.M | re.S)
_CODE_SPAN = re.compile(r"`[^`]+`")
_IMAGE = re.compile(r"!\[([^\]]*)\]\([^)]*\)|<img[^>]*\balt=\"([^\"]*)\"[^>]*>")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_TAG = re.compile(r"<[^>]+>")
_ITEM = re.compile(r"^\s*(?:[-*]|\d+\.) ")
_HEADING = re.compile(r"^#+ ")
_SENTENCE_END = re.compile(r"(?<=[.!?])[)\"'”*_]*\s+")

# A contract name and texts that are code, although they have the shape of a message.
_NAME = re.compile(r"\ATask status\b")
_NOT_PROSE = re.compile(r"(?:CREATE|INSERT|UPDATE|SELECT|WITH|attachment;|default-src)\s")
_SCRIPT = re.compile(r"<(script|style)\b.*?</\1>|\{#.*?#\}|<!--.*?-->", re.S)
_STATEMENT = re.compile(r"\{%.*?%\}", re.S)
_EXPRESSION = re.compile(r"\{\{.*?\}\}", re.S)
_INLINE_TAG = re.compile(r"</?(?:a|abbr|b|code|em|i|kbd|small|span|strong|time)\b[^>]*>")
_ATTRIBUTE = re.compile(r'\b(?:alt|aria-label|placeholder|title)="([^"]*)"')
_MESSAGE = re.compile(r"[A-Za-z`].* .*", re.S)
_STRING = re.compile(r'"([^"\n]*)"|\'([^\'\n]*)\'|`([^`\n]*)`')
_JS_COMMENT = re.compile(r"^\s*//.*$|/\*.*?\*/", re.M)
_JS_VARIABLE = re.compile(r"\$\{[^}]*\}")
_ALERT = re.compile(r"^ +(?:summary|description): (.*)$", re.M)


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
    """The prose of a Jinja template. A blank line or a tag that is not inline ends a block.

    The texts of attributes and the strings in Jinja's own code follow the prose.
    """
    text = _SCRIPT.sub("\n\n", text)
    found = [attribute for attribute in _ATTRIBUTE.findall(text) if "{" not in attribute]
    code = [*_STATEMENT.findall(text), *_EXPRESSION.findall(text)]
    found += [literal for part in code for literal in _strings(part) if " " in literal.strip()]
    text = _EXPRESSION.sub(CODE, _STATEMENT.sub("\n\n", text))
    text = html.unescape(_TAG.sub("\n\n", _INLINE_TAG.sub("", text)))
    yield from (" ".join(block.split()) for block in re.split(r"\n\s*\n", text))
    yield from found


def message_blocks(text: str) -> Iterator[str]:
    """The messages, labels and log lines of a Python module: strings of two words or more.

    Docstrings are not among them, except the help texts of commands.
    """
    tree = ast.parse(text)
    docstrings = set(map(id, _docstrings(tree)))
    parts: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts |= {id(part) for part in node.values}
            message = "".join(_shown(part) for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            message = node.value
        else:
            continue
        if not {id(node)} & (docstrings | parts) and _is_prose(message.strip()):
            yield from _paragraphs(_CODE_SPAN.sub(CODE, message))


def _docstrings(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and not _is_command(node):
                yield first.value


def _is_command(node: ast.AST) -> bool:
    decorators = node.decorator_list if isinstance(node, ast.FunctionDef) else []
    return any(".command(" in ast.unparse(decorator) for decorator in decorators)


def _is_prose(text: str) -> bool:
    return bool(_MESSAGE.fullmatch(text)) and not _NAME.match(text) and not _NOT_PROSE.match(text)


def _paragraphs(text: str) -> Iterator[str]:
    """The parts of a text between blank lines. An indented line is a part of its own."""
    yield from (" ".join(part.split()) for part in re.split(r"\n(?=\s)", text))


def _shown(part: ast.expr) -> str:
    return str(part.value) if isinstance(part, ast.Constant) else CODE


def script_blocks(text: str) -> Iterator[str]:
    """The messages of a JavaScript file: strings of two words or more."""
    text = _JS_VARIABLE.sub(CODE, _JS_COMMENT.sub("", text))
    yield from filter(_MESSAGE.fullmatch, _strings(text))


def _strings(code: str) -> Iterator[str]:
    yield from ("".join(groups) for groups in _STRING.findall(code))


def alert_blocks(text: str) -> Iterator[str]:
    """The summaries and descriptions of Prometheus alerts."""
    yield from (_CODE_SPAN.sub(CODE, found.strip('"')) for found in _ALERT.findall(text))


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
    """The words that no text may have, from the tables before the names in code."""
    prose, _, _ = GLOSSARY.read_text(encoding="utf-8").partition(_NAMES_HEADING)
    words = sorted(set(_last_column(prose)))
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})\b", re.I)


def forbidden_names() -> list[str]:
    """The patterns of names that no code may have."""
    _, _, names = GLOSSARY.read_text(encoding="utf-8").partition(_NAMES_HEADING)
    return _last_column(names)


def _last_column(tables: str) -> list[str]:
    """The code spans in the column "Do not write"."""
    rows = re.findall(r"^\|.*\|([^|]*)\|$", tables, re.M)
    return [word for row in rows for word in re.findall(r"`([^`]+)`", row)]
