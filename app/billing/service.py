"""Billing systems: where they are connected, what they tell, and what waits for its account."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from secrets import token_urlsafe
from typing import Any

import orjson
from sqlalchemy.orm import Session

from app.accounts.queries import find_account_id, mark_due
from app.accounts.tombstones import ErasedError
from app.billing import queries, stripe_events
from app.billing.billing_events import MalformedEventError, ObjectKind, ParsedEvent
from app.billing.reconcile import reconcile_customer
from app.billing.signature import is_signed
from app.billing.tables import STRIPE, BillingSource
from app.core.db import SessionFactory, transaction
from app.core.encryption import DecryptionError, Encryptor
from app.core.errors import (
    BadRequestError,
    ConflictError,
    FieldError,
    NotFoundError,
    StorageUnavailableError,
)
from app.workspaces.service import Actor

RECONCILE_BATCH = 50


class BillingEventResult(StrEnum):
    """What became of an event; all of them are success to the sender."""

    APPLIED = "applied"
    UNMATCHED = "unmatched"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    ERASED = "erased"


def put_source(
    session: Session, change: Actor, said: Mapping[str, Any], vault: Encryptor
) -> BillingSource:
    """Connect Stripe or change how it is read; then every customer is worked out anew."""
    workspace_id = change.workspace_id
    source = queries.find_source(session, workspace_id)
    secret, options = said["signing_secret"], {**said}
    del options["signing_secret"]
    verb = "changed" if source else "created"
    if source is None:
        if secret is None:
            raise ConflictError(
                "Stripe is not connected yet: send its signing_secret.", code="secret_needed"
            )
        source = BillingSource(
            workspace_id=workspace_id,
            system=STRIPE,
            source_id=f"bs_{token_urlsafe(24)}",
            created_at=change.at,
        )
        session.add(source)
    if secret is not None:
        _store_secret(source, secret, vault)
    source.apply_changes({**options, "changed_at": change.at})
    session.flush()
    queries.mark_unsettled(session, workspace_id, unknown=None)
    details = {**options, "signing_secret": "given" if secret else "kept"}
    change.audit(session, f"billing_source.{verb}", STRIPE, details)
    return source


def delete_source(session: Session, change: Actor) -> None:
    """Take nothing more in. What was told stays, also for a source made later."""
    session.delete(queries.get_source(session, change.workspace_id, lock=True))
    change.audit(session, "billing_source.deleted", STRIPE)


def _encryption_context(source: BillingSource) -> str:
    return f"billing source {source.source_id}"


def _store_secret(source: BillingSource, secret: str, vault: Encryptor) -> None:
    source.sealed = vault.seal(secret, place=_encryption_context(source))
    source.signing_secret = None


def _open_secret(source: BillingSource, vault: Encryptor) -> str:
    if source.signing_secret is not None:
        _store_secret(source, source.signing_secret, vault)
    try:
        return str(vault.open(source.sealed or b"", place=_encryption_context(source)))
    except DecryptionError:
        raise StorageUnavailableError(
            "The signing secret was encrypted with another key: send it again."
        ) from None


def receive_event(
    session: Session,
    source_id: str,
    body: bytes,
    signature: str | None,
    *,
    vault: Encryptor,
    now: datetime,
) -> BillingEventResult:
    """Take one delivery in. Nothing of it counts twice, and its order does not matter."""
    source = queries.find_source_by_id(session, source_id)
    if source is None:
        raise NotFoundError("billing source", source_id)
    if not is_signed(signature or "", body, _open_secret(source, vault), now=now):
        raise BadRequestError(
            "The Stripe-Signature does not fit this body, or is too old.", code="invalid_signature"
        )
    notice = _parse_body(body)
    queries.touch_source(session, source.workspace_id, now=now)
    if notice is None or (notice.customer_id is None and notice.kind is not ObjectKind.COUPON):
        return BillingEventResult.IGNORED
    try:
        with session.begin_nested():
            return _apply_event(session, source, notice, now=now)
    except ErasedError:
        return BillingEventResult.ERASED


def _parse_body(body: bytes) -> ParsedEvent | None:
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadRequestError("The body is not JSON.", code="invalid_json") from None
    if not isinstance(event, dict):
        raise BadRequestError("The body must be a JSON object.", code="not_an_object")
    try:
        return stripe_events.parse_event(event)
    except MalformedEventError as error:
        where = FieldError(f"/{error.pointer}", str(error))
        raise BadRequestError(
            "The event cannot be read.", errors=[where], code="invalid_event"
        ) from None


def _apply_event(
    session: Session, source: BillingSource, notice: ParsedEvent, *, now: datetime
) -> BillingEventResult:
    workspace_id = source.workspace_id
    if notice.customer_id is None:
        added = queries.insert_event(session, workspace_id, notice, now=now)
        queries.mark_unsettled(session, workspace_id, unknown="unknown_discount")
        return BillingEventResult.APPLIED if added else BillingEventResult.DUPLICATE
    customer = queries.lock_customer(session, workspace_id, notice.customer_id, now=now)
    if customer.erased:
        known = find_account_id(session, workspace_id, STRIPE, customer.customer_id)
        if known is None:
            return BillingEventResult.ERASED
        customer.erased = False  # somebody has named whose customer it is from now on
    if not queries.insert_event(session, workspace_id, notice, now=now):
        return BillingEventResult.DUPLICATE
    reconcile_customer(session, source, customer, known_on=notice.at.date(), now=now)
    if customer.account_id is None:
        return BillingEventResult.UNMATCHED
    if notice.kind is ObjectKind.INVOICE:
        mark_due(session, workspace_id, [customer.account_id])
    return BillingEventResult.APPLIED


def reconcile_waiting(sessions: SessionFactory, *, now: datetime) -> int:
    """Look again at customers whose account or price has become known. How many there were."""
    with transaction(sessions) as session:
        waiting = queries.lock_unsettled(session, limit=RECONCILE_BATCH)
        for customer in waiting:
            source = queries.get_source(session, customer.workspace_id)
            try:
                with session.begin_nested():
                    reconcile_customer(session, source, customer, known_on=now.date(), now=now)
            except ErasedError:
                customer.account_id, customer.unsettled, customer.erased = None, False, True
        return len(waiting)
