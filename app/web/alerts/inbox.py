"""The state of the inbox, as its URL has it. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Self
from urllib.parse import urlencode

PATH = "/alerts"
STATES = ("active", "open", "acknowledged", "snoozed", "resolved", "all")
SNOOZE_DAYS = ("1", "3", "7", "28")
LONGEST = 255


@dataclass(frozen=True, slots=True)
class Inbox:
    """``rule``, ``account``: ids. ``owner``: of the account, or the assignee of the alert."""

    state: str = STATES[0]
    severity: str = ""
    rule: str = ""
    owner: str = ""
    account: str = ""
    cursor: str = ""

    @classmethod
    def parse(cls, params: Mapping[str, str]) -> Self:
        """Read the parameters of a URL; an unknown state counts as the default."""
        state = params.get("state", "")
        return cls(
            state=state if state in STATES else STATES[0],
            severity=params.get("severity", ""),
            **{name: _text(params, name) for name in ("rule", "owner", "account")},
            cursor=params.get("cursor", ""),
        )

    @property
    def is_narrowed(self) -> bool:
        return replace(self, cursor="") != Inbox()

    def url(self, **changes: str) -> str:
        """Return the address with changes; another list begins at its first page."""
        values = asdict(replace(self, **{"cursor": "", **changes}))
        if values["state"] == STATES[0]:
            del values["state"]
        query = urlencode({name: value for name, value in values.items() if value})
        return f"{PATH}?{query}" if query else PATH


def _text(params: Mapping[str, str], name: str) -> str:
    """Return a text that can be stored, and thus be found."""
    return params.get(name, "").strip().replace("\x00", "")[:LONGEST]
