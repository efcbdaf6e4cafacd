"""Searching for a voter, correcting it, its history, and giving and removing access."""

import pytest
from playwright.sync_api import expect

from tests.support.running import ROOT, Service
from tests.support.visitor import PASSWORD, Visitor, sign_in

REASON = "The registrar told us by telephone."


@pytest.fixture(scope="module", autouse=True)
def _roll(site: Service) -> None:
    site.imported((ROOT / "samples" / "roll.xlsx").read_bytes(), "roll.xlsx")


def test_a_found_voter_is_corrected_with_a_reason_in_the_history(visitor: Visitor) -> None:
    page = visitor.window()
    page.goto("/admin/voters/")
    page.get_by_label("Id, name or email").fill("2400400")
    page.get_by_role("button", name="Apply filters").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="2400400").click()
    before = page.get_by_role("region", name="Entry").locator("dl").inner_text()
    page.get_by_text("Correct this entry").click()
    page.get_by_label("Department").fill("Philosophy")
    page.get_by_role("button", name="Save entry").click()
    assert page.get_by_label("Reason, for the history").evaluate(
        "field => field.matches(':invalid')"
    )
    page.get_by_label("Reason, for the history").fill(REASON)
    page.get_by_role("button", name="Save entry").click()
    expect(page.get_by_role("status")).to_have_text("The entry is corrected.")
    assert page.get_by_role("region", name="Entry").locator("dl").inner_text() != before
    change = page.get_by_role("region", name="History").locator("tbody tr")
    expect(change).to_have_count(1)
    expect(change).to_contain_text(REASON)
    expect(change.locator("ins")).to_have_text("Philosophy")
    assert visitor.service.voters()["2400400"]["department"] == "Philosophy"


def test_a_correction_in_one_tab_does_not_undo_that_of_another(visitor: Visitor) -> None:
    page = visitor.window()
    page.goto("/admin/voters/voter/?id=2500401")
    other_tab = page.context.new_page()
    other_tab.goto(page.url)
    for tab, name in ((page, "First"), (other_tab, "Second")):
        tab.get_by_text("Correct this entry").click()
        tab.get_by_label("First name").fill(name)
        tab.get_by_label("Reason, for the history").fill(REASON)
        tab.get_by_role("button", name="Save entry").click()
        tab.get_by_text("Correct this entry").wait_for()
    expect(other_tab.get_by_role("alert")).to_contain_text("Nothing was saved")
    assert visitor.service.voters()["2500401"]["first_name"] == "First"
    assert all("409" in told for told in visitor.complaints)
    visitor.complaints.clear()


def test_a_list_that_is_filtered_is_taken_out_as_a_file(visitor: Visitor) -> None:
    page = visitor.window(accept_downloads=True)
    page.goto("/admin/voters/?department=Medicine")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    lines = download.value.path().read_text(encoding="utf-8-sig").splitlines()
    medicine = [
        voter for voter in visitor.service.voters().values() if voter["department"] == "Medicine"
    ]
    assert len(lines) - 1 == len(medicine) > 0


def test_a_token_is_shown_once_and_opens_nothing_when_revoked(visitor: Visitor) -> None:
    page = visitor.window()
    page.goto("/admin/tokens/")
    page.get_by_label("Name").fill("registrar")
    page.get_by_label("Read the roll").check()
    page.get_by_role("button", name="Create token").click()
    made = page.get_by_role("region", name="Token registrar")
    token = made.locator(".mono").inner_text().strip()
    assert visitor.service.get("/api/voters/", token).status == 200
    made.get_by_role("link", name="Hide token").click()
    expect(page.get_by_text(token)).to_have_count(0)
    row = page.get_by_role("row").filter(has_text="registrar")
    row.locator("summary").click()
    row.get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("status")).to_contain_text("revoked")
    assert visitor.service.get("/api/voters/", token).status == 401


def test_a_new_user_sees_what_the_role_lets_them_do(visitor: Visitor) -> None:
    page = visitor.window()
    page.goto("/admin/people/")
    page.get_by_label("Name").fill("observer")
    page.get_by_label("Role", exact=True).select_option("viewer")
    page.get_by_role("button", name="Create user").click()
    made = page.get_by_role("region", name="One-time password for observer")
    expect(made).to_be_focused()
    theirs = visitor.window(is_signed_in=False)
    sign_in(theirs, "observer", first := made.locator(".mono").inner_text().strip())
    expect(theirs).to_have_title("Change password · Voter roll")
    expect(theirs.get_by_text("To continue, choose a password of your own.")).to_be_visible()
    theirs.get_by_label("One-time password").fill(first)
    new = theirs.get_by_label("New password", exact=True)
    expect(new).to_have_accessible_description("10 characters or more.")
    new.fill(PASSWORD)
    theirs.get_by_label("again").fill(PASSWORD)
    theirs.get_by_role("button", name="Change password").click()
    expect(theirs.get_by_role("status")).to_contain_text("Your password is changed.")
    sign_in(theirs, "observer")
    menu = theirs.get_by_role("navigation", name="Pages").get_by_role("link")
    expect(menu).to_have_text(["Home", "Imports", "Voters"])
    row = page.get_by_role("row").filter(has_text="observer")
    row.locator("summary").click()
    row.get_by_role("button", name="Deactivate user").click()
    expect(page.get_by_role("status")).to_contain_text("observer is deactivated.")
    theirs.reload()
    expect(theirs).to_have_title("Sign in · Voter roll")

    row.locator("summary").click()
    row.get_by_role("button", name="Reactivate user").click()
    expect(page.get_by_role("status")).to_contain_text("observer is reactivated")
    row.locator("summary").click()
    row.get_by_role("button", name="Reset password").click()
    sign_in(theirs, "observer", made.locator(".mono").inner_text().strip())
    expect(theirs).to_have_title("Change password · Voter roll")
