"""Write the parents and external ids of account rows, one account after the other."""

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
    """Set parents and external ids. Return an error for each row where that is not possible.

    A row can fail because of an earlier one: a hierarchy has no cycle, and an external id belongs
    to one account only.
    """
    rejected = []
    for line, row in rows:
        fields = {name: row[name] for name in links.LINK_FIELDS if name in row}
        if not fields:
            continue
        account = queries.get(session, workspace_id, Account, row["account_id"], lock=True)
        try:
            with session.begin_nested():
                links.apply_links(session, account, fields, replace=False)
        except ProblemError as error:
            rejected.append(RowError(line, "invalid_row", error.detail))
    return rejected
