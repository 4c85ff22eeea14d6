"""The processor time of processes with all their descendants, as Linux counts it."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

PARENT, FIRST_TIME, TIMES = 1, 11, 4
"""Positions behind the name of the process: its parent, and four times (its own, as user and in the
kernel, and those of its children that have ended)."""

TICKS = os.sysconf("SC_CLK_TCK")


def processor_seconds(roots: Iterable[int]) -> float:
    """Return the seconds that processes and all their descendants have used, ended ones too.

    A process that has ended counts once its parent has waited for it.
    """
    fields = dict(_read_all())
    children = defaultdict(list)
    for pid, values in fields.items():
        children[int(values[PARENT])].append(pid)
    pids, waiting = set[int](), [*roots]
    while waiting:
        pid = waiting.pop()
        if pid in fields and pid not in pids:
            pids.add(pid)
            waiting += children[pid]
    times = (fields[pid][FIRST_TIME : FIRST_TIME + TIMES] for pid in pids)
    return sum(int(each) for values in times for each in values) / TICKS


def _read_all() -> Iterator[tuple[int, list[str]]]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                text = (folder / "stat").read_text()
            except OSError:  # it has ended meanwhile
                continue
            yield int(folder.name), text.rpartition(")")[2].split()
