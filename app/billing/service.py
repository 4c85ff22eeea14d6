"""Billing systems: where they are connected, what they tell, and what waits for its account."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from secrets import token_urlsafe
from typing import Any

import orjson
from sqlalchemy.orm import Session

from app.accounts.queries import account_by_external_id, mark_due
from app.accounts.tombstones import ErasedError
from app.billing import queries, stripe
from app.billing.notices import Kind, MalformedEventError, Notice
from app.billing.settling import settle
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

SETTLE_AT_ONCE = 50


class Result(StrEnum):
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
        _keep_secret(source, secret, vault)
    source.apply_changes({**options, "changed_at": change.at})
    session.flush()
    queries.unsettle(session, workspace_id, unknown=None)
    details = {**options, "signing_secret": "given" if secret else "kept"}
    change.audit(session, f"billing_source.{verb}", STRIPE, details)
    return source


def delete_source(session: Session, change: Actor) -> None:
    """Take nothing more in. What was told stays, also for a source made later."""
    session.delete(queries.get_source(session, change.workspace_id, lock=True))
    change.audit(session, "billing_source.deleted", STRIPE)


def _place(source: BillingSource) -> str:
    return f"billing source {source.source_id}"


def _keep_secret(source: BillingSource, secret: str, vault: Encryptor) -> None:
    source.sealed = vault.seal(secret, place=_place(source))
    source.signing_secret = None


def _secret(source: BillingSource, vault: Encryptor) -> str:
    if source.signing_secret is not None:
        _keep_secret(source, source.signing_secret, vault)
    try:
        return str(vault.open(source.sealed or b"", place=_place(source)))
    except DecryptionError:
        raise StorageUnavailableError(
            "The signing secret was encrypted with another key: send it again."
        ) from None


def take(
    session: Session,
    source_id: str,
    body: bytes,
    signature: str | None,
    *,
    vault: Encryptor,
    now: datetime,
) -> Result:
    """Take one delivery in. Nothing of it counts twice, and its order does not matter."""
    source = queries.source_by_id(session, source_id)
    if source is None:
        raise NotFoundError("billing source", source_id)
    if not is_signed(signature or "", body, _secret(source, vault), now=now):
        raise BadRequestError(
            "The Stripe-Signature does not fit this body, or is too old.", code="invalid_signature"
        )
    notice = _read(body)
    queries.note_use(session, source.workspace_id, now=now)
    if notice is None or (notice.customer_id is None and notice.kind is not Kind.COUPON):
        return Result.IGNORED
    try:
        with session.begin_nested():
            return _apply(session, source, notice, now=now)
    except ErasedError:
        return Result.ERASED


def _read(body: bytes) -> Notice | None:
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadRequestError("The body is not JSON.", code="invalid_json") from None
    if not isinstance(event, dict):
        raise BadRequestError("The body must be a JSON object.", code="not_an_object")
    try:
        return stripe.read(event)
    except MalformedEventError as error:
        where = FieldError(f"/{error.pointer}", str(error))
        raise BadRequestError(
            "The event cannot be read.", errors=[where], code="invalid_event"
        ) from None


def _apply(session: Session, source: BillingSource, notice: Notice, *, now: datetime) -> Result:
    workspace_id = source.workspace_id
    if notice.customer_id is None:
        added = queries.add_event(session, workspace_id, notice, now=now)
        queries.unsettle(session, workspace_id, unknown="unknown_discount")
        return Result.APPLIED if added else Result.DUPLICATE
    customer = queries.lock_customer(session, workspace_id, notice.customer_id, now=now)
    if customer.erased:
        known = account_by_external_id(session, workspace_id, STRIPE, customer.customer_id)
        if known is None:
            return Result.ERASED
        customer.erased = False  # somebody has named whose customer it is from now on
    if not queries.add_event(session, workspace_id, notice, now=now):
        return Result.DUPLICATE
    settle(session, source, customer, known_on=notice.at.date(), now=now)
    if customer.account_id is None:
        return Result.UNMATCHED
    if notice.kind is Kind.INVOICE:
        mark_due(session, workspace_id, [customer.account_id])
    return Result.APPLIED


def settle_waiting(sessions: SessionFactory, *, now: datetime) -> int:
    """Look again at customers whose account or price has become known. How many there were."""
    with transaction(sessions) as session:
        waiting = queries.take_unsettled(session, limit=SETTLE_AT_ONCE)
        for customer in waiting:
            source = queries.get_source(session, customer.workspace_id)
            try:
                with session.begin_nested():
                    settle(session, source, customer, known_on=now.date(), now=now)
            except ErasedError:
                customer.account_id, customer.unsettled, customer.erased = None, False, True
        return len(waiting)
