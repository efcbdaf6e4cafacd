"""The service as it is deployed, and a visitor of its pages with a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.running import Service, running_service
from tests.support.visitor import OFFICER, Visitor, create_user


@pytest.fixture(scope="module")
def site(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A running service with one user, for the tests of one module."""
    with running_service(tmp_path_factory.mktemp("site")) as service:
        create_user(service, OFFICER)
        yield service


@pytest.fixture(scope="module")
def _visitor(chromium: Browser, site: Service) -> Visitor:
    return Visitor(chromium, site)


@pytest.fixture
def visitor(_visitor: Visitor) -> Iterator[Visitor]:
    """A signed-in user. The test fails if the browser has complained about something."""
    yield _visitor
    complaints = list(_visitor.complaints)
    _visitor.close()
    assert complaints == []
