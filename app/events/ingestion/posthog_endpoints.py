"""The routes of PostHog SDKs: two forms of batches, and what the SDKs ask for when they start."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from fastapi import APIRouter
from fastapi.responses import Response

from app.core.errors import BadRequestError, NotFoundError
from app.core.http.routes import DeclaredRoute
from app.core.schemas import SDK_TAG
from app.events.ingestion.ingest_request import (
    IngestRequest,
    IngestRequestDep,
    add_route,
    add_start_answer,
    answer,
    ingest,
    json_answer,
    store,
)
from app.events.ingestion.schemas import (
    POSTHOG_BATCH,
    EventVerdict,
    PostHogReceipt,
    PostHogResult,
)
from app.events.reading import posthog
from app.events.reading.batch import Batch
from app.events.reading.decoding import is_gzip
from app.events.reading.posthog_bodies import parse_body, with_sdk
from app.events.reading.sanitize import sanitize_json
from app.events.reading.segment import as_mapping

BATCH_PATHS = {
    "/batch": "ingest_posthog_batch",
    "/e": "ingest_posthog_events",
    "/capture": "ingest_posthog_capture",
    "/i/v0/e": "ingest_posthog_v0_events",
}
"""Operation ids by path."""
EVENTS_PATH = "/i/v1/analytics/events"
SDK_HEADER, SENT_AT_HEADER = "posthog-sdk-info", "posthog-request-timestamp"
REQUIRED_HEADERS = (SDK_HEADER, "posthog-attempt", "posthog-request-id", SENT_AT_HEADER)
TOKEN = re.compile(r"[A-Za-z0-9_-]{1,200}")
NO_FLAGS = {
    "flags": {},
    "featureFlags": {},
    "featureFlagPayloads": {},
    "errorsWhileComputingFlags": False,
}
REMOTE_CONFIG = {
    "supportedCompression": ["gzip", "gzip-js"],
    "hasFeatureFlags": False,
    "autocapture_opt_out": False,
    "captureDeadClicks": False,
    "capturePerformance": False,
    "autocaptureExceptions": False,
    "elementsChainAsString": True,
    "sessionRecording": False,
    "heatmaps": False,
    "surveys": False,
    "productTours": False,
    "defaultIdentifiedOnly": True,
    "siteApps": [],
}

router = APIRouter(tags=[SDK_TAG], route_class=DeclaredRoute)


class MissingHeaderError(BadRequestError):
    code = "missing_header"


def read_posthog_batch(incoming: IngestRequest) -> Batch:
    """Return the batch of a body, which may be compressed without a header that says so."""
    return parse_body(incoming.decode("gzip" if is_gzip(incoming.raw_body) else ""))


def ingest_posthog_batch(incoming: IngestRequestDep) -> Response:
    """Store and count the events of a PostHog SDK: `{"batch": [...]}`, an array, or one event.

    The key is sent as `api_key` or in the header. Repeated events are counted once, so a batch can
    be sent again. The receipt is returned after everything is committed.
    """
    return store(incoming, read_posthog_batch(incoming), posthog.parse_call)


def ingest_posthog_v1_events(incoming: IngestRequestDep) -> Response:
    """Store and count the events of a PostHog SDK, with a result for each `uuid`.

    A batch is one transaction: no result is ever `retry`. Invalid events are quarantined and have
    the result `drop`.
    """
    headers = incoming.request.headers
    if missing := [name for name in REQUIRED_HEADERS if not headers.get(name)]:
        raise MissingHeaderError(f"Send the headers {', '.join(missing)}, as PostHog's SDKs do.")
    batch = with_sdk(read_posthog_batch(incoming), headers[SDK_HEADER], headers[SENT_AT_HEADER])
    receipt = ingest(incoming, batch, posthog.parse_call)
    return answer(
        PostHogReceipt(
            **dict(receipt), results=_results(batch.events, {v.index: v for v in receipt.events})
        )
    )


def _results(
    events: Sequence[Any], verdicts: Mapping[int, EventVerdict]
) -> dict[str, PostHogResult]:
    """Return the result of each id; of events with one id the worst result counts."""
    results: dict[str, PostHogResult] = {}
    for index, event in enumerate(events):
        uuid, new = as_mapping(event).get("uuid"), _result(verdicts.get(index))
        if isinstance(uuid, str):
            key = uuid if uuid.isascii() else str(sanitize_json(uuid)[0])
            known = results.get(key)
            results[key] = known if known and known.result == "drop" else new
    return results


def _result(verdict: EventVerdict | None) -> PostHogResult:
    if verdict is None:
        return PostHogResult(result="ok")
    if verdict.result in {"quarantined", "erased"}:
        reason = f"{verdict.code}: {verdict.detail}" if verdict.code else verdict.result
        return PostHogResult(result="drop", details=reason)
    if verdict.warnings:
        return PostHogResult(result="warning", details=", ".join(verdict.warnings))
    return PostHogResult(result="ok")


def answer_flags() -> Response:
    """Answer that there are no feature flags."""
    return json_answer(NO_FLAGS)


def answer_decide() -> Response:
    """Answer as older SDKs expect it: settings and flags together."""
    return json_answer({**REMOTE_CONFIG, **NO_FLAGS})


def answer_config(token: str) -> Response:
    """Answer the settings of an SDK in a browser: everything but events is off."""
    _check_token(token)
    return json_answer({"token": token, **REMOTE_CONFIG})


def answer_config_script(token: str) -> Response:
    """Answer the same settings as a script."""
    _check_token(token)
    config = orjson.dumps({"config": {"token": token, **REMOTE_CONFIG}, "siteApps": []}).decode()
    script = f'(window._POSTHOG_REMOTE_CONFIG ||= {{}})["{token}"] = {config};'
    return Response(script, media_type="text/javascript")


def _check_token(token: str) -> None:
    if not TOKEN.fullmatch(token):
        raise NotFoundError("configuration of a key", "", in_workspace=False)


STARTUP_ANSWERS: Mapping[str, Callable[..., Response]] = {
    "/flags": answer_flags,
    "/decide": answer_decide,
    "/array/{token}/config": answer_config,
    "/array/{token}/config.js": answer_config_script,
}

for path, name in BATCH_PATHS.items():
    summary = f"Ingest events of a PostHog SDK ({path})"
    add_route(router, path, ingest_posthog_batch, name, summary=summary, schema=POSTHOG_BATCH)
add_route(
    router,
    EVENTS_PATH,
    ingest_posthog_v1_events,
    "ingest_posthog_v1_events",
    summary="Ingest events of a PostHog SDK, with a result for each",
    schema=POSTHOG_BATCH,
    response_model=PostHogReceipt,
    headers=REQUIRED_HEADERS,
)
for path, respond in STARTUP_ANSWERS.items():
    add_start_answer(router, path, respond, *(("GET",) if "{" in path else ("GET", "POST")))
