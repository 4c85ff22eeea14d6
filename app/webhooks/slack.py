"""A message in the format of Slack's incoming webhooks. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
SHOWN_FIELDS = (
    *("account_id", "severity", "previous", "current", "threshold", "opened", "resolved"),
    *("title", "outcome", "reason", "state", "accounts", "silent_since", "owner"),
)
"""What is said of a message beside its sentences, in this order."""


def text_body(body: bytes, *, public_url: str | None) -> bytes:
    """Say a message in a few lines; ``body`` is what others get."""
    message = orjson.loads(body)
    lines = [f"*{_title(message)}*", *_lines(message["data"], public_url)]
    return orjson.dumps({"text": "\n".join(lines)})


def _title(message: Mapping[str, Any]) -> str:
    data, (noun, verb) = message["data"], message["type"].split(".")
    named = data["rule"]["name"] if "rule" in data else noun.capitalize()
    return _escaped(f"{named}: {verb}" if "rule" in data else f"{named} {verb}")


def _lines(data: Mapping[str, Any], public_url: str | None) -> Iterator[str]:
    facts = [
        (name, data[name]) for name in SHOWN_FIELDS if isinstance(data.get(name), str | int | float)
    ]
    if facts:
        yield _escaped(", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in facts))
    for sentence in (*data.get("drivers", ()), *data.get("reasons", ())):
        yield f"• {_escaped(sentence)}"
    if public_url and data.get("link"):
        yield f"<{_escaped(public_url + data['link'])}|Open>"


def _escaped(text: str) -> str:
    return text.translate(ESCAPES)
