"""A user with a browser: signed-in windows, and everything the browser complains about."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, FilePayload, Page, Request

from shared.access import users
from shared.access.users import Role
from shared.database.connection import open_database
from tests.support.running import Service

PASSWORD = "long enough for anybody"
OFFICER = "election officer"
SIGN_IN = "/admin/account/sign-in/"
FINAL_STATE = ".state.SUCCESS, .state.FAILURE, .state.REVOKED"


class Visitor:
    """Opens windows on the pages of a service, each with its own cookies."""

    def __init__(self, browser: Browser, service: Service, name: str = OFFICER) -> None:
        self.service = service
        self.name = name
        self.complaints: list[str] = []
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self._cookies: Any = None

    def window(self, *, is_signed_in: bool = True, **options: Any) -> Page:
        """Open a new window with an empty page. `options` are those of Playwright's contexts."""
        if is_signed_in:
            options["storage_state"] = self._signed_in()
        context = self._browser.new_context(
            **{"base_url": self.service.url, "locale": "en-GB", **options}
        )
        context.set_default_timeout(15_000)
        context.on("console", self._note_console)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("request", self._note_request)
        self._contexts.append(context)
        return context.new_page()

    def sign_out(self, page: Page) -> None:
        """Sign out in this window, and so in all, because they share a session.

        A new window signs in again.
        """
        page.get_by_role("button", name="Sign out").click()
        self._cookies = None

    def close(self) -> None:
        """Close all windows and clear the complaints."""
        for context in self._contexts:
            context.close()
        self._contexts.clear()
        self.complaints.clear()

    def _signed_in(self) -> Any:
        if self._cookies is None:
            page = self.window(is_signed_in=False)
            sign_in(page, self.name)
            self._cookies = page.context.storage_state()
        return self._cookies

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def _note_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if f"{address.scheme}://{address.netloc}" != self.service.url and address.scheme != "data":
            self.complaints.append(f"asked for {request.url}")


def sign_in(page: Page, name: str = OFFICER, password: str = PASSWORD) -> None:
    """Open the sign-in page if needed, fill in its form and send it."""
    if not page.url.startswith("http"):
        page.goto(SIGN_IN)
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def drop(page: Page, file: Path, onto: str = "[data-drop]") -> None:
    """Drag a file of this machine onto a part of the page, and drop it there."""
    field = page.locator(onto).bounding_box()
    assert field is not None
    devices = page.context.new_cdp_session(page)
    for event in ("dragEnter", "dragOver", "drop"):
        devices.send(
            "Input.dispatchDragEvent",
            {
                "type": event,
                "x": field["x"] + field["width"] / 2,
                "y": field["y"] + field["height"] / 2,
                "data": {"items": [], "files": [str(file)], "dragOperationsMask": 1},
            },
        )
    devices.detach()


def send(page: Page, file: Path | FilePayload, *, at_once: bool = False) -> None:
    """Choose a file on the import page and send it. Waits for the page of its job."""
    page.goto("/admin/import/")
    page.get_by_label("The registrar's file").set_input_files(file)
    if at_once:
        page.get_by_label("Import now").check()
    page.get_by_role("button", name="Upload file").click()
    page.wait_for_url("**/admin/imports/*/")


def wait_until_final(page: Page) -> None:
    """Wait until the page of a job shows a final state."""
    page.locator(FINAL_STATE).wait_for()


def outcome(page: Page) -> str:
    """The sentence with the outcome on the page of a job."""
    return page.locator("#outcome").inner_text()


def task_id(page: Page) -> str:
    """The id of the job that this page shows."""
    return urlsplit(page.url).path.split("/")[3]


def create_user(service: Service, name: str, role: str = Role.ADMIN) -> None:
    """Create a user with the password `PASSWORD`."""
    with open_database(service.environment["DATABASE_URL"]).connection_context():
        users.create_user(name, PASSWORD, Role(role))
