"""Nothing grows while the service works for a while."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.rig import memory
from tests.faults.processes import AppProcess
from tests.faults.stand import Stand

CONNECTIONS = """
SELECT count(*) FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
MAX_GROWTH, SLACK_MEGABYTES = 1.1, 10.0


@dataclass(frozen=True, slots=True)
class Use:
    """Resident memory in MB and open files of the processes, and connections of the database."""

    megabytes: float
    files: int
    connections: int


def soak(stand: Stand, *, samples: int = 18, seconds: float = 5, warm: int = 6) -> None:
    """Send events for a while, and compare the use of memory, files and connections.

    ``seconds``: between two samples. The first ``warm`` ones are left out: caches fill then.
    """
    watched = [stand.start_api(), stand.start_worker()]
    stand.traffic.start()
    uses = []
    for _ in range(samples):
        stand.pause(seconds)
        uses.append(measure_use(stand, watched))
    stand.unexpected += find_growth(uses[warm:])
    stand.recover()


def measure_use(stand: Stand, watched: Sequence[AppProcess]) -> Use:
    pids = [each.process.pid for each in watched]
    return Use(
        sum(map(memory.resident, pids)),
        sum(len([*Path(f"/proc/{pid}/fd").iterdir()]) for pid in pids),
        stand.rig.number(CONNECTIONS),
    )


def find_growth(samples: Sequence[Use]) -> list[str]:
    """Return what the second half of the samples has more of than the first half had at most."""
    half = len(samples) // 2
    first, second = samples[:half], samples[half:]
    found = []
    for name, slack in (("megabytes", SLACK_MEGABYTES), ("files", 4), ("connections", 2)):
        before, after = (max(getattr(each, name) for each in part) for part in (first, second))
        if after > MAX_GROWTH * before + slack:
            found.append(f"{name} grew from {before:.0f} to {after:.0f}")
    return found
