"""Requests recorded from real SDKs, sent again with another key."""

import gzip
import json
from base64 import b64encode
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from httpx2 import Response

FOLDER = Path(__file__).parents[1] / "data" / "captures"
KEY, BASIC = "<WRITE_KEY>", "<base64 of WRITE_KEY:>"
NOT_REPLAYED = {"host", "content-length", "connection", "accept-encoding", "transfer-encoding"}


def names(folder: str) -> list[str]:
    return sorted(path.stem for path in (FOLDER / folder).glob("*.json"))


def requests(folder: str, name: str) -> list[dict[str, Any]]:
    exchanges = json.loads((FOLDER / folder / f"{name}.json").read_text())["exchanges"]
    return [each["request"] for each in exchanges if each["request"]["method"] == "POST"]


def replay(client: TestClient, request: dict[str, Any], *, zipped: bool = False) -> Response:
    """Send a request with its own headers; the key of the client takes the place of the recorded.

    ``zipped``: compress the body without a header that says so.
    """
    key = client.headers["Authorization"].removeprefix("Bearer ")
    basic = b64encode(f"{key}:".encode()).decode()
    headers = {
        name: value.replace(KEY, key).replace(BASIC, basic)
        for name, value in request["headers"].items()
        if name.lower() not in NOT_REPLAYED
    }
    body = json.dumps(request["body_decoded"]).replace(KEY, key).encode()
    encodings = {value for name, value in headers.items() if name.lower() == "content-encoding"}
    if zipped or "gzip" in encodings:
        body = gzip.compress(body)
    with TestClient(client.app, raise_server_exceptions=False) as bare:
        answer: Response = bare.post(
            request["path"].replace(KEY, key), content=body, headers=headers
        )
    return answer
