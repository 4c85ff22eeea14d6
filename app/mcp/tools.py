"""What a tool is. A tool calls functions of the API, so its answers are the API's answers."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from inspect import cleandoc
from typing import Annotated, Any, Generic, TypeVar, get_type_hints
from urllib.parse import quote

from pydantic import Field
from sqlalchemy.orm import Session

from app.core.pagination import Paging
from app.core.schemas import NO_NUL, Day, Id, RequestModel, ResponseModel
from app.workspaces.auth import Caller

ArgumentsT = TypeVar("ArgumentsT", bound=RequestModel)
AnswerT = TypeVar("AnswerT", bound=ResponseModel)


@dataclass(frozen=True, slots=True)
class Call:
    """What a tool works with: a transaction, the caller of the API key, the address of the page."""

    session: Session
    caller: Caller
    now: datetime
    address: str

    @property
    def workspace_id(self) -> str:
        return self.caller.workspace_id

    def link(self, account_id: str | None = None) -> str:
        """Return the address at which a person sees the same."""
        path = "" if account_id is None else f"/{quote(account_id, safe='')}"
        return f"{self.address}/accounts{path}"


@dataclass(frozen=True, slots=True)
class Tool(Generic[ArgumentsT, AnswerT]):
    """A function that an agent may call. It reads, and changes nothing."""

    title: str
    description: str
    arguments: type[ArgumentsT]
    answer: type[AnswerT]
    run: Callable[[Call, ArgumentsT], AnswerT]

    @property
    def name(self) -> str:
        return self.run.__name__


def tool(title: str) -> Callable[[Callable[[Call, Any], Any]], Tool[Any, Any]]:
    """Make a tool of a function: an agent reads its docstring, its types are the schemas."""

    def make(run: Callable[[Call, Any], Any]) -> Tool[Any, Any]:
        hints = get_type_hints(run, include_extras=True)
        return Tool(title, cleandoc(run.__doc__ or ""), hints["arguments"], hints["return"], run)

    return make


class Answer(ResponseModel):
    """What every tool answers beside its data."""

    as_of: datetime = Field(description="When this was read. Scores have their own `as_of`.")
    link: str = Field(description="Where a person sees it.")


class PageIn(RequestModel):
    """A page of a list: nothing is cut off, the next page begins at the cursor."""

    limit: Annotated[int, Field(ge=1, le=200)] = 20
    cursor: Annotated[str, Field(max_length=2000, pattern=NO_NUL)] | None = Field(
        None, description="`next_cursor` of the previous answer."
    )

    @property
    def paging(self) -> Paging:
        return Paging(self.limit, self.cursor)


class AccountIn(RequestModel):
    account_id: Id


class PeriodIn(RequestModel):
    """Two days. Reports as of a past day use only what was known on it."""

    since: Day | None = Field(None, description="The first day.")
    until: Day | None = Field(None, description="The last day; today by default.")
