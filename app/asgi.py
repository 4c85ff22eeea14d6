"""The ASGI factory: ``uvicorn --factory app.asgi:create``."""

import gc

from fastapi import FastAPI


def create() -> FastAPI:
    """Load the app with the garbage collector off, and exempt what was loaded from collection.

    Loading makes hundreds of thousands of objects and no garbage: looking for some took a fifth of
    the start.
    """
    gc.set_threshold(20_000, 50, 100)
    from app.main import from_environment  # noqa: PLC0415 - the import is what takes the time

    app = from_environment()
    gc.freeze()
    gc.enable()
    return app
