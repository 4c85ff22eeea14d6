"""How much memory a process holds, and the most that it held, as Linux counts it."""

from pathlib import Path

HOLDS, HELD_MOST = "VmRSS:", "VmHWM:"


def resident(pid: int) -> float:
    """Tell how many MB a process has in memory."""
    return _megabytes(pid, HOLDS)


def peak(pid: int) -> float:
    """Tell the most MB that a process had in memory since it began, or since ``forget_peak``."""
    return _megabytes(pid, HELD_MOST)


def forget_peak(pid: int) -> None:
    """Let the peak be what is held now: what a start took would hide what comes later."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def _megabytes(pid: int, name: str) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition(name)[2].split()[0]) / 1024
