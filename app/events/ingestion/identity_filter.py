"""Who comes in: erased ids are turned away, and an account that was renamed goes by its new id."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from time import monotonic

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.accounts import aliases, tombstones
from app.accounts.tombstones import ACCOUNT, ANONYMOUS, MEMBER, USER, TombstoneMatch
from app.events.reading.batch import ParsedBatch, RejectedEvent
from app.events.reading.canonical import CanonicalEvent
from app.events.reading.identities import IDENTITY_KINDS
from app.workspaces.queries import IdChangeFlags, load_id_change_flags

ID_CHANGES_TTL_SECONDS = 2.0
TOKEN_PATTERN = re.compile(r'"(?:[^"\\]|\\.)+"|-?\d[\w.+-]{0,40}')
MAX_TOKEN_LENGTH = 1500

CURRENT_ACCOUNTS = text("""
SELECT user_id, account_id FROM "user"
WHERE workspace_id = :workspace_id AND user_id = ANY(CAST(:user_ids AS text[]))
  AND account_id IS NOT NULL
""")


@dataclass(frozen=True, slots=True)
class ErasedIds:
    """The ids of a batch that lie under a tombstone."""

    hits: set[TombstoneMatch]
    members: set[str]

    def matches(self, event: CanonicalEvent) -> bool:
        """Whether an event is somebody's who was erased.

        A person who is known keeps the events of a device on which an erased one was before.
        """
        if event.account_id and (ACCOUNT, event.account_id) in self.hits:
            return True
        if event.previous_id and self._is_erased_person(event.previous_id):
            return True
        if event.user_id:
            lost = event.user_id in self.members and not event.account_id
            return lost or (USER, event.user_id) in self.hits
        return bool(event.anonymous_id) and (ANONYMOUS, event.anonymous_id) in self.hits

    def _is_erased_person(self, named: str) -> bool:
        return (USER, named) in self.hits or (ANONYMOUS, named) in self.hits

    def strip(self, event: CanonicalEvent) -> CanonicalEvent:
        if (ACCOUNT, _parent_id(event)) in self.hits:
            event = replace(event, traits={**(event.traits or {}), "parent_id": None})
        if event.anonymous_id and (ANONYMOUS, event.anonymous_id) in self.hits:
            return replace(event, anonymous_id=None)
        return event


def filter_batch(
    session: Session, workspace_id: str, reading: ParsedBatch, known: IdChangeFlags | None
) -> tuple[ParsedBatch, IdChangeFlags]:
    """Take out of a batch what was erased, and bring account ids up to date.

    ``known``: what was read with the caller, believed for a moment; None: it is asked for. Costs
    nothing where nothing was ever erased or renamed.
    """
    at = monotonic()
    if known is None or at - known.read_at > ID_CHANGES_TTL_SECONDS:
        known = load_id_change_flags(session, workspace_id, at=at)
    if known.has_aliases:
        reading = _with_current_ids(session, workspace_id, reading)
    if known.erasure_key:
        reading = _without_erased(session, workspace_id, reading, known.erasure_key)
    return reading, known


def _with_current_ids(session: Session, workspace_id: str, reading: ParsedBatch) -> ParsedBatch:
    named = {event.account_id for event in reading.events if event.account_id}
    named |= {parent for event in reading.events if (parent := _parent_id(event))}
    current = aliases.current_ids(session, workspace_id, sorted(named))
    if not current:
        return reading
    return replace(reading, events=[_rename_ids(event, current) for event in reading.events])


def _parent_id(event: CanonicalEvent) -> str | None:
    parent = (event.traits or {}).get("parent_id") if event.kind == "group" else None
    return parent if isinstance(parent, str) else None


def _rename_ids(event: CanonicalEvent, current: dict[str, str]) -> CanonicalEvent:
    if event.account_id in current:
        event = replace(event, account_id=current[event.account_id])
    parent = _parent_id(event)
    if parent in current:
        event = replace(event, traits={**(event.traits or {}), "parent_id": current[parent]})
    return event


def _without_erased(
    session: Session, workspace_id: str, reading: ParsedBatch, key: bytes
) -> ParsedBatch:
    events = [*reading.events, *reading.repeats.values()]
    named = {each for event in events for each in _ids(event)}
    tokens = {row.n: payload_tokens(row.payload) for row in reading.rejected}
    hits = tombstones.find_matches(session, workspace_id, key, named.union(*tokens.values()))
    if not hits:
        return reading
    turned = ErasedIds(hits, _members_of_erased_accounts(session, workspace_id, key, events, hits))
    texts = {named for _, named in hits}
    put_aside = [row for row in reading.rejected if not tokens[row.n] & texts]
    return _separate_erased(reading, turned, put_aside)


def _members_of_erased_accounts(
    session: Session,
    workspace_id: str,
    key: bytes,
    events: Sequence[CanonicalEvent],
    hits: set[TombstoneMatch],
) -> set[str]:
    """Name people of an erased account who have not come to belong to another one since."""
    members = {named for kind, named in hits if kind == MEMBER}
    if not members:
        return set()
    said = {
        event.user_id
        for event in events
        if event.kind in IDENTITY_KINDS and event.account_id
        if (ACCOUNT, event.account_id) not in hits
    }
    values = {"workspace_id": workspace_id, "user_ids": sorted(members)}
    accounts = {row.user_id: row.account_id for row in session.execute(CURRENT_ACCOUNTS, values)}
    gone = tombstones.find_matches(session, workspace_id, key, set(accounts.values()))
    elsewhere = {user for user, account in accounts.items() if (ACCOUNT, account) not in gone}
    return members - said - elsewhere


def _separate_erased(
    reading: ParsedBatch, turned: ErasedIds, rejected: list[RejectedEvent]
) -> ParsedBatch:
    erased: dict[int, str | None] = {
        event.n: event.message_id for event in reading.events if turned.matches(event)
    }
    repeated = {n: event for n, event in reading.repeats.items() if turned.matches(event)}
    erased |= {n: event.message_id for n, event in repeated.items()}
    kept = {row.n for row in rejected}
    erased |= {row.n: row.message_id for row in reading.rejected if row.n not in kept}
    return ParsedBatch(
        [turned.strip(event) for event in reading.events if event.n not in erased],
        rejected,
        {n: event for n, event in reading.repeats.items() if n not in erased},
        {n for n in reading.reused if n not in erased},
        erased,
    )


def _ids(event: CanonicalEvent) -> Iterable[str]:
    found = (
        event.account_id,
        event.user_id,
        event.anonymous_id,
        event.previous_id,
        _parent_id(event),
    )
    return (each for each in found if each)


def payload_tokens(payload: str) -> set[str]:
    """Return every text and number of a payload, which may be cut or broken JSON.

    What stands between two quotes counts too: in broken JSON nobody knows which of them opens.
    """
    found = {_unquoted(match.group()) for match in TOKEN_PATTERN.finditer(payload)}
    found.update(payload.split('"'))
    return {each for each in found if 0 < len(each) <= MAX_TOKEN_LENGTH}


def _unquoted(token: str) -> str:
    if not token.startswith('"'):
        return token
    try:
        return str(json.loads(token)).encode(errors="replace").decode()
    except ValueError:
        return token[1:-1]
