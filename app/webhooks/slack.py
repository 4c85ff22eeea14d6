"""Render a message for Slack's incoming webhooks. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
SHOWN_FIELDS = (
    *("account_id", "severity", "previous", "current", "threshold", "opened", "resolved"),
    *("title", "outcome", "reason", "state", "accounts", "silent_since", "owner"),
)
"""Fields of the message data that are shown first, in this order, before its sentences."""


def text_body(body: bytes, *, public_url: str | None) -> bytes:
    """Return the Slack body for a message; ``body`` is what standard endpoints receive.

    ``public_url``: the base URL of the link; None: the text has no link.
    """
    message = orjson.loads(body)
    lines = [f"*{_title(message)}*", *_lines(message["data"], public_url)]
    return orjson.dumps({"text": "\n".join(lines)})


def _title(message: Mapping[str, Any]) -> str:
    data, (noun, verb) = message["data"], message["type"].split(".")
    return _escaped(
        f"{data['rule']['name']}: {verb}" if "rule" in data else f"{noun.capitalize()} {verb}"
    )


def _lines(data: Mapping[str, Any], public_url: str | None) -> Iterator[str]:
    fields = {
        name: data[name] for name in SHOWN_FIELDS if isinstance(data.get(name), str | int | float)
    }
    if fields:
        texts = [f"{name.replace('_', ' ')}: {value}" for name, value in fields.items()]
        yield _escaped(", ".join(texts))
    for sentence in (*data.get("drivers", ()), *data.get("reasons", ())):
        yield f"• {_escaped(sentence)}"
    if public_url and data.get("link"):
        yield f"<{_escaped(public_url + data['link'])}|Open>"


def _escaped(text: str) -> str:
    return text.translate(ESCAPES)
