"""How a process loads the service: quickly, and without what nothing uses."""

import gc
import sys


def load_lightly() -> None:
    """Set this process up for loading the service. Call it before the service is imported.

    Loading makes hundreds of thousands of objects and no garbage: looking for some took a fifth of
    the start. FastAPI loads the whole of pydantic 1 to ask whether models are of it; none is.
    """
    gc.set_threshold(20_000, 50, 100)
    sys.modules["pydantic.v1"] = None  # type: ignore[assignment]  # to import it is an error
