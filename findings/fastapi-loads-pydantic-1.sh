#!/usr/bin/env bash
# FastAPI, which no longer accepts models of pydantic 1, loads the whole of pydantic 1 with the first
# route of an app of pydantic 2, to ask whether its models are of it.
#
# Seen with fastapi 0.165.0 and pydantic 2.14.3 on Python 3.11: `import fastapi` loads no module of
# `pydantic.v1`; the first route with an answer of any type loads 22 of them and the package itself (about 1.5 MB of memory;
# 73 ms where all of pydantic 2 takes 91). With `sys.modules["pydantic.v1"] = None` before the import
# the app has none of them, and answers and validates as before.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install \
    fastapi==0.165.0 pydantic==2.14.3 httpx==0.28.1
cat > "$folder/app.py" <<'PYTHON'
import sys
import warnings

if sys.argv[1] == "without":
    sys.modules["pydantic.v1"] = None

import fastapi
import pydantic


def loaded() -> int:
    return sum(name.startswith("pydantic.v1.") for name in sys.modules)


class Name(pydantic.BaseModel):
    name: str


before = loaded()
app = fastapi.FastAPI()


@app.post("/names")
def put(body: Name) -> Name:
    return body


after = loaded()
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from fastapi.testclient import TestClient
client = TestClient(app)
good, bad = client.post("/names", json={"name": "acme"}), client.post("/names", json={"name": 1})
print(before, after, good.status_code, good.json()["name"], bad.status_code)
PYTHON
usual=$("$folder/venv/bin/python" "$folder/app.py" usual)
without=$("$folder/venv/bin/python" "$folder/app.py" without)
echo "modules of pydantic 1 after import and after a route, answers: $usual; without it: $without"
read -r before after answers <<< "$usual"
[ "$before" -eq 0 ] && [ "$after" -eq 22 ] && [ "$answers" = "200 acme 422" ] && [ "$without" = "0 0 200 acme 422" ]
