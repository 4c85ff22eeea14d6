"""The route of OpenTelemetry's log exporters."""

from collections import Counter

from fastapi import APIRouter
from fastapi.responses import Response

from app.core.errors import UnsupportedMediaTypeError
from app.core.http.routes import DeclaredRoute
from app.core.schemas import SDK_TAG
from app.events.ingestion.ingest_request import IngestRequestDep, add_route, ingest, json_answer
from app.events.ingestion.schemas import OTEL_LOGS, ExportedLogs, Receipt
from app.events.reading import otel_logs
from app.events.reading.otel_bodies import encode_partial_success, parse_json_body, parse_protobuf

PROTOBUF = "application/x-protobuf"
PARSERS = {PROTOBUF: parse_protobuf, "application/json": parse_json_body}

router = APIRouter(tags=[SDK_TAG], route_class=DeclaredRoute)


def ingest_logs(incoming: IngestRequestDep) -> Response:
    """Store and count the log records of an OpenTelemetry exporter that have an event name.

    Records that cannot be used are quarantined and reported as a partial success. The answer has
    the encoding of the request and is returned after everything is committed.
    """
    content_type = incoming.request.headers.get("content-type", "").partition(";")[0]
    parse = PARSERS.get(content_type.strip().lower())
    if parse is None:
        raise UnsupportedMediaTypeError(f"Send Content-Type: {' or '.join(PARSERS)}.")
    batch = parse(incoming.body)
    receipt = ingest(incoming, batch, otel_logs.parse_call)
    rejected, message = _rejected(receipt)
    if parse is parse_protobuf:
        return Response(encode_partial_success(rejected, message), media_type=PROTOBUF)
    partial = {"rejectedLogRecords": str(rejected), "errorMessage": message}
    return json_answer({"partialSuccess": partial} if rejected else {})


def _rejected(receipt: Receipt) -> tuple[int, str]:
    codes = Counter(each.code for each in receipt.events if each.result == "quarantined")
    counts = ", ".join(f"{code} ({count})" for code, count in codes.items())
    return receipt.quarantined, f"Quarantined log records: {counts}. Request {receipt.request_id}."


add_route(
    router,
    "/v1/logs",
    ingest_logs,
    "ingest_logs",
    summary="Ingest events of an OpenTelemetry log exporter",
    schema=OTEL_LOGS,
    response_model=ExportedLogs,
)
