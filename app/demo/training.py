"""Train the churn model of a demo in a process of its own, while its past is scored."""

import subprocess
import sys
from datetime import datetime

from sqlalchemy.orm import Session

from app.churn.registry.model_queries import find_active_model, list_models
from app.churn.training.job import ONE_THREAD
from app.core import parent_process
from app.core.clock import DATABASE_TIME
from app.core.db import SessionFactory, transaction
from app.core.pagination import Paging

Training = subprocess.Popen[bytes]


def start_training(sessions: SessionFactory, workspace_id: str, *, now: datetime) -> Training:
    """Start a training of the workspace as a command whose clock shows ``now``."""
    with transaction(sessions) as session:
        offset = now - session.execute(DATABASE_TIME).scalar_one()
    url = sessions.kw["bind"].url.set(drivername="postgresql")
    environment = {
        **parent_process.child_environment(),
        **ONE_THREAD,
        "HEALTH_DATABASE_URL": url.render_as_string(hide_password=False),
        "HEALTH_CLOCK_OFFSET_SECONDS": str(offset.total_seconds()),
    }
    command = [sys.executable, "-m", "app", "train", "--workspace", workspace_id]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603


def describe_model(session: Session, workspace_id: str) -> str:
    """Describe the churn model in one line: what it reached on unseen time, or why none is active.

    A model that failed a check stays a shadow, and no account has a probability.
    """
    active = find_active_model(session, workspace_id)
    if active is not None:
        figures = active.card["unseen"]["figures"]
        auc, ratio = (figures[name]["value"] for name in ("auc", "observed_over_expected"))
        return (
            f"version {active.version}, {active.stage}: on later time AUC {auc:.2f},"
            f" churned/predicted {ratio:.2f}"
        )
    for row in list_models(session, workspace_id, Paging(1, None)).rows:
        failed = ", ".join(c["name"] for c in row.card["checks"] if not c["passed"])
        return f"none, churn risk uses the rules: version {row.version} failed {failed}"
    return "none, churn risk uses the rules: nothing was trained"
