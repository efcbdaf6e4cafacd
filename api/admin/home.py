"""The roll at a glance."""

from flask_admin import expose

from api.admin.page import Page
from api.auth import requires
from shared.credentials import Scope


class Home(Page):
    """The first page after signing in."""

    name = "Home"
    endpoint = "admin"
    url = "/admin"

    @expose()
    @requires(Scope.READ)
    def index(self) -> str:
        """How many voters, of which departments and years; what was imported last."""
        return self.page("home.html")
