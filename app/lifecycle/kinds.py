"""What can be done to an id, and how a request for it stands."""

from enum import StrEnum


class Kind(StrEnum):
    """What is done to whom."""

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


ERASURES = (Kind.ERASE_USER, Kind.ERASE_ACCOUNT)
MOVES = (Kind.RENAME, Kind.MERGE)


class State(StrEnum):
    """``waiting``: until everybody has heard of it; ``lifted``: the id may come again."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    LIFTED = "lifted"


def state_of(*, step: str | None, fenced: bool, lifted: bool) -> State:
    if lifted:
        return State.LIFTED
    if step is None:
        return State.DONE
    return State.RUNNING if fenced else State.WAITING
