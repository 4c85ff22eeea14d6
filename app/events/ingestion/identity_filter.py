"""Filter the ids of a batch: drop events of erased people and accounts, map renamed account ids."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic

from sqlalchemy.orm import Session

from app.accounts import aliases, tombstones
from app.accounts.aliases import Alias
from app.accounts.tombstones import ACCOUNT, ANONYMOUS, MEMBER, USER, TombstoneMatch
from app.accounts.traits import trim_id
from app.core.sql import load_sql
from app.events.reading.batch import ParsedBatch, RejectedEvent
from app.events.reading.canonical import CanonicalEvent
from app.events.reading.identities import IDENTITY_KINDS
from app.workspaces.queries import IdChangeFlags, load_id_change_flags

ID_CHANGES_TTL_SECONDS = 2.0
TOKEN_PATTERN = re.compile(r'"(?:[^"\\]|\\.)+"|-?\d[\w.+-]{0,40}')
MAX_TOKEN_LENGTH = 1500

SQL = load_sql(__file__)


@dataclass(frozen=True, slots=True)
class ErasedIds:
    """The ids of a batch that have a tombstone.

    ``members``: users of an erased account who have not joined another account since its erasure.
    """

    hits: set[TombstoneMatch]
    members: set[str]

    def matches(self, event: CanonicalEvent) -> bool:
        """Whether an event belongs to an erased account or person.

        A known user keeps the events of a device that an erased person used before.
        """
        if event.account_id and (ACCOUNT, event.account_id) in self.hits:
            return True
        if event.previous_id and self._is_erased_person(event.previous_id):
            return True
        if event.user_id:
            is_member = event.user_id in self.members and not event.account_id
            return is_member or (USER, event.user_id) in self.hits
        return bool(event.anonymous_id) and (ANONYMOUS, event.anonymous_id) in self.hits

    def _is_erased_person(self, person_id: str) -> bool:
        return (USER, person_id) in self.hits or (ANONYMOUS, person_id) in self.hits

    def strip(self, event: CanonicalEvent) -> CanonicalEvent:
        """Return an event that may be stored, without an erased parent account or anonymous id."""
        if (ACCOUNT, _parent_id(event)) in self.hits:
            event = replace(event, traits={**(event.traits or {}), "parent_id": None})
        if event.anonymous_id and (ANONYMOUS, event.anonymous_id) in self.hits:
            return replace(event, anonymous_id=None)
        return event


def filter_batch(
    session: Session, workspace_id: str, parsed: ParsedBatch, known: IdChangeFlags | None
) -> tuple[ParsedBatch, IdChangeFlags]:
    """Move erased events out of a batch, and replace old account ids by current ones.

    ``known``: the flags loaded with the caller, valid for 2 seconds; None: they are loaded here.
    A workspace in which nothing was ever erased or renamed costs no query.
    """
    at = monotonic()
    if known is None or at - known.read_at > ID_CHANGES_TTL_SECONDS:
        known = load_id_change_flags(session, workspace_id, at=at)
    if known.has_aliases:
        parsed = _with_current_ids(session, workspace_id, parsed)
    if known.erasure_key:
        parsed = _without_erased(session, workspace_id, parsed, known.erasure_key)
    return parsed, known


def _with_current_ids(session: Session, workspace_id: str, parsed: ParsedBatch) -> ParsedBatch:
    ids = {event.account_id for event in parsed.events if event.account_id}
    ids |= {parent for event in parsed.events if (parent := _parent_id(event))}
    current = aliases.load_aliases(session, workspace_id, sorted(ids))
    if not current:
        return parsed
    return replace(parsed, events=[_rename_ids(event, current) for event in parsed.events])


def _parent_id(event: CanonicalEvent) -> str | None:
    parent = (event.traits or {}).get("parent_id") if event.kind == "group" else None
    return parent if isinstance(parent, str) else None


def _rename_ids(event: CanonicalEvent, current: Mapping[str, Alias]) -> CanonicalEvent:
    if event.account_id and event.account_id in current:
        alias = current[event.account_id]
        event = replace(event, account_id=alias.current_id, old_account_id=alias.merged_as)
    parent = _parent_id(event)
    if parent and parent in current:
        traits = {**(event.traits or {}), "parent_id": current[parent].current_id}
        event = replace(event, traits=traits)
    return event


def _without_erased(
    session: Session, workspace_id: str, parsed: ParsedBatch, key: bytes
) -> ParsedBatch:
    events = [*parsed.events, *parsed.repeats.values()]
    ids = {each for event in events for each in _ids(event)}
    tokens = {row.n: payload_tokens(row.payload) for row in parsed.rejected}
    sent = {raw: each for event in events for each, raw in (event.untrimmed or {}).items()}
    hits = tombstones.find_matches(session, workspace_id, key, ids.union(sent, *tokens.values()))
    if not hits:
        return parsed
    # an id that was erased before ids were trimmed has a tombstone with its spaces
    hits |= {(kind, sent[text]) for kind, text in hits if text in sent}
    members = _members_of_erased_accounts(session, workspace_id, key, events, hits)
    erased_texts = {text for _, text in hits}
    rejected = [row for row in parsed.rejected if not tokens[row.n] & erased_texts]
    return _separate_erased(parsed, ErasedIds(hits, members), rejected)


def _members_of_erased_accounts(
    session: Session,
    workspace_id: str,
    key: bytes,
    events: Sequence[CanonicalEvent],
    hits: set[TombstoneMatch],
) -> set[str]:
    """Return users of an erased account who have not joined another account since its erasure."""
    members = {user_id for kind, user_id in hits if kind == MEMBER}
    if not members:
        return set()
    joining = {
        event.user_id
        for event in events
        if event.kind in IDENTITY_KINDS and event.account_id
        if (ACCOUNT, event.account_id) not in hits
    }
    values = {"workspace_id": workspace_id, "user_ids": sorted(members)}
    accounts = {
        row.user_id: row.account_id for row in session.execute(SQL.current_accounts, values)
    }
    erased = tombstones.find_matches(session, workspace_id, key, set(accounts.values()))
    elsewhere = {user for user, account in accounts.items() if (ACCOUNT, account) not in erased}
    return members - joining - elsewhere


def _separate_erased(
    parsed: ParsedBatch, erased_ids: ErasedIds, rejected: list[RejectedEvent]
) -> ParsedBatch:
    events, remaining = (*parsed.events, *parsed.repeats.values()), {row.n for row in rejected}
    erased = {
        **{event.n: event.message_id for event in events if erased_ids.matches(event)},
        **{row.n: row.message_id for row in parsed.rejected if row.n not in remaining},
    }
    return ParsedBatch(
        [erased_ids.strip(event) for event in parsed.events if event.n not in erased],
        rejected,
        {n: event for n, event in parsed.repeats.items() if n not in erased},
        parsed.reused - erased.keys(),
        erased,
    )


def _ids(event: CanonicalEvent) -> Iterable[str]:
    people = (event.user_id, event.anonymous_id, event.previous_id)
    return (each for each in (event.account_id, *people, _parent_id(event)) if each)


def payload_tokens(payload: str) -> set[str]:
    """Return every text and number of a payload, which may be truncated or broken JSON.

    Text between any two quotes is included: in broken JSON it is unknown which quote opens.
    """
    tokens = {_unquoted(match.group()) for match in TOKEN_PATTERN.finditer(payload)}
    tokens.update(payload.split('"'))
    tokens.update([trim_id(each) for each in tokens])
    return {each for each in tokens if 0 < len(each) <= MAX_TOKEN_LENGTH}


def _unquoted(token: str) -> str:
    if not token.startswith('"'):
        return token
    try:
        return str(json.loads(token)).encode(errors="replace").decode()
    except ValueError:
        return token[1:-1]
