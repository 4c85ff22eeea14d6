from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.query_helpers import find_row
from app.interventions.tables import OwnPlaybook


def list_own_playbooks(session: Session, workspace_id: str) -> Sequence[OwnPlaybook]:
    """List a workspace's own and changed playbooks in key order."""
    rows = select(OwnPlaybook).where(OwnPlaybook.workspace_id == workspace_id)
    return session.scalars(rows.order_by(OwnPlaybook.key)).all()


def find_own_playbook(
    session: Session, workspace_id: str, key: str, *, lock: bool = False
) -> OwnPlaybook | None:
    return find_row(session, OwnPlaybook, (workspace_id, key), lock=lock)
