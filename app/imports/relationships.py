"""What rows of accounts say of parents and of ids in other systems, one account after the other."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from app.accounts import links, queries
from app.accounts.tables import Account
from app.core.errors import ProblemError
from app.imports.errors import RowError


def write_relationships(
    session: Session, workspace_id: str, rows: Sequence[tuple[int, Mapping[str, Any]]]
) -> list[RowError]:
    """Take what can be taken; return the rows of which it cannot, with the reason.

    Each tie depends on those before it: a family may have no circle, an id only one account.
    """
    refused = []
    for line, row in rows:
        said = {name: row[name] for name in links.LINK_FIELDS if name in row}
        if not said:
            continue
        account = queries.get(session, workspace_id, Account, row["account_id"], lock=True)
        try:
            with session.begin_nested():
                links.apply_links(session, account, said, replace=False)
        except ProblemError as error:
            refused.append(RowError(line, "invalid_row", error.detail))
    return refused
