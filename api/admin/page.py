"""What the pages have in common."""

from typing import Any, ClassVar

from flask_admin import BaseView
from flask_login import current_user

from shared.access.scopes import Scope

ANYBODY = tuple(Scope)


class Page(BaseView):  # type: ignore[misc]
    """A page, or a few that belong together; in the menu for those who may open it."""

    name = ""
    endpoint = ""
    url = ""
    is_in_menu = True
    scopes: ClassVar[tuple[Scope, ...]] = ANYBODY

    def __init__(self) -> None:
        super().__init__(name=self.name, endpoint=self.endpoint, url=self.url)

    def is_visible(self) -> bool:
        """Whether the menu names it."""
        return self.is_in_menu

    def is_accessible(self) -> bool:
        """Whether the menu offers it. Each single view is looked at by the guard."""
        return bool(current_user.allows(*self.scopes))

    def page(self, template: str, **values: Any) -> str:
        """The page as HTML."""
        return str(self.render(f"pages/{template}", **values))
