"""The kinds and states of id changes. Pure."""

from enum import StrEnum


class IdChangeKind(StrEnum):
    """The change and its subject."""

    ERASE_USER = "erase_user"
    ERASE_ACCOUNT = "erase_account"
    RENAME = "rename"
    MERGE = "merge"

    @property
    def prefix(self) -> str:
        return "er" if self in ERASURES else "mv"

    @property
    def noun(self) -> str:
        return "erasure" if self in ERASURES else "account move"


ERASURES = (IdChangeKind.ERASE_USER, IdChangeKind.ERASE_ACCOUNT)
MOVES = (IdChangeKind.RENAME, IdChangeKind.MERGE)


class IdChangeState(StrEnum):
    """``waiting``: until every process knows of it; ``lifted``: the id is accepted again."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    LIFTED = "lifted"


def state_of(*, step: str | None, fenced: bool, lifted: bool) -> IdChangeState:
    if lifted:
        return IdChangeState.LIFTED
    if step is None:
        return IdChangeState.DONE
    return IdChangeState.RUNNING if fenced else IdChangeState.WAITING
