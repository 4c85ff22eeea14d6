"""The resident memory of a process and its peak, as Linux counts them."""

from pathlib import Path

RESIDENT, PEAK = "VmRSS:", "VmHWM:"


def resident(pid: int) -> float:
    """Return the resident memory of a process in MB."""
    return _megabytes(pid, RESIDENT)


def peak(pid: int) -> float:
    """Return the peak in MB since the process started, or since ``reset_peak``."""
    return _megabytes(pid, PEAK)


def reset_peak(pid: int) -> None:
    """Set the peak to the current memory, so that the peak of the start hides no later one."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def _megabytes(pid: int, name: str) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition(name)[2].split()[0]) / 1024
