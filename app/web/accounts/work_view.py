"""What people wrote about an account and what happened to it, from the services of the API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.collaboration.agreement import Agreement, compare
from app.collaboration.queries import find_sentiment, list_tasks
from app.collaboration.tables import Note, Sentiment, Task
from app.core.pagination import Page, Paging
from app.core.query_helpers import find_row
from app.reports.people.service import load_people
from app.reports.timeline.kinds import NOTES, EntryKind
from app.reports.timeline.schemas import TimelineEntry
from app.reports.timeline.service import load_entries
from app.web.frame.visits import Visit

PAGE_SIZE = 50
OPEN_TASKS = Paging(50, None)
GROUPS: Mapping[str, Sequence[EntryKind]] = {
    "everything": (),
    "written": (*NOTES, EntryKind.TASK, EntryKind.SENTIMENT),
    "health": (
        *(EntryKind.ALERT, EntryKind.SIGNAL),
        *(EntryKind.INTERVENTION, EntryKind.SCORECARD),
    ),
    "contract": (EntryKind.SUBSCRIPTION, EntryKind.PRICE, EntryKind.PLAN, EntryKind.SEATS),
    "use": (EntryKind.USE, EntryKind.PEOPLE, EntryKind.ONBOARDING, EntryKind.GOAL),
    "support": (EntryKind.TICKET, EntryKind.ANSWER, EntryKind.FEEDBACK, EntryKind.INCIDENT),
}


@dataclass(frozen=True, slots=True)
class Feeling:
    """The newest sentiment of the owner, its age, and whether the band agrees."""

    row: Sentiment
    age_days: int
    agreement: Agreement


@dataclass(frozen=True, slots=True)
class Work:
    """``note``: the one that is open, in full. ``group``: of the kinds of entries shown."""

    entries: Page[TimelineEntry]
    tasks: Sequence[Task]
    note: Note | None
    group: str
    cursor: str


def load_feeling(session: Session, visit: Visit, account_id: str, band: str) -> Feeling | None:
    row = find_sentiment(session, visit.workspace_id, account_id)
    if row is None:
        return None
    return Feeling(row, (visit.now - row.at).days, compare(row.value, band))


def load_people_page(session: Session, visit: Visit, account_id: str) -> Mapping[str, Any]:
    cursor = visit.request.query_params.get("cursor") or None
    paging = Paging(PAGE_SIZE, cursor)
    people = load_people(session, visit.workspace_id, account_id, paging, now=visit.now)
    return {"people": people, "cursor": cursor}


def load_work(session: Session, visit: Visit, account_id: str) -> Mapping[str, Any]:
    """Read a page of the timeline, the open tasks, and the note that is open."""
    params = visit.request.query_params
    group, cursor = params.get("show", ""), params.get("cursor", "")
    if group not in GROUPS:
        group = next(iter(GROUPS))
    note = None
    if note_id := params.get("note", "").replace("\x00", ""):
        note = find_row(session, Note, (visit.workspace_id, note_id))
    work = Work(
        entries=load_entries(
            session,
            visit.workspace_id,
            account_id,
            kinds=GROUPS[group],
            paging=Paging(PAGE_SIZE, cursor or None),
            now=visit.now,
            language=visit.language,
        ),
        tasks=list_tasks(
            session, visit.workspace_id, OPEN_TASKS, account_id=account_id, done=False
        ).rows,
        note=note if note and note.account_id == account_id else None,
        group=group,
        cursor=cursor,
    )
    return {"work": work, "groups": GROUPS}
