"""How often the garbage collector of a process of the service looks for garbage."""

import gc


def collect_rarely() -> None:
    """Let many more objects be made between collections. Call it before the service is imported.

    Loading makes hundreds of thousands of objects and no garbage: looking for some took a fifth of
    the start.
    """
    gc.set_threshold(20_000, 50, 100)
