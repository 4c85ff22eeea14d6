"""The service with one more route that checks the key and does nothing: what a request costs."""

from fastapi import FastAPI

from app import serving
from app.bench.reads import NOOP_PATH
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
    settings = Settings()
    with serving.database(settings) as url:
        serving.serve(settings, url, app="app.bench.noop:from_environment")


if __name__ == "__main__":
    main()
