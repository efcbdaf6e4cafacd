"""The names in code keep the rules of docs/glossary.md."""

import ast
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from config.settings import PROJECT_ROOT
from tests.docs.prose import forbidden_names

ROOT = PROJECT_ROOT
PACKAGES = ("api", "shared", "consumer", "config", "dev", "chaos", "benchmarks", "samples")
# Released migrations do not change.
FILES = [
    file
    for package in PACKAGES
    for file in sorted((ROOT / package).rglob("*.py"))
    if "migrations" not in file.parts
]
FORBIDDEN = forbidden_names()


def names_in(code: str) -> Iterator[str]:
    """The names that a module gives to classes, functions, parameters, variables and attributes."""
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.MatchAs(name=str(name)):
                yield name
            case ast.arg(arg=name) | ast.alias(asname=str(name)):
                yield name
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name


def wrong_names(code: str) -> list[str]:
    """The names of a module that the glossary forbids, or that hide a package of ours."""
    return sorted(
        {
            name
            for name in names_in(code)
            if name in PACKAGES
            or any(fnmatchcase(name.strip("_").lower(), pattern) for pattern in FORBIDDEN)
        }
    )


@pytest.mark.parametrize("file", FILES, ids=[str(file.relative_to(ROOT)) for file in FILES])
def test_a_module_uses_the_names_of_the_glossary(file: Path) -> None:
    assert wrong_names(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("def create_person(): pass", ["create_person"]),
        ("class Person: pass", ["Person"]),
        ("def f(_told): pass", ["_told"]),
        ("if found := f(): pass", ["found"]),
        ("self.kept = 1", ["kept"]),
        ("shared = services()", ["shared"]),
        ("match x:\n    case known: pass", ["known"]),
        ("from a import b as given", ["given"]),
        ("kept_rows = [row for row in found_rows]\nprint(told)", []),
    ],
)
def test_a_wrong_name_in_code_is_found(code: str, names: list[str]) -> None:
    assert wrong_names(code) == names
