"""Render a message for Slack's incoming webhooks. Pure."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any
from urllib.parse import quote

import orjson

from app.core.languages import Language, format_day

ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
SHOWN_FIELDS = (
    *("severity", "opened", "resolved", "title", "outcome", "reason", "state", "accounts"),
    "silent_since",
)
"""Fields of the message data that are shown, in this order, after money, owner and renewal."""
NOT_FOR_BROWSERS = "/api/"
"""Links below this path need an API key: a click on them would end in a 401."""


def text_body(body: bytes, *, public_url: str | None) -> bytes:
    """Return the Slack body for a message; ``body`` is what standard endpoints receive.

    ``public_url``: the base URL of links; None: the text has no link.
    """
    message = orjson.loads(body)
    data = message["data"]
    if "movers" in data:
        return orjson.dumps({"text": "\n".join(_digest_lines(data, public_url))})
    lines = [f"*{_title(message)}*", ", ".join(_facts(data)), _sentence(data)]
    link = data.get("link")
    text = _escaped("\n".join(line for line in lines if line))
    if public_url and link and not link.startswith(NOT_FOR_BROWSERS):
        text += f"\n<{_escaped(public_url + link)}|Open>"
    return orjson.dumps({"text": text})


def _digest_lines(data: Mapping[str, Any], public_url: str | None) -> Iterator[str]:
    """Yield the title of a digest and a line for each account, with a link to its page."""
    owner = data.get("owner")
    yield f"*{_escaped(data['title'])}*" + (f" ({_escaped(owner)})" if owner else "")
    for each in (*data["accounts"], *data["movers"]):
        name = _escaped(each["name"] or each["account_id"])
        if public_url:
            path = quote(each["account_id"], safe="")
            name = f"<{_escaped(public_url)}/accounts/{path}|{name}>"
        yield f"• {name}: {_escaped(each['sentence'])}"


def _title(message: Mapping[str, Any]) -> str:
    """Return what happened, after the name of the account, or its id if it has no name."""
    data, (noun, verb) = message["data"], message["type"].split(".")
    event = f"{data['rule']['name']}: {verb}" if "rule" in data else f"{noun.capitalize()} {verb}"
    account = data.get("account_name") or data.get("account_id")
    return f"{account} – {event}" if account else event  # noqa: RUF001 - a dash between two names


def _facts(data: Mapping[str, Any]) -> Iterator[str]:
    """Yield money, owner and renewal, then the other fields that are shown."""
    if data.get("mrr_cents") and data.get("mrr_currency"):
        yield f"{_money(data['mrr_cents'], data['mrr_currency'])} a month"
    if data.get("revenue_at_risk_cents") and data.get("currency"):
        assumed = " (assumed)" if data.get("revenue_at_risk_basis") == "assumed" else ""
        yield f"{_money(data['revenue_at_risk_cents'], data['currency'])} a year at risk{assumed}"
    if owner := data.get("account_owner") or data.get("owner"):
        yield f"owner: {owner}"
    if data.get("renewal_on"):
        yield f"renews on {format_day(date.fromisoformat(data['renewal_on']), Language.EN)}"
    for name in SHOWN_FIELDS:
        if isinstance(data.get(name), str | int | float):
            yield f"{name.replace('_', ' ')}: {data[name]}"


def _money(cents: float, currency: str) -> str:
    return f"{cents / 100:,.0f} {currency}"


def _sentence(data: Mapping[str, Any]) -> str | None:
    """Return the strongest reason, or else how the value moved."""
    for sentence in (*data.get("drivers", ()), *data.get("reasons", ())):
        return str(sentence)
    before, now = data.get("previous"), data.get("current")
    if now is None:
        return None
    moved = f"It is {now}" if before is None else f"It went from {before} to {now}"
    threshold = data.get("threshold")
    return f"{moved}." if threshold is None else f"{moved}; the threshold is {threshold}."


def _escaped(text: str) -> str:
    return text.translate(ESCAPES)
