"""Compose the digest of an owner, and publish those that are due."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.core.languages import Language
from app.core.pagination import Paging
from app.digests import queries
from app.digests.schedule import next_time
from app.digests.sentences import account_sentence, mover_sentence, title
from app.digests.tables import Digest
from app.reports.movers.service import load_movers
from app.reports.today.service import load_page
from app.webhooks.message_types import MAX_DIGEST_ITEMS
from app.webhooks.outbox import NewMessage, fit_digest_items, publish
from app.workspaces.queries import get_workspace

MESSAGE_TYPE = "owner.digested"
MOVER_DAYS, MOVERS = 7, 3
LONGEST = 500


@dataclass(frozen=True, slots=True)
class DigestContent:
    """The title of a digest, and its lines: each is about one account."""

    title: str
    accounts: list[Mapping[str, Any]]
    movers: list[Mapping[str, Any]]

    @property
    def text(self) -> str:
        """The digest as plain text."""
        lines = (
            f"- {each['name'] or each['account_id']}: {each['sentence']}"
            for each in (*self.accounts, *self.movers)
        )
        return "\n".join((self.title, *lines))


def compose_digest(
    session: Session, workspace_id: str, owner: str, *, now: datetime, language: Language
) -> DigestContent | None:
    """Compose the digest of an owner; None on a quiet day: no account needs something.

    It names no people of accounts: a stored message would outlive their erasure.
    """
    page = load_page(
        session,
        workspace_id,
        owner=owner,
        paging=Paging(MAX_DIGEST_ITEMS, None),
        now=now,
        language=language,
        with_people=False,
    )
    if not page.items:
        return None
    found = load_movers(
        session,
        workspace_id,
        days=MOVER_DAYS,
        owner=owner,
        limit=MOVERS,
        now=now,
        language=language,
    )
    currency = get_workspace(session, workspace_id).base_currency
    accounts = [
        _line(each.account_id, each.name, account_sentence(each, currency, language))
        for each in page.items
    ]
    movers = [
        _line(each.account_id, each.name, mover_sentence(each, language)) for each in found.movers
    ]
    has_more = page.next_cursor is not None
    return DigestContent(
        title(len(accounts), language, has_more=has_more),
        fit_digest_items(accounts),
        fit_digest_items(movers),
    )


def _line(account_id: str, name: str | None, sentence: str) -> Mapping[str, Any]:
    short = sentence if len(sentence) <= LONGEST else f"{sentence[: LONGEST - 1]}…"
    return {"account_id": account_id, "name": name, "sentence": short}


def send_due_digests(session: Session, *, now: datetime) -> int:
    """Publish digests that are due, and set the time of the next; return how many were due.

    Both happen in one transaction under the lock of the digest: each period has one message,
    whatever worker dies. Periods that passed while no worker ran are one period.
    """
    due = queries.claim_due_digests(session, now=now)
    for digest in due:
        _send(session, digest, now)
    return len(due)


def _send(session: Session, digest: Digest, now: datetime) -> None:
    digest.next_at = next_time(now, at=digest.at, zone=digest.zone, weekday=digest.weekday)
    workspace_id, language = digest.workspace_id, Language(digest.language)
    content = compose_digest(session, workspace_id, digest.owner, now=now, language=language)
    if content is None:
        return
    data = {
        "title": content.title,
        "owner": digest.owner,
        "cadence": digest.cadence,
        "accounts": content.accounts,
        "movers": content.movers,
    }
    publish(session, workspace_id, [NewMessage(MESSAGE_TYPE, data)], now=now)
    digest.sent_at = now
