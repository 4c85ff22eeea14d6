"""The ASGI factory: ``uvicorn --factory app.asgi:create``."""

import gc

from fastapi import FastAPI

from app.core.loading import load_lightly


def create() -> FastAPI:
    """Load the app, and exempt what was loaded from collection."""
    load_lightly()
    from app.main import from_environment  # noqa: PLC0415 - the import is what takes the time

    app = from_environment()
    gc.freeze()
    return app
