"""The set-up of the pages: sign-in, guard, menu."""

from datetime import timedelta

from flask import Flask
from flask_admin import Admin
from flask_admin.theme import Theme
from flask_login import LoginManager
from flask_wtf.csrf import CSRFProtect

from api.admin import filters
from api.admin.access import Tokens, Users
from api.admin.account import Account
from api.admin.audit import Audit
from api.admin.errors import as_page
from api.admin.guard import Visitor, guard_pages, load_user
from api.admin.home import Home
from api.admin.imports import Imports, NewImport
from api.admin.tolerant_sessions import TolerantSessions
from api.admin.voters import Voters
from api.rest.assets import AssetBlueprint
from config.settings import Settings

SESSION_LENGTH = timedelta(hours=8)
ASSETS = AssetBlueprint(
    "pages",
    __name__,
    static_folder="static",
    static_url_path="/admin/assets",
    template_folder="templates",
)
BASE_TEMPLATE = "pages/base.html"


def add_pages(app: Flask, settings: Settings) -> None:
    """Add the pages to the app. A visitor who is not signed in reaches only the sign-in page."""
    app.config.from_mapping(
        SESSION_COOKIE_NAME="voter_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=not settings.debug,
        PERMANENT_SESSION_LIFETIME=SESSION_LENGTH,
        # The guard decides which requests extend a session.
        SESSION_REFRESH_EACH_REQUEST=False,
        # Only the pages have forms, and the API accepts no cookie.
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
        # Our own Referrer-Policy makes browsers send no referrer, not even over HTTPS.
        WTF_CSRF_SSL_STRICT=False,
    )
    app.session_interface = TolerantSessions()
    csrf = CSRFProtect(app)
    login = LoginManager(app)
    login.user_loader(load_user)
    login.anonymous_user = Visitor
    guard_pages(app, csrf)
    app.after_request(as_page)
    app.jinja_env.filters.update(filters.FILTERS)
    app.register_blueprint(ASSETS)
    pages = Admin(
        app,
        name="Voter roll",
        index_view=Home(),
        theme=Theme(folder="bootstrap4", base_template=BASE_TEMPLATE),
    )
    for page in (NewImport(), Imports(), Voters(), Tokens(), Users(), Audit(), Account()):
        pages.add_view(page)
