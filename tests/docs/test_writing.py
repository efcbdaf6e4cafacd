"""The texts keep the rules of docs/writing.md that a program can check."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.settings import PROJECT_ROOT
from tests.docs.prose import (
    MAX_WORDS,
    faults,
    forbidden_words,
    markdown_blocks,
    message_blocks,
    sentences,
    template_blocks,
)

ROOT = PROJECT_ROOT
# What is held: the files of a pattern, and the function that finds the prose in one. Templates and
# messages come next, with a line such as ("api/admin/templates/**/*.html", template_blocks) or
# ("api/**/*.py", message_blocks).
HELD: tuple[tuple[str, Callable[[str], Iterator[str]]], ...] = (
    ("*.md", markdown_blocks),
    ("docs/**/*.md", markdown_blocks),
    (".github/**/*.md", markdown_blocks),
)
# Texts that are still to be rewritten; a file leaves this list with its rewriting.
NOT_YET = ("docs/reference/*.md",)

WAITING = {file for pattern in NOT_YET for file in ROOT.glob(pattern)}
FILES = [
    (file, blocks)
    for pattern, blocks in HELD
    for file in sorted(ROOT.glob(pattern))
    if file not in WAITING
]
FORBIDDEN = forbidden_words()


@pytest.mark.parametrize(
    ("file", "blocks"), FILES, ids=[str(file.relative_to(ROOT)) for file, _ in FILES]
)
def test_a_text_keeps_the_rules(file: Path, blocks: Callable[[str], Iterator[str]]) -> None:
    found = sentences(blocks(file.read_text(encoding="utf-8")))
    assert [fault for sentence in found for fault in faults(sentence, FORBIDDEN)] == []


@pytest.mark.parametrize("pattern", [*NOT_YET, *(pattern for pattern, _ in HELD)])
def test_a_pattern_of_the_lists_matches_a_file(pattern: str) -> None:
    assert list(ROOT.glob(pattern))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("# A heading\nOne. Two\nlines: `a; b`.", ["A heading", "One.", "Two lines: CODE."]),
        ("- [Link](to.md)\n  goes on\n- next", ["Link goes on", "next"]),
        ("| head | one |\n|---|---|\n| `x|y` | A. B |", ["head", "one", "CODE", "A.", "B"]),
        ("Before\n```sh\nmend; it\n```\nafter", ["Before", "after"]),
        ('---\nabout: x\n---\n![Alt](a.png)\n<img src="b.png" alt="Text">', ["Alt", "Text"]),
    ],
)
def test_markdown_gives_its_sentences(text: str, found: list[str]) -> None:
    without_rules = (part for part in sentences(markdown_blocks(text)) if re.search(r"\w", part))
    assert list(without_rules) == found


def test_a_template_gives_its_sentences() -> None:
    text = "<h1>Rows &amp; files</h1><p>See <b>{{ a; b }}</b>.\n{% if x %}<br>No{# no #}</p>"
    assert list(sentences(template_blocks(text))) == ["Rows & files", "See CODE.", "No"]


def test_a_module_gives_its_messages() -> None:
    text = '"""A docstring. No."""\nraise Fault("Name the column.", f"Wait {x} s.", "SELECT a")\n'
    assert list(message_blocks(text)) == ["Name the column.", "Wait CODE s."]


@pytest.mark.parametrize(
    ("sentence", "fault"),
    [
        ("One; two.", "a semicolon"),
        ("word " * (MAX_WORDS + 1), f"{MAX_WORDS + 1} words"),
        ("Enter it Anew.", "do not write 'Anew'"),
        ("It waits for ever.", "do not write 'for ever'"),
    ],
)
def test_a_broken_rule_is_found(sentence: str, fault: str) -> None:
    assert [found.partition(": ")[0] for found in faults(sentence, FORBIDDEN)] == [fault]


def test_a_sentence_within_the_rules_has_no_fault() -> None:
    assert faults("word " * MAX_WORDS, FORBIDDEN) == []
