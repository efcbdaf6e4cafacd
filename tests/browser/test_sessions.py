"""The begin and end of a session in a browser, also on a page that updates automatically."""

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.support.running import Service
from tests.support.visitor import OFFICER, PASSWORD, SIGN_IN, Visitor, create_user, send, sign_in

ROLL: FilePayload = {
    "name": "roll.csv",
    "mimeType": "text/csv",
    "buffer": b"student_id,email\n1,ann@x.edu\n",
}
OTHER = "another long password"


@pytest.fixture(scope="module", autouse=True)
def _no_worker(site: Service) -> None:
    """Stop the worker. No import then ends, and its page keeps asking."""
    site.stop_worker()


def test_a_user_signs_in_and_out_again(visitor: Visitor) -> None:
    page = visitor.window(is_signed_in=False)
    page.goto("/admin/imports/")
    expect(page).to_have_title("Sign in · Voter roll")
    expect(page.get_by_label("Name")).to_be_focused()
    sign_in(page)
    expect(page).to_have_url(f"{visitor.service.url}/admin/imports/")
    expect(page.get_by_role("link", name=OFFICER)).to_be_visible()
    visitor.sign_out(page)
    expect(page.get_by_role("status")).to_have_text(
        "You are signed out, here and on all other devices."
    )
    page.go_back()
    page.goto("/admin/")
    expect(page).to_have_title("Sign in · Voter roll")


def test_a_wrong_password_is_reported_at_its_field(visitor: Visitor) -> None:
    page = visitor.window(is_signed_in=False)
    sign_in(page, OFFICER, "wrong")
    field = page.get_by_label("Password")
    expect(field).to_have_accessible_description("The name or the password is wrong.")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_value("")
    expect(field).to_be_focused()
    expect(page.get_by_label("Name")).to_have_value(OFFICER)


def expect_to_come_back_after_signing_in(page: Page, watched: str, name: str, word: str) -> None:
    expect(page).to_have_title("Sign in · Voter roll")
    sign_in(page, name, word)
    expect(page).to_have_url(watched)
    expect(page.get_by_role("progressbar")).to_be_visible()


def test_an_updating_page_leads_to_sign_in_when_its_session_ends(visitor: Visitor) -> None:
    page = visitor.window()
    send(page, ROLL)
    watched = page.url
    page.context.clear_cookies()
    expect_to_come_back_after_signing_in(page, watched, OFFICER, PASSWORD)


def test_a_new_password_ends_the_sessions_of_all_other_windows(visitor: Visitor) -> None:
    create_user(visitor.service, "clerk", "importer")
    watching, changing = (visitor.window(is_signed_in=False) for _ in range(2))
    for page in (watching, changing):
        sign_in(page, "clerk")
    send(watching, ROLL)
    watched = watching.url
    changing.goto("/admin/account/")
    changing.get_by_label("Current password").fill(PASSWORD)
    changing.get_by_label("New password", exact=True).fill(OTHER)
    changing.get_by_label("New password again").fill(OTHER)
    changing.get_by_role("button", name="Change password").click()
    expect(changing.get_by_role("status")).to_contain_text("Your password is changed.")
    expect_to_come_back_after_signing_in(watching, watched, "clerk", OTHER)


def test_a_form_does_nothing_after_signing_out_in_another_tab(visitor: Visitor) -> None:
    page = visitor.window()
    page.goto("/admin/import/")
    other_tab = page.context.new_page()
    other_tab.goto("/admin/")
    visitor.sign_out(other_tab)
    expect(other_tab).to_have_url(f"{visitor.service.url}{SIGN_IN}")
    page.get_by_label("The registrar's file").set_input_files(ROLL)
    page.get_by_role("button", name="Upload file").click()
    expect(page).to_have_title("Sign in · Voter roll")
    expect(page.get_by_role("status")).to_contain_text("Your session has ended.")
