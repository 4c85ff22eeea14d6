"""The state of the list of accounts, as its URL has it. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self
from urllib.parse import urlencode

import orjson

from app.portfolio.fields import AccountSort
from app.web.accounts.chips import conditions_of, joined

PATH = "/accounts"
DEFAULT_SORT = f"-{AccountSort.REVENUE_AT_RISK}"
SORT = re.compile(f"-?({'|'.join(AccountSort)})")
COLUMNS = (
    "score",
    "trend",
    "risk",
    "arr",
    "at_risk",
    "renewal",
    "owner",
    "plan",
    "segment",
    "alert",
)
DEFAULT_COLUMNS = ("score", "trend", "risk", "arr", "at_risk", "renewal", "owner", "alert")


@dataclass(frozen=True, slots=True)
class ListState:
    """``filter``: a filter as JSON text; ``open``: the account whose row is open in place."""

    q: str = ""
    segment: str = ""
    filter: str = ""
    sort: str = DEFAULT_SORT
    columns: tuple[str, ...] = DEFAULT_COLUMNS
    cursor: str = ""
    open: str = ""

    @classmethod
    def parse(cls, params: Mapping[str, str]) -> Self:
        """Read the parameters of a URL; what is unknown counts as the default."""
        sort = params.get("sort", "")
        chosen = params.get("columns", "").split(",")
        columns = tuple(name for name in COLUMNS if name in chosen)
        return cls(
            q=params.get("q", "").strip()[:200],
            segment=params.get("segment", ""),
            filter=params.get("filter", ""),
            sort=sort if SORT.fullmatch(sort) else DEFAULT_SORT,
            columns=columns or DEFAULT_COLUMNS,
            cursor=params.get("cursor", ""),
            open=params.get("open", ""),
        )

    @property
    def conditions(self) -> Sequence[Mapping[str, Any]]:
        """The parts of the filter; none if it is no JSON, which the filter parser refuses."""
        try:
            return conditions_of(orjson.loads(self.filter)) if self.filter else []
        except ValueError:
            return []

    @property
    def first_page(self) -> Self:
        return replace(self, cursor="", open="")

    def parameters(self) -> Mapping[str, str]:
        """Return the parameters of the address; what is as by default has none."""
        values = {
            "q": self.q,
            "segment": self.segment,
            "filter": self.filter,
            "sort": "" if self.sort == DEFAULT_SORT else self.sort,
            "columns": "" if self.columns == DEFAULT_COLUMNS else ",".join(self.columns),
            "cursor": self.cursor,
            "open": self.open,
        }
        return {name: value for name, value in values.items() if value}

    def url(self, path: str = PATH, **changes: Any) -> str:  # noqa: ANN401 - of each field
        """Return the address of this state with changes. Another list begins at its first page."""
        query = urlencode(replace(self, **{"cursor": "", "open": "", **changes}).parameters())
        return f"{path}?{query}" if query else path

    def with_condition(self, condition: Mapping[str, Any]) -> str:
        return self.url(filter=joined([*self.conditions, condition]))

    def without_condition(self, index: int) -> str:
        rest = [each for at, each in enumerate(self.conditions) if at != index]
        return self.url(filter=joined(rest))

    def sorted_by(self, name: str) -> str:
        """Return the address that sorts by a column: the largest first, then the smallest."""
        return self.url(sort=name if self.sort == f"-{name}" else f"-{name}")
