"""The base class of the pages."""

from typing import Any, ClassVar

from flask_admin import BaseView
from flask_login import current_user

from shared.access.scopes import Scope

ANYBODY = tuple(Scope)


class Page(BaseView):  # type: ignore[misc]
    """A page, or a few related ones. The menu shows it to those who may open it."""

    name = ""
    endpoint = ""
    url = ""
    is_in_menu = True
    scopes: ClassVar[tuple[Scope, ...]] = ANYBODY

    def __init__(self) -> None:
        super().__init__(name=self.name, endpoint=self.endpoint, url=self.url)

    def is_visible(self) -> bool:
        """Whether the menu shows the page at all."""
        return self.is_in_menu

    def is_accessible(self) -> bool:
        """Whether the menu shows the page to this user. The guard checks each view separately."""
        return bool(current_user.allows(*self.scopes))

    def page(self, template: str, **values: Any) -> str:
        """Render a template to the HTML of a page."""
        return str(self.render(f"pages/{template}", **values))
