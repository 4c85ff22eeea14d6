"""A process that sweeps a workspace twice and prints how long it took, as JSON."""

import json
import resource
import sys
import time

from app import pipeline
from app.accounts.refresh_queue import Priority, mark_all_due
from app.core.db import create_session_factory, transaction
from app.core.postgres.engines import open_engine
from bench.rig.rig import now


def main(url: str, workspace_id: str) -> None:
    engine = open_engine(url, pool_size=2)
    sessions = create_session_factory(engine)
    seconds = []
    for _ in range(2):  # the first sweep builds the benchmark of the month
        with transaction(sessions) as session:
            mark_all_due(session, workspace_id, priority=Priority.SWEEP)
        started, accounts = time.perf_counter(), 0
        while refreshed := pipeline.refresh_due(sessions, now=now()):
            accounts += refreshed
        seconds.append(time.perf_counter() - started)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"first": seconds[0], "sweep": seconds[1], "accounts": accounts, "kb": peak}))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
