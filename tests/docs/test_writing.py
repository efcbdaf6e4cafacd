"""The texts keep the rules of docs/writing.md that a program can check."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.settings import PROJECT_ROOT
from tests.docs.prose import (
    MAX_WORDS,
    alert_blocks,
    faults,
    forbidden_words,
    markdown_blocks,
    message_blocks,
    script_blocks,
    sentences,
    template_blocks,
)

ROOT = PROJECT_ROOT
# The files of each pattern, and the function that finds the prose in one.
HELD: tuple[tuple[str, Callable[[str], Iterator[str]]], ...] = (
    ("*.md", markdown_blocks),
    ("docs/**/*.md", markdown_blocks),
    (".github/**/*.md", markdown_blocks),
    ("docs/monitoring/*.yml", alert_blocks),
    ("api/**/*.html", template_blocks),
    ("api/admin/static/*.js", script_blocks),
    ("api/**/*.py", message_blocks),
    ("shared/**/*.py", message_blocks),
    ("consumer/mail/templates/*.html", template_blocks),
    ("consumer/**/*.py", message_blocks),
    ("config/**/*.py", message_blocks),
    ("dev/**/*.py", message_blocks),
)
FILES = [(file, blocks) for pattern, blocks in HELD for file in sorted(ROOT.glob(pattern))]
FORBIDDEN = forbidden_words()


@pytest.mark.parametrize(
    ("file", "blocks"), FILES, ids=[str(file.relative_to(ROOT)) for file, _ in FILES]
)
def test_a_text_keeps_the_rules(file: Path, blocks: Callable[[str], Iterator[str]]) -> None:
    found = sentences(blocks(file.read_text(encoding="utf-8")))
    assert [fault for sentence in found for fault in faults(sentence, FORBIDDEN)] == []


@pytest.mark.parametrize("pattern", [pattern for pattern, _ in HELD])
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


def test_a_template_gives_its_attributes_and_strings() -> None:
    text = '<nav aria-label="Pages" title="{{ x }}">{{ act("go", "Apply it") }}</nav>'
    assert list(sentences(template_blocks(text))) == ["CODE", "Pages", "Apply it"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            '"""A docstring. No."""\nraise Fault("Name it.", f"Wait {x} s.")',
            ["Name it.", "Wait CODE s."],
        ),
        ('label("Next steps", "no-label", "`a; b` is it")', ["Next steps", "CODE is it"]),
        ('echo("One.\\nGoes on.\\n\\n  curl x\\n")', ["One.", "Goes on.", "curl x"]),
        ('header("attachment; filename=x", "Task status")', []),
        ('@click.command()\ndef go():\n    """Start it; now."""', ["Start it; now."]),
        ('@expose("/")\ndef page():\n    """Show it; now."""', []),
    ],
)
def test_a_module_gives_its_messages(text: str, found: list[str]) -> None:
    assert list(sentences(message_blocks(text))) == found


def test_a_script_gives_its_messages() -> None:
    text = '// "No; comment"\nshow("main .error", `Sent: ${x} %`, "progress");'
    assert list(script_blocks(text)) == ["main .error", "Sent: CODE %"]


def test_an_alert_gives_its_sentences() -> None:
    text = 'expr: a b\n  summary: It waits.\n  description: "`a; b` names it."\n'
    assert list(alert_blocks(text)) == ["It waits.", "CODE names it."]


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
