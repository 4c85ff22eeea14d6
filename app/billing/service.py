"""Connect a billing system, receive its events, and reconcile customers that wait."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from secrets import token_urlsafe
from typing import Any

import orjson
from sqlalchemy.orm import Session

from app.accounts.queries import find_account_id
from app.accounts.refresh_queue import mark_due
from app.accounts.tombstones import ErasedError
from app.billing import queries
from app.billing.billing_events import MalformedEventError, ObjectKind, ParsedEvent
from app.billing.reconcile import reconcile_customer
from app.billing.signature import is_signed
from app.billing.stripe_events import parse_event
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
THIN_EVENTS = "v2."
"""How the ``object`` of Stripe's thin events begins; that of a snapshot event is ``event``."""


class BillingEventResult(StrEnum):
    """What became of an event. Every result is a success for the sender."""

    APPLIED = "applied"
    UNMATCHED = "unmatched"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    ERASED = "erased"


class IgnoredReason(StrEnum):
    """Why an event was ignored. ``no_customer``: it belongs to no customer, so to no account."""

    TEST_MODE = "test_mode"
    OTHER_ACCOUNT = "other_account"
    UNUSED_TYPE = "unused_type"
    NO_CUSTOMER = "no_customer"


def put_source(
    session: Session, actor: Actor, options: Mapping[str, Any], encryptor: Encryptor
) -> BillingSource:
    """Connect Stripe or change its options; every customer is then reconciled again."""
    workspace_id = actor.workspace_id
    source = queries.find_source(session, workspace_id)
    columns = {name: value for name, value in options.items() if name != "signing_secret"}
    secret = options["signing_secret"]
    verb = "changed" if source else "created"
    if source is None:
        if secret is None:
            raise ConflictError(
                "Stripe is not connected yet. Send its signing_secret.", code="secret_needed"
            )
        source = BillingSource(
            workspace_id=workspace_id,
            system=STRIPE,
            source_id=f"bs_{token_urlsafe(24)}",
            created_at=actor.at,
        )
        session.add(source)
    if secret is not None:
        _store_secret(source, secret, encryptor)
    source.apply_changes({**columns, "changed_at": actor.at})
    session.flush()
    queries.mark_for_reconcile(session, workspace_id, unknown=None)
    details = {**columns, "signing_secret": "given" if secret else "kept"}
    actor.audit(session, f"billing_source.{verb}", STRIPE, details)
    return source


def delete_source(session: Session, actor: Actor) -> None:
    """Stop receiving events. Stored events remain, also for a source that is connected later."""
    session.delete(queries.get_source(session, actor.workspace_id, lock=True))
    actor.audit(session, "billing_source.deleted", STRIPE)


def _encryption_context(source: BillingSource) -> str:
    return f"billing source {source.source_id}"


def _store_secret(source: BillingSource, secret: str, encryptor: Encryptor) -> None:
    source.encrypted_secret = encryptor.encrypt(secret, context=_encryption_context(source))
    source.signing_secret = None


def _open_secret(source: BillingSource, encryptor: Encryptor) -> str:
    """Decrypt the signing secret. One that is stored as plain text is encrypted first."""
    if source.signing_secret is not None:
        _store_secret(source, source.signing_secret, encryptor)
    try:
        return str(
            encryptor.decrypt(source.encrypted_secret or b"", context=_encryption_context(source))
        )
    except DecryptionError:
        raise StorageUnavailableError(
            "The signing secret was encrypted with another key. Send the signing_secret again."
        ) from None


def receive_event(
    session: Session,
    source_id: str,
    body: bytes,
    signature: str | None,
    *,
    encryptor: Encryptor,
    now: datetime,
) -> BillingEventResult | IgnoredReason:
    """Verify, store and apply one event. A repeated event has no effect; order does not matter."""
    source = queries.find_source_by_id(session, source_id)
    if source is None:
        raise NotFoundError("billing source", source_id, in_workspace=False)
    if not is_signed(signature or "", body, _open_secret(source, encryptor), now=now):
        raise BadRequestError(
            "The Stripe-Signature header does not match this body and the stored signing secret, or"
            " is older than 5 minutes. Check the signing secret in both systems.",
            code="invalid_signature",
        )
    event = _read_event(source, _parse_object(body))
    if isinstance(event, IgnoredReason):
        return event
    queries.touch_source(session, source.workspace_id, now=now)
    try:
        with session.begin_nested():
            return _apply_event(session, source, event, now=now)
    except ErasedError:
        return BillingEventResult.ERASED


def _parse_object(body: bytes) -> dict[str, Any]:
    """Parse the body of a snapshot event; thin events hold no object, so they are refused."""
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadRequestError("The body is not valid JSON.", code="invalid_json") from None
    if not isinstance(event, dict):
        raise BadRequestError("The body must be a JSON object.", code="not_an_object")
    if str(event.get("object")).startswith(THIN_EVENTS):
        raise BadRequestError(
            "This is a thin event: it names a change without its content. Choose snapshot"
            " payloads in Stripe for the events that are sent to this URL.",
            code="thin_event",
        )
    return event


def _read_event(source: BillingSource, event: dict[str, Any]) -> ParsedEvent | IgnoredReason:
    """Parse an event, or return why it does not count for the source."""
    account = event.get("account")
    if event.get("livemode") is False and not source.test_mode:
        return IgnoredReason.TEST_MODE
    if account is not None and account not in source.connected_accounts:
        return IgnoredReason.OTHER_ACCOUNT
    try:
        parsed = parse_event(event)
    except MalformedEventError as error:
        where = FieldError(f"/{error.pointer}", str(error))
        raise BadRequestError(
            f"The event is invalid: {error}", errors=[where], code="invalid_event"
        ) from None
    if parsed is None:
        return IgnoredReason.UNUSED_TYPE
    if parsed.customer_id is None and parsed.kind is not ObjectKind.COUPON:
        return IgnoredReason.NO_CUSTOMER
    return parsed


def _apply_event(
    session: Session, source: BillingSource, event: ParsedEvent, *, now: datetime
) -> BillingEventResult:
    workspace_id = source.workspace_id
    if event.customer_id is None:
        added = queries.insert_event(session, workspace_id, event, now=now)
        queries.mark_for_reconcile(session, workspace_id, unknown="unknown_discount")
        return BillingEventResult.APPLIED if added else BillingEventResult.DUPLICATE
    customer = queries.lock_customer(session, workspace_id, event.customer_id, now=now)
    if customer.erased:
        owner_id = find_account_id(session, workspace_id, STRIPE, customer.customer_id)
        if owner_id is None:
            return BillingEventResult.ERASED
        customer.erased = False  # an account has the customer's id as external id again
    if not queries.insert_event(session, workspace_id, event, now=now):
        return BillingEventResult.DUPLICATE
    reconcile_customer(session, source, customer, known_on=event.at.date(), now=now)
    if customer.account_id is None:
        return BillingEventResult.UNMATCHED
    if event.kind is ObjectKind.INVOICE:
        mark_due(session, workspace_id, [customer.account_id])
    return BillingEventResult.APPLIED


def reconcile_waiting(sessions: SessionFactory, *, now: datetime) -> int:
    """Reconcile customers that are marked, or whose account became known; return how many."""
    with transaction(sessions) as session:
        waiting = queries.lock_unsettled(session, limit=RECONCILE_BATCH)
        for customer in waiting:
            source = queries.get_source(session, customer.workspace_id)
            try:
                with session.begin_nested():
                    reconcile_customer(session, source, customer, known_on=now.date(), now=now)
            except ErasedError:
                customer.account_id, customer.needs_reconcile, customer.erased = None, False, True
        return len(waiting)
