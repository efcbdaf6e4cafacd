"""All links and paths in the documents exist, and every page has a link to it."""

import re
from pathlib import Path

import pytest

from config.settings import PROJECT_ROOT

ROOT = PROJECT_ROOT
DOCS = ROOT / "docs"
FRONT = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")]
PAGES = [*FRONT, *sorted(DOCS.rglob("*.md"))]
LINK = re.compile(r"\]\((?!http)([^)#\s]*)(?:#([^)]+))?\)")
IMAGE = re.compile(r'src="([^"]+)"')
# A path within the project, or a test with its file.
NAMED = re.compile(r"`((?:\w+/)+[\w.-]+\.(?:py|md|yml|json|csv|xlsx))(?:::\w+)?`")
# `make run` makes the files below this folder.
MADE = re.compile(r"var/")

pytestmark = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub and similar sites give to the headings of a page."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_every_link_leads_to_a_page_and_to_a_heading_in_it(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for path, anchor in [*LINK.findall(text), *((source, "") for source in IMAGE.findall(text))]:
        target = page.parent / path if path else page
        assert target.exists(), path
        assert not anchor or anchor in anchors(target), f"{path}#{anchor}"


def test_every_file_that_is_named_exists(page: Path) -> None:
    for path in NAMED.findall(page.read_text(encoding="utf-8")):
        assert (ROOT / path).exists() or MADE.match(path), path


def test_every_page_or_its_folder_is_in_the_index(page: Path) -> None:
    index = DOCS / "README.md"
    listed = {(DOCS / path).resolve() for path, _ in LINK.findall(index.read_text("utf-8"))}
    assert {page, page.parent} & listed or page in (index, *FRONT)
