"""A file from an election officer to the roll, in a real browser."""

from pathlib import Path

from playwright.sync_api import FilePayload, Page, expect

from tests.support.frozen import frozen_job, frozen_worker
from tests.support.running import ROOT, text_of, wait_for
from tests.support.visitor import (
    Visitor,
    drop,
    outcome,
    send,
    task_id,
    wait_until_final,
)

WORKBOOK = ROOT / "samples" / "roll.xlsx"
HEADER = "student_id,first_name,last_name,email,department,year,is_eligible\n"
MARKUP = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
FILE_NAME = f"{MARKUP.replace('/', '_')}.csv"
LOST = "The connection broke off. Nothing was imported. Upload the file again."


def csv_file(name: str, *rows: str, header: str = HEADER) -> FilePayload:
    content = header + "".join(f"{row}\n" for row in rows)
    return {"name": name, "mimeType": "text/csv", "buffer": content.encode()}


def figures(page: Page) -> dict[str, str]:
    """The counts on the page of a job, by their labels."""
    pairs = page.locator("[aria-labelledby=outcome] .figures > div")
    return dict(pair.split("\n") for pair in pairs.all_inner_texts())


def chosen_file(page: Page) -> str:
    """The name of the chosen file in the form."""
    name = "field => field.files[0]?.name"
    return str(page.get_by_label("The registrar's file").evaluate(name))


def test_a_dropped_workbook_is_previewed_applied_and_fixed(
    visitor: Visitor, tmp_path: Path
) -> None:
    """The officer downloads the rejected rows, fixes them and uploads them."""
    page = visitor.window(accept_downloads=True)
    page.goto("/admin/")
    page.get_by_role("link", name="Import a file").first.click()
    drop(page, WORKBOOK)
    assert chosen_file(page) == "roll.xlsx"
    page.get_by_role("button", name="Upload file").click()
    wait_until_final(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Preview of roll.xlsx")
    assert outcome(page).startswith("File check completed: 298 of 300 rows would be saved")
    assert figures(page)["Would be created"] == "298"
    before = visitor.service.voters()
    assert "2400400" not in before

    page.get_by_role("button", name="Apply to the roll").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Import of roll.xlsx")
    wait_until_final(page)
    assert figures(page) == {
        "Rows read": "300",
        "Created": "298",
        "Updated": "0",
        "Unchanged": "0",
        "Repeated in the file": "0",
        "Rejected": "2",
    }
    faults = page.get_by_role("region", name="Rows to fix")
    expect(faults.get_by_text("INVALID_YEAR")).to_be_visible()

    with page.expect_download() as download:
        page.get_by_role("link", name="Download rejected rows").click()
    rejects = tmp_path / download.value.suggested_filename
    download.value.save_as(rejects)
    text = rejects.read_text(encoding="utf-8-sig")
    assert text.count(",42,") == 1
    rejects.write_text(text.replace(",42,", ",4,"), encoding="utf-8")
    send(page, rejects, at_once=True)
    wait_until_final(page)
    assert (figures(page)["Created"], figures(page)["Rejected"]) == ("1", "1")
    roll = visitor.service.voters()
    assert len(roll) == len(before) + 299

    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Home").click()
    expect(page.locator(".figures").get_by_text(f"{len(roll):,}")).to_be_visible()


def test_a_file_dropped_outside_the_field_is_taken_too(visitor: Visitor) -> None:
    page = visitor.window()
    page.goto("/admin/import/")
    drop(page, WORKBOOK, onto="h1")
    assert chosen_file(page) == "roll.xlsx"


def test_a_file_is_imported_with_the_keyboard_alone(visitor: Visitor) -> None:
    page = visitor.window()
    # Playwright needs a moment after the first listener to catch choosers. A key press is faster.
    page.on("filechooser", lambda _: None)
    page.goto("/admin/import/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("input[type=file]")).to_be_focused()
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(csv_file("keys.csv", "keys-1,A,B,keys@x.edu,Law,1,yes"))
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("Import now")).to_be_checked()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Upload file")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/imports/*/")
    wait_until_final(page)
    assert figures(page)["Created"] == "1"


def test_the_progress_of_a_large_file_is_shown_until_its_end(
    visitor: Visitor, tmp_path: Path
) -> None:
    roll = tmp_path / "large.csv"
    rows = (f"big-{number},A,B,big{number}@x.edu,Law,1,yes\n" for number in range(150_000))
    roll.write_text(HEADER + "".join(rows), encoding="utf-8")
    page = visitor.window()
    with frozen_worker(visitor.service):
        send(page, roll)
    with frozen_job(visitor.service, task_id(page)) as job:
        bar = page.locator("progress")
        shown = wait_for(lambda: bar.evaluate("bar => bar.value"), "the bar stands still")
        assert shown == job.status["progress"]["percent"] < 100
        expect(page.locator("[data-status]")).to_contain_text("rows")
    wait_until_final(page)
    assert outcome(page).startswith("File check completed: 150,000 of 150,000 rows")
    expect(page.get_by_role("progressbar")).to_have_count(0)


def test_a_preview_applied_in_another_tab_is_not_applied_twice(visitor: Visitor) -> None:
    page = visitor.window()
    send(page, csv_file("two tabs.csv", "tab-1,A,B,tab@x.edu,Law,1,yes"))
    wait_until_final(page)
    other_tab = page.context.new_page()
    other_tab.goto(page.url)
    page.get_by_role("button", name="Apply to the roll").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Import of two tabs.csv")
    wait_until_final(page)
    assert figures(page)["Created"] == "1"
    other_tab.get_by_role("button", name="Apply to the roll").click()
    expect(other_tab).to_have_url(page.url)
    expect(other_tab.get_by_role("heading", level=1)).to_have_text("Import of two tabs.csv")


def test_a_file_that_is_no_roll_is_refused_and_another_accepted(visitor: Visitor) -> None:
    page = visitor.window()
    page.goto("/admin/import/")
    document: FilePayload = {
        "name": "roll.csv",
        "mimeType": "text/csv",
        "buffer": b"%PDF-1.7\n%\xe2\xe3",
    }
    field = page.get_by_label("The registrar's file")
    field.set_input_files(document)
    page.get_by_role("button", name="Upload file").click()
    expect(page.get_by_role("alert")).to_contain_text("looks like a PDF document")
    expect(field).to_be_focused()
    field.set_input_files(csv_file("good.csv", "ok-1,A,B,ok@x.edu,Law,1,yes"))
    expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_role("button", name="Upload file").click()
    page.wait_for_url("**/admin/imports/*/")
    wait_until_final(page)


def test_a_connection_lost_while_sending_is_reported(visitor: Visitor) -> None:
    page = visitor.window()
    page.goto("/admin/import/")
    page.get_by_label("The registrar's file").set_input_files(WORKBOOK)
    page.context.set_offline(True)
    page.get_by_role("button", name="Upload file").click()
    expect(page.get_by_role("alert")).to_have_text(LOST)
    assert all("ERR_INTERNET_DISCONNECTED" in told for told in visitor.complaints)
    visitor.complaints.clear()
    page.context.set_offline(False)
    page.get_by_role("button", name="Upload file").click()
    page.wait_for_url("**/admin/imports/*/")
    wait_until_final(page)


def test_without_javascript_reloading_shows_the_end_of_an_import(visitor: Visitor) -> None:
    page = visitor.window(java_script_enabled=False)
    visitor.service.stop_worker()
    try:
        send(page, csv_file("plain.csv", "plain-1,A,B,plain@x.edu,Law,1,yes"), at_once=True)
        # Chromium shows this to users without scripts, but not to Playwright.
        assert "Reload this page to see how far it is." in page.content()
    finally:
        visitor.service.start("worker")
    visitor.service.finished(task_id(page))
    page.reload()
    assert "Reload this page" not in page.content()
    assert outcome(page).startswith("File processing completed successfully: 1 of 1 rows saved")
    expect(page.locator("time").first).to_contain_text("UTC")


def test_hostile_markup_is_shown_as_the_text_that_it_is(visitor: Visitor) -> None:
    cell = '"' + MARKUP.replace('"', '""') + '"'
    good = f"hostile,{cell},{cell},hostile@x.edu,{cell},1,yes,{cell}"
    bad = ",".join([cell] * 8)
    page = visitor.window()
    send(page, csv_file(FILE_NAME, good, bad, header=HEADER.replace("\n", f",{cell}\n")))
    wait_until_final(page)
    previewed = page.url
    page.get_by_role("button", name="Apply to the roll").click()
    page.wait_for_url(lambda address: address != previewed)
    wait_until_final(page)
    job = task_id(page)
    voters = ("/admin/voters/?q=hostile", "/admin/voters/voter/?id=hostile")
    for address in (previewed, page.url, *voters, "/admin/imports/", "/admin/"):
        page.goto(address)
        shown = page.locator("main :is(h1, td, dd)", has_text="<img src=x onerror")
        expect(shown.first).to_be_visible()
        assert page.title() != "owned"
        assert page.locator("main img, main script").count() == 0

    mail = visitor.service.inbox.mail_for(job)
    page.goto("about:blank")
    page.set_content(text_of(mail, "html"))
    assert page.locator("img, script").count() == 0
    expect(page.get_by_text(FILE_NAME).first).to_be_visible()
