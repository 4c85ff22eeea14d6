"""Take the traits of a person out of accounts, where ``group`` calls without traits put them."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy.orm import Session

from app.accounts import queries
from app.accounts.refresh_queue import mark_due
from app.accounts.stated_prices.service import withdraw_values
from app.accounts.tables import Account, User
from app.accounts.traits import field_names, split_account_traits
from app.core.db import transaction
from app.core.sql import load_sql
from app.doctor.faults import Fault, Run
from app.workspaces.queries import get_workspace

SQL = load_sql(__file__)


def check_person_traits(run: Run) -> Iterator[Fault]:
    """Empty the fields of accounts that hold the same value as the person's trait.

    The next ``group`` call with traits, or the API, fills them again.
    """
    values = {"workspace_id": run.workspace_id}
    with transaction(run.sessions) as session:
        pairs = session.execute(SQL.people_in_accounts, values).all()
        unknown = session.scalars(SQL.addresses_of_nobody, values).all()
    for account_id, user_id in pairs:
        with run.repair() as session:
            names = _take_out(session, run, account_id, user_id)
        if names:
            found = f"It has the traits of a person: {', '.join(names)}."
            yield Fault(account_id, found, "These fields are emptied.")
    for account_id in unknown:
        found = "Its trait email belongs to no stored person; it may be that of an erased one."
        yield Fault(account_id, found, None)


def _take_out(session: Session, run: Run, account_id: str, user_id: str) -> list[str]:
    """Empty the fields that hold the person's values; return their names."""
    account = queries.get(session, run.workspace_id, Account, account_id, lock=True)
    user = queries.get(session, run.workspace_id, User, user_id)
    sent = split_account_traits(_traits_of(user))
    columns = [name for name, value in sent.columns.items() if getattr(account, name) == value]
    traits = [name for name, value in sent.rest.items() if account.traits.get(name) == value]
    for name in columns:
        setattr(account, name, None)
    account.traits = {k: v for k, v in account.traits.items() if k not in traits}
    forgotten = set(field_names(columns, traits))
    account.field_times = {k: v for k, v in account.field_times.items() if k not in forgotten}
    session.flush()
    has_price = "mrr_cents" in sent.price and withdraw_values(
        session,
        run.workspace_id,
        account_id,
        sent.price,
        known_on=run.now.date(),
        base_currency=get_workspace(session, run.workspace_id).base_currency,
    )
    mark_due(session, run.workspace_id, [account_id], notify=False)
    return sorted({*columns, *traits, *(["mrr"] if has_price else [])})


def _traits_of(user: User) -> Mapping[str, Any]:
    """Return the person's traits as an SDK keeps them: the fields of the person are among them."""
    known = {"email": user.email, "name": user.name, "role": user.role}
    return user.traits | {name: value for name, value in known.items() if value is not None}
