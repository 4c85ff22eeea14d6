"""The service with one more route that checks the key and does nothing: what a request costs."""

import os

import uvicorn
from fastapi import FastAPI

from app import serving
from app.bench.reads import NOOP_PATH
from app.core import parent
from app.core.settings import Settings
from app.main import from_environment as service_from_environment
from app.workspaces.auth import Reader


def from_environment() -> FastAPI:
    app = service_from_environment()

    @app.get(NOOP_PATH)
    def noop(caller: Reader) -> dict[str, str]:
        return {"workspace": caller.workspace_id}

    return app


def main() -> None:
    """Serve as ``app.serving.serve`` does."""
    settings = Settings()
    with serving.database(settings) as url:
        serving.set_environment(settings, url)
        os.environ.update(parent.environment())
        uvicorn.run(
            "app.bench.noop:from_environment",
            factory=True,
            host=settings.host,
            port=settings.port,
            workers=settings.workers,
            loop="uvloop",
            http="httptools",
            log_level="warning",
            access_log=False,
            server_header=False,
        )


if __name__ == "__main__":
    main()
