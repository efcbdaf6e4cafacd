"""The web application: creates the Flask app and connects all parts."""

from flask import Flask

from api.access.auth import authenticate
from api.admin.site import add_pages
from api.audit import audit
from api.commands import audit as audit_command
from api.commands import main, retention, tokens, users
from api.commands import status as status_command
from api.jobs import actions, files, jobs, task_status, upload
from api.middleware.forms import FormRequest
from api.middleware.proxies import behind_proxies
from api.middleware.request_ids import name_requests
from api.middleware.request_log import log_requests
from api.middleware.request_metrics import count_requests
from api.middleware.security_headers import add_security_headers
from api.monitoring import health, metrics
from api.rest import swagger_ui
from api.rest.document import DocumentedApi
from api.rest.errors import register_errors
from api.rest.header_limits import limit_headers
from api.rest.openapi import OPENAPI_CONFIG
from api.services import Services, attach
from api.voters import exports, template, voter, voters
from config.gunicorn import threads
from config.process import begin_process
from config.settings import Settings, SettingsError, load_settings
from shared.access.rate_limits import Limit
from shared.access.refused_tokens import Failures
from shared.audit import SERVICE, act_as
from shared.broker.doorbell import Doorbell
from shared.database.connection import ANSWER_SECONDS, database, open_database
from shared.storage.choice import open_store

RESOURCES = (
    upload.blueprint,
    task_status.blueprint,
    jobs.blueprint,
    actions.blueprint,
    files.blueprint,
    voters.blueprint,
    voter.blueprint,
    exports.blueprint,
    template.blueprint,
    audit.blueprint,
    health.blueprint,
    metrics.blueprint,
)
# The limit of every request body that is not an upload.
BODY_BYTES = 1024 * 1024


def create_app(settings: Settings | None = None) -> Flask:
    """Create the application of one process. It connects to nothing before the first request.

    Without `settings` the application is a process of its own. It reads the environment and logs to
    standard error. If the settings are invalid, it exits with status 1 and a message.
    """
    if settings is None:
        settings = _settings_of_process()
    app = Flask(__name__, static_folder=None)
    app.request_class = FormRequest
    app.config.from_mapping(_flask_config(settings), **OPENAPI_CONFIG)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.url_map.strict_slashes = False
    open_services(app, settings)
    name_requests(app)
    log_requests(app)
    count_requests(app)
    limit_headers(app)
    app.before_request(authenticate)
    app.after_request(add_security_headers)
    app.teardown_request(_end_request)
    register_errors(app)
    documented_api = DocumentedApi(app)
    for resource in RESOURCES:
        documented_api.register_blueprint(resource)
    app.register_blueprint(swagger_ui.blueprint)
    documented_api.finish(app)
    add_pages(app, settings)
    main.register_commands(app)
    tokens.register_commands(app)
    audit_command.register_commands(app)
    users.register_commands(app)
    status_command.register_commands(app)
    retention.register_commands(app)
    app.wsgi_app = behind_proxies(  # type: ignore[method-assign,assignment]
        app.wsgi_app, settings.trusted_proxies
    )
    return app


def open_services(app: Flask, settings: Settings) -> None:
    """Give the app and every model the database, broker and store of the settings."""
    open_database(settings.database_url, pool_size=threads, answer_seconds=ANSWER_SECONDS)
    attach(app, _services(settings))


def _settings_of_process() -> Settings:
    try:
        settings = load_settings()
    except SettingsError as error:
        raise SystemExit(str(error)) from None
    begin_process(settings)
    return settings


def _services(settings: Settings) -> Services:
    return Services(
        settings,
        open_store(settings.upload_store),
        Doorbell(settings.broker_url),
        Failures(Limit("token", settings.limits.auth_failures_per_minute, 60.0)),
        Failures(Limit("sign-in-address", settings.limits.auth_failures_per_minute, 60.0)),
    )


def _flask_config(settings: Settings) -> dict[str, object]:
    anything_goes = not settings.allowed_hosts or "*" in settings.allowed_hosts
    return {
        "SECRET_KEY": settings.secret_key,
        # An upload has a separate limit.
        "MAX_CONTENT_LENGTH": BODY_BYTES,
        "TRUSTED_HOSTS": None if anything_goes else list(settings.allowed_hosts),
    }


def _end_request(_: BaseException | None) -> None:
    act_as(SERVICE)
    if not database.is_closed():
        database.close()
