"""`make screenshots`: take pictures of the pages and report mails, with the sample files.

Without an argument, it takes the pictures of docs/pages.md. With a folder as argument, it takes
every page and mail for a review, at both widths, light and dark.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page

from tests.support.chromium import launched
from tests.support.running import ROOT, Service, running_service, text_of
from tests.support.visitor import SIGN_IN, Visitor, create_user, send, task_id, wait_until_final

SAMPLES = ROOT / "samples"
VOTER = "/admin/voters/voter/?id=2400400"
PICTURES = ROOT / "docs" / "images"
PUBLIC_URL = "https://voters.example.edu"
WIDE, PHONE = 1200, 360
# The pictures of docs/pages.md: page, width, colour scheme and maximum height in pixels.
SHOWN = (
    ("home", WIDE, "light", 1000),
    ("home", PHONE, "dark", 1000),
    ("new-import", WIDE, "light", 1000),
    ("preview", WIDE, "light", 1000),
    ("result", WIDE, "dark", 1250),
    ("imports", WIDE, "light", 1000),
    ("voters", WIDE, "light", 900),
    ("voter", PHONE, "light", 1200),
    ("users", WIDE, "light", 1000),
    ("audit", WIDE, "light", 900),
    ("mail", WIDE, "light", 1700),
    ("mail", PHONE, "dark", 1000),
    ("mail-clean", PHONE, "light", 1000),
    ("mail-refused", PHONE, "dark", 1000),
    ("mail-preview", PHONE, "light", 1000),
)
ALL_OF_IT = 5000


def main(arguments: list[str]) -> None:
    """Take the pictures."""
    folder = Path(arguments[0]) if arguments else PICTURES
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as data,
        launched() as browser,
        running_service(Path(data), LOG_LEVEL="ERROR", PUBLIC_URL=PUBLIC_URL) as service,
    ):
        create_user(service, "Election office")
        create_user(service, "Observer", "viewer")
        visitor = Visitor(browser, service, "Election office")
        pages = dict(_pages(service, visitor))
        wanted = [
            (name, width, scheme, ALL_OF_IT)
            for name in pages
            for width in (WIDE, PHONE)
            for scheme in ("light", "dark")
        ]
        for name, width, scheme, most_high in wanted if arguments else SHOWN:
            page = visitor.window(
                color_scheme=scheme,
                viewport={"width": width, "height": 400},
                is_signed_in=name != "sign-in",
                reduced_motion="reduce",
                timezone_id="UTC",
            )
            _show(page, pages[name])
            picture = folder / f"{name}-{'wide' if width == WIDE else 'phone'}-{scheme}.png"
            height = page.evaluate(
                "Math.ceil(document.documentElement.getBoundingClientRect().height)"
            )
            page.set_viewport_size({"width": width, "height": min(height, most_high)})
            page.screenshot(path=picture, animations="disabled")
            page.close()


def _pages(service: Service, visitor: Visitor) -> Iterator[tuple[str, str]]:
    """Each page's name with its path, and each mail's name with its HTML. None is empty."""
    page = visitor.window()
    roll = (SAMPLES / "roll.csv").read_bytes()
    lines = roll.splitlines(keepends=True)
    few = b"".join([*lines[:2], *lines[-90:]]).replace(b",History,", b",Philosophy,")
    guests = b"".join([*lines[:2], *lines[-40:]])
    clean = _import(page, "exchange students.csv", guests)
    _import(page, "roll.xlsx", (SAMPLES / "roll.xlsx").read_bytes())
    result = _import(page, "roll.csv", roll)
    refused = _import(page, "towns.csv", b"Number;Town\n1;Ulm\n")
    _correct_a_voter(page)
    preview = _import(page, "roll, corrected.csv", few, at_once=False)
    page.close()
    yield "sign-in", SIGN_IN
    yield "home", "/admin/"
    yield "new-import", "/admin/import/"
    yield "preview", f"/admin/imports/{preview}/"
    yield "result", f"/admin/imports/{result}/"
    yield "refused", f"/admin/imports/{refused}/"
    yield "imports", "/admin/imports/"
    yield "voters", "/admin/voters/"
    yield "voter", VOTER
    yield "tokens", "/admin/tokens/"
    yield "users", "/admin/people/"
    yield "audit", "/admin/audit/"
    yield "password", "/admin/account/"
    yield "error", "/admin/no-such-page/"
    mails = {"": result, "-clean": clean, "-refused": refused, "-preview": preview}
    for suffix, job in mails.items():
        yield f"mail{suffix}", text_of(service.inbox.mail_for(job), "html")


def _import(page: Page, name: str, content: bytes, *, at_once: bool = True) -> str:
    """Upload a file, wait for the end of its job and return the job id."""
    mime_type = "application/octet-stream"
    send(page, {"name": name, "mimeType": mime_type, "buffer": content}, at_once=at_once)
    wait_until_final(page)
    return task_id(page)


def _correct_a_voter(page: Page) -> None:
    page.goto(VOTER)
    page.get_by_text("Correct this entry").click()
    page.get_by_label("Department").fill("History")
    page.get_by_label("Reason, for the history").fill("Changed subject, says the registrar")
    page.get_by_role("button", name="Save entry").click()
    page.get_by_role("status").wait_for()


def _show(page: Page, shown: str) -> None:
    if shown.startswith("/"):
        page.goto(shown)
    else:
        page.set_content(shown)


if __name__ == "__main__":
    main(sys.argv[1:])
