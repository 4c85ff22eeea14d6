#!/usr/bin/env bash
# FastAPI builds every route once more when a router is included that includes other routers.
#
# Seen with fastapi 0.165.0: 40 routes in four routers. If the app includes the four routers, the
# dependencies of each endpoint are analysed once: 40 analyses before the first request. If the app
# includes one router that includes the four, there are 80: `include_router` without a prefix walks
# all routes below, to refuse an empty path, and makes each of them anew for that. The result is
# thrown away: the first request to each router makes them a third time (10 more for the one router
# that was asked; 10 too with flat routers). With a prefix at the outer inclusion there are 40.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install fastapi==0.165.0 httpx==0.28.1
cat > "$folder/app.py" <<'PYTHON'
import sys
import warnings

import fastapi.dependencies.utils
import fastapi.routing
from fastapi import APIRouter, FastAPI

warnings.simplefilter("ignore")
from fastapi.testclient import TestClient

analysed = 0
analyse = fastapi.routing.get_dependant


def counted(*args, **kwargs):
    global analysed
    analysed += 1
    return analyse(*args, **kwargs)


fastapi.routing.get_dependant = counted

routers = [APIRouter(prefix=f"/part{number}") for number in range(4)]
for router in routers:
    for number in range(10):
        router.get(f"/{number}")(lambda: "here")

app = FastAPI()
if sys.argv[1] == "flat":
    for router in routers:
        app.include_router(router)
else:
    outer = APIRouter()
    for router in routers:
        outer.include_router(router)
    app.include_router(outer, prefix="/outer" if sys.argv[1] == "prefix" else "")
before = analysed
path = "/outer/part0/3" if sys.argv[1] == "prefix" else "/part0/3"
status = TestClient(app).get(path).status_code
print(before, analysed - before, status)
PYTHON
for way in flat nested prefix; do
    seen=$("$folder/venv/bin/python" "$folder/app.py" "$way")
    echo "$way: analyses before the first request, at the first request, its status: $seen"
    declare "$way=$seen"
done
[ "$flat" = "40 10 200" ]
[ "$nested" = "80 10 200" ]
[ "$prefix" = "40 10 200" ]
