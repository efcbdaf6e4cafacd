"""`GET /metrics`: the metrics of the service, for Prometheus."""

from flask import Response, current_app, request
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector

from api.access.auth import requires
from api.middleware.request_metrics import REGISTRY
from api.monitoring.collector import Figures
from api.monitoring.dependencies import queue_probe
from api.monitoring.probes import Probe
from api.rest.blueprint import Blueprint
from api.rest.openapi import refuses
from api.services import services
from config.gunicorn import WORKER
from shared.access.scopes import Scope

blueprint = Blueprint("Metrics", __name__, description="For monitoring.")

TEXT = {"schema": {"type": "string", "example": 'voters_workers{state="alive"} 2.0\n'}}
FORMATS = {"text/plain": TEXT, "application/openmetrics-text": TEXT}
EXTENSION = "student-voter-system-queue-depths"


@blueprint.route("/metrics")
@requires(Scope.METRICS)
@refuses(blueprint, 401, 403)
@blueprint.doc(responses={"200": {"description": "Metrics with their names.", "content": FORMATS}})
def metrics() -> Response:
    """Show the metrics of the service

    The metrics cover all processes, whichever of them responds. The formats are those of
    Prometheus.
    """
    probe = _depths()
    probe.start()
    registry = CollectorRegistry()
    registry.register(Figures(probe.answer()))
    if WORKER in current_app.extensions:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(REGISTRY)
    encode, media_type = choose_encoder(request.headers.get("Accept", ""))
    return Response(encode(registry), content_type=media_type)


def _depths() -> Probe[dict[str, int] | None]:
    fresh = queue_probe(services().settings.broker_url)
    probe: Probe[dict[str, int] | None] = current_app.extensions.setdefault(EXTENSION, fresh)
    return probe
