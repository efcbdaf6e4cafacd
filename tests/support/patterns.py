"""The compiled regular expressions of the product, and hostile texts made from each."""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from re import _constants as op  # type: ignore[attr-defined] # no stubs
from re import _parser as parser  # type: ignore[attr-defined] # no stubs
from types import ModuleType
from typing import Any

from config.settings import PROJECT_ROOT

PACKAGES = ("api", "consumer", "shared", "config")
ROOT = PROJECT_ROOT
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_CATEGORIES = {
    op.CATEGORY_DIGIT: "0",
    op.CATEGORY_SPACE: " ",
    op.CATEGORY_WORD: "a",
    op.CATEGORY_NOT_DIGIT: "a",
    op.CATEGORY_NOT_SPACE: "a",
    op.CATEGORY_NOT_WORD: "-",
}
# Code that matches a whole text or its beginning.
_FROM_START = re.compile(r"(\w+)\.(?:full)?match\b|_require\(self\.(\w+)")
_ANYWHERE = re.compile(r"(\w+)\.(?:search|subn?|split|findall|finditer)\b")
_REPEATS = (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT)

Pattern = re.Pattern[Any]


def compiled_patterns() -> dict[str, Pattern]:
    """Every pattern that a module of the product holds, by its dotted name."""
    found: dict[str, Pattern] = {}
    for module in _modules():
        for name, value in _patterns_of(module, module.__name__):
            found.setdefault(name, value)
    return found


def _modules() -> Iterator[ModuleType]:
    for package in map(importlib.import_module, PACKAGES):
        yield package
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                yield importlib.import_module(module.name)


def _patterns_of(holder: object, place: str) -> Iterator[tuple[str, Pattern]]:
    """The patterns in the values of a module, a class or a collection."""
    if isinstance(holder, re.Pattern):
        yield place, holder
    for name, value in _values(holder):
        yield from _patterns_of(value, f"{place}{name}")


def _values(holder: object) -> Iterable[tuple[str, object]]:
    if isinstance(holder, (tuple, list)):
        return [(f"[{number}]", value) for number, value in enumerate(holder)]
    if isinstance(holder, dict):
        return [(f"[{key!r}]", value) for key, value in holder.items()]
    if isinstance(holder, ModuleType) or (isinstance(holder, type) and _is_ours(holder)):
        return [
            (f".{name}", value)
            for name, value in vars(holder).items()
            if not isinstance(value, ModuleType) and not name.startswith("__")
        ]
    return ()


def _is_ours(kind: type) -> bool:
    return kind.__module__.partition(".")[0] in PACKAGES


def operations(tree: Iterable[Any]) -> Iterator[Any]:
    """Every operation of a parsed pattern."""
    for operation, argument in tree:
        yield operation
        for inner in _subpatterns(argument):
            yield from operations(inner)


def _subpatterns(argument: Any) -> Iterator[Any]:
    if isinstance(argument, parser.SubPattern):
        yield argument
    elif isinstance(argument, (tuple, list)):
        for part in argument:
            yield from _subpatterns(part)


def matched_from_start() -> set[str]:
    """The names of the patterns that the code matches only from the start of a text."""
    code = "\n".join(path.read_text(encoding="utf-8") for path in _sources())
    names = {first or second for first, second in _FROM_START.findall(code)}
    return names - set(_ANYWHERE.findall(code))


def _sources() -> Iterator[Path]:
    for package in PACKAGES:
        yield from ROOT.glob(f"{package}/**/*.py")


def strings_in_code() -> Iterator[tuple[str, str]]:
    """Every string in the product's code except docstrings, with file and line.

    Character classes are emptied. The pieces of patterns that are built at run time are included.
    """
    for path in _sources():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        documents = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and id(node) not in documents:
                text = node.value
                if isinstance(text, bytes):
                    text = text.decode("latin-1")
                if isinstance(text, str):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", _CLASS.sub("[]", text)


def hostile_texts(pattern: Pattern, size: int) -> Iterator[str | bytes]:
    """Texts of about `size` characters that repeat what the pattern can repeat."""
    tree = parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)
    units = sorted(_units(tree), key=lambda unit: (len(unit), unit))
    starts = dict.fromkeys(("", *_starts(tree)))
    for start in starts:
        for unit in units:
            for end in ("", "\x00"):
                text = start + unit * (size // len(unit)) + end
                yield text.encode("latin-1", "replace") if _is_bytes(pattern) else text


def _is_bytes(pattern: Pattern) -> bool:
    return isinstance(pattern.pattern, bytes)


def _units(tree: Any) -> set[str]:
    """Examples of what the pattern repeats, and single and paired characters."""
    signs = sorted({sign for _, sign in _signs(tree)})[:6]
    units = {*signs, *(first + second for first in signs for second in signs)}
    for body in _repeat_items(tree):
        units.add(example(body))
    units.add(example(tree))
    return {unit for unit in units if unit}


def _starts(tree: Any) -> Iterator[str]:
    """Examples of the text before each part of the pattern."""
    step = len(tree) // 8 + 1
    for end in range(step, len(tree), step):
        yield example(tree[:end])


def _repeat_items(tree: Iterable[Any]) -> Iterator[Any]:
    for operation, argument in tree:
        if operation in _REPEATS:
            yield argument[2]
        for inner in _subpatterns(argument):
            yield from _repeat_items(inner)


def _signs(tree: Iterable[Any]) -> Iterator[tuple[Any, str]]:
    for operation, argument in tree:
        if operation in (op.LITERAL, op.NOT_LITERAL, op.IN, op.ANY):
            yield operation, _sign(operation, argument)
            if operation is op.NOT_LITERAL:
                yield operation, chr(argument)
        for inner in _subpatterns(argument):
            yield from _signs(inner)


def example(tree: Iterable[Any]) -> str:
    """A short text that the pattern is likely to match."""
    text = ""
    for operation, argument in tree:
        if operation in (op.LITERAL, op.NOT_LITERAL, op.IN, op.ANY):
            text += _sign(operation, argument)
        elif operation is op.BRANCH:
            text += example(argument[1][0])
        elif operation is op.SUBPATTERN:
            text += example(argument[3])
        elif operation is op.ATOMIC_GROUP:
            text += example(argument)
        elif operation in _REPEATS:
            text += example(argument[2]) * max(argument[0], 1)
        elif operation is op.GROUPREF:
            text += "0"
    return text


def _sign(operation: Any, argument: Any) -> str:
    if operation is op.LITERAL:
        return chr(argument)
    if operation is op.IN:
        return _member(argument)
    return "a" if operation is op.ANY or argument != ord("a") else "b"


def _member(items: list[tuple[Any, Any]]) -> str:
    """A character of a class, or one that a negated class is likely to match."""
    members = [_member_of(*item) for item in items if item[0] is not op.NEGATE]
    if items[0][0] is not op.NEGATE:
        return members[0]
    return next(sign for sign in "a0-. \t~" if sign not in members)


def _member_of(operation: Any, argument: Any) -> str:
    if operation is op.RANGE:
        return chr(argument[0])
    return _CATEGORIES[argument] if operation is op.CATEGORY else chr(argument)
