"""Every page is usable by everyone: narrow and dark, with a keyboard, with a screen reader."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.support.running import ROOT, Service
from tests.support.visitor import SIGN_IN, Visitor

SAMPLES = ROOT / "samples"
PHONE = {"width": 320, "height": 640}
FILES = (
    ("roll.csv", (SAMPLES / "roll.csv").read_bytes(), ""),
    ("roll.xlsx", (SAMPLES / "roll.xlsx").read_bytes(), "?dry_run=true"),
    ("no roll.csv", b"Town\nUlm\n", ""),
    (
        f"{'roll_of_the_autumn_term' * 8}.csv",
        b"student_id,email\n" + b"9" * 60 + b"," + b"x" * 60 + b"@students.example.edu\n",
        "",
    ),
)
SERIOUS = ("serious", "critical")
OF_COLOUR = ("color-contrast", "link-in-text-block")
# The elements that the keyboard reaches in turn. In a group of radio buttons, only the chosen one.
STOPS = """[...document.querySelectorAll("a[href], button, input, select, summary")].filter(
    each => !each.disabled && each.type !== "hidden" && (each.type !== "radio" || each.checked))"""
FOCUS = f"""() => {{
    const element = document.activeElement;
    const style = getComputedStyle(element);
    const box = element.getBoundingClientRect();
    const isSeen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2
        && box.width > 0 && box.left >= 0 && box.right <= innerWidth
        && box.top < innerHeight && box.bottom > 0;
    return [{STOPS}.indexOf(element), isSeen, element.outerHTML];
}}"""


@pytest.fixture(scope="module")
def addresses(_visitor: Visitor, site: Service) -> list[str]:
    """The paths of all pages, with something on each. One import is still running."""
    jobs = [site.upload(content, name, query=query) for name, content, query in FILES]
    for job in jobs:
        site.finished(job.body["task_id"])
    site.stop_worker()
    waiting = site.upload(*reversed(FILES[0][:2])).body["task_id"]
    jobs_pages = [f"/admin/imports/{job.body['task_id']}/" for job in jobs]
    page = _visitor.window()
    page.goto(f"/admin/imports/{waiting}/")
    menu = links(page.get_by_role("navigation", name="Pages").get_by_role("link"))
    single = []
    for address in menu:
        # From a page with a list, take one entry, if entries have their own pages.
        page.goto(address)
        single += links(page.locator("main tbody tr:first-child td:first-child a"))
    _visitor.close()
    return [
        SIGN_IN,
        "/admin/account/",
        "/admin/imports/?q=nothing",
        "/admin/no-such-page/",
        *jobs_pages,
        *menu,
        *single,
    ]


def links(anchors: Locator) -> list[str]:
    return [str(anchor.get_attribute("href")) for anchor in anchors.all()]


def open_page(page: Page, visitor: Visitor, address: str) -> None:
    """Open a page and unfold everything. The complaints about the error page are expected."""
    page.goto(address)
    page.locator("main h1").wait_for()
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    visitor.complaints[:] = [
        told for told in visitor.complaints if "no-such-page" not in page.url or "404" not in told
    ]


def test_no_page_is_wider_than_a_small_phone(visitor: Visitor, addresses: list[str]) -> None:
    page = visitor.window(viewport=PHONE, has_touch=True, is_mobile=True)
    wide = {}
    for address in addresses:
        open_page(page, visitor, address)
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > PHONE["width"]:
            wide[address] = width
    assert wide == {}


def test_no_page_has_a_serious_barrier_by_day_or_by_night(
    visitor: Visitor, addresses: list[str]
) -> None:
    page = visitor.window(reduced_motion="reduce")
    barriers = []
    for address in addresses:
        open_page(page, visitor, address)
        barriers += [(address, "light", *found) for found in serious_barriers(page)]
        page.emulate_media(color_scheme="dark")
        barriers += [(address, "dark", *found) for found in serious_barriers(page, *OF_COLOUR)]
        page.emulate_media(color_scheme="light")
    assert barriers == []


def test_a_barrier_would_be_found(visitor: Visitor) -> None:
    page = visitor.window()
    page.set_content("<html lang=en><title>A</title><p style='color: #ccc'>faint<img src='data:,'>")
    assert [name for name, _ in serious_barriers(page)] == ["color-contrast", "image-alt"]


def serious_barriers(page: Page, *rules: str) -> list[tuple[str, list[str]]]:
    """The accessibility rules that a page breaks, each with the elements that break it.

    Without `rules`, all rules are checked.
    """
    options: dict[str, object] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = {"type": "rule", "values": rules}
    return [
        (violation["id"], [node["html"] for node in violation["nodes"][:3]])
        for violation in Axe().run(page, options=options).response["violations"]
        if violation["impact"] in SERIOUS
    ]


def test_a_dark_page_is_dark_and_a_light_one_light(visitor: Visitor) -> None:
    shades = {}
    for scheme in ("light", "dark"):
        page = visitor.window(color_scheme=scheme)
        page.goto("/admin/")
        for part in ("backgroundColor", "color"):
            colour = page.evaluate(f"getComputedStyle(document.body).{part}")
            shades[scheme, part] = sum(map(int, colour.strip("rgb()").split(",")))
    assert shades["light", "backgroundColor"] > 600 > 200 > shades["light", "color"]
    assert shades["dark", "backgroundColor"] < 200 < 600 < shades["dark", "color"]


def test_tab_moves_a_visible_focus_in_order_on_every_page(
    visitor: Visitor, addresses: list[str]
) -> None:
    page = visitor.window()
    for address in addresses:
        open_page(page, visitor, address)
        stops = page.evaluate(f"{STOPS}.length")
        page.evaluate(f"{STOPS}[0].focus()")
        reached = [0]
        while reached[-1] != stops - 1:
            page.keyboard.press("Tab")
            stop, is_seen, element = page.evaluate(FOCUS)
            if stop == reached[-1] and 'type="date"' in element:
                continue  # A date field has stops inside, which the browser marks itself.
            assert (stop, is_seen) == (reached[-1] + 1, True), (address, element)
            reached.append(stop)


def test_the_skip_link_leads_past_the_menu(visitor: Visitor) -> None:
    page = visitor.window()
    page.goto("/admin/import/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_label("The registrar's file")).to_be_focused()
