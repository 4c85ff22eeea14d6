"""The service with one more route, which only checks the API key: the cost of any request."""

from fastapi import FastAPI

from app import serving
from app.core.settings import Settings
from app.main import from_environment as service_from_environment
from app.workspaces.auth import Reader

COMMAND = ("-m", "bench.rig.serve")
NOOP_PATH = "/noop"


def from_environment() -> FastAPI:
    app = service_from_environment()

    @app.get(NOOP_PATH)
    def noop(caller: Reader) -> dict[str, str]:
        return {"workspace": caller.workspace_id}

    return app


def main() -> None:
    settings = Settings()
    with serving.database(settings) as url:
        serving.serve(settings, url, app="bench.rig.serve:from_environment")


if __name__ == "__main__":
    main()
