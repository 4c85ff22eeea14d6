"""What SDKs of Segment, RudderStack and Jitsu need in browsers beside the routes for servers."""

from fastapi import APIRouter
from fastapi.responses import Response

from app.core.http.routes import DeclaredRoute
from app.core.schemas import SDK_TAG
from app.events.ingestion.endpoints import CALL_KINDS, SHORT_KINDS, call_endpoint, ingest_batch
from app.events.ingestion.ingest_request import add_route, add_start_answer, json_answer
from app.events.ingestion.schemas import SEGMENT_BATCH, SEGMENT_CALL

CORS_PATHS = (
    *(f"/v1/{name}" for name in ("batch", "import", "b", "m", *SHORT_KINDS, *CALL_KINDS)),
    *("/v1/projects", "/v1/logs", "/api/v1/events", "/api/s", "/beacon", "/sourceConfig"),
    *("/batch", "/capture", "/e", "/i", "/flags", "/decide", "/array"),
)
"""The paths, and those below them, that pages of other origins may use."""
NO_DESTINATIONS = {"destinations": [], "connections": [], "enabled": True}

router = APIRouter(tags=[SDK_TAG], route_class=DeclaredRoute)


def answer_settings(key: str) -> Response:
    """Answer the settings of Segment's SDK: events go to this service and nowhere else."""
    segment = {"apiKey": key, "unbundledIntegrations": [], "addBundledMetadata": True}
    return json_answer({"integrations": {"Segment.io": segment}, "metrics": {"sampleRate": 0}})


def answer_source_config() -> Response:
    """Answer the settings of RudderStack's SDK: there are no other destinations."""
    off = {"enabled": False}
    config = {"statsCollection": {"errors": off, "metrics": off}}
    source = {"id": "source", "name": "source", "config": config, **NO_DESTINATIONS}
    return json_answer({"source": source})


def answer_metrics() -> Response:
    """Answer the metrics that Segment's SDK sends about itself; they are not read."""
    return json_answer({"success": True})


for short, kind in SHORT_KINDS.items():
    for path in (f"/v1/{short}", f"/api/s/{kind}"):
        add_route(
            router,
            path,
            call_endpoint(kind),
            f"ingest_{kind}{path.replace('/', '_')}",
            summary=f"Ingest one {kind} call ({path})",
            schema=SEGMENT_CALL,
        )
add_route(
    router,
    "/beacon/v1/batch",
    ingest_batch,
    "ingest_beacon_batch",
    summary="Ingest a batch of SDK calls (/beacon/v1/batch)",
    schema=SEGMENT_BATCH,
)
for path, respond, method in (
    ("/v1/projects/{key}/settings", answer_settings, "GET"),
    ("/sourceConfig", answer_source_config, "GET"),
    ("/v1/m", answer_metrics, "POST"),
):
    add_start_answer(router, path, respond, method)
