"""Where the command line starts: ``python -m app`` and ``customer-health``.

The metrics library decides when it is imported whether processes add up their numbers, so the
folder that they share is set before anything else.
"""

import os
from tempfile import TemporaryDirectory

from app.core.loading import load_lightly

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def main() -> None:
    if FOLDER_VARIABLE in os.environ:
        run()
        return
    with TemporaryDirectory(prefix="health-metrics-") as folder:
        os.environ[FOLDER_VARIABLE] = folder
        run()


def run() -> None:
    load_lightly()
    from app.cli import main as command_line  # noqa: PLC0415 - after the folder is set

    command_line()


if __name__ == "__main__":
    main()
