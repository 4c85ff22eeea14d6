#!/usr/bin/env bash
# FastAPI hides a pydantic warning while it builds a body parameter; with `defer_build` pydantic
# builds it at the first request, after FastAPI has stopped hiding it.
#
# Seen with fastapi 0.165.0 and pydantic 2.14.3: an app whose body model is built at once is silent.
# The same app with `ConfigDict(defer_build=True)` warns at the first request: "The 'alias' attribute
# with value 'body' was provided to the `Field()` function, which has no effect in the context it was
# used" (UnsupportedFieldAttributeWarning). Where warnings are errors, as in many test suites, the
# first request of every route with such a body is answered with 500. Response models are not
# affected: their field has no alias.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install \
    fastapi==0.165.0 pydantic==2.14.3 httpx==0.28.1
cat > "$folder/app.py" <<'PYTHON'
import sys
import warnings

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict

DEFERRED = sys.argv[1] == "deferred"


class Body(BaseModel):
    model_config = ConfigDict(defer_build=DEFERRED)
    name: str


class Answer(BaseModel):
    model_config = ConfigDict(defer_build=True)
    name: str


app = FastAPI()


@app.post("/names")
def put(body: Body) -> Answer:
    return Answer(name=body.name)


with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from fastapi.testclient import TestClient
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    answer = TestClient(app).post("/names", json={"name": "acme"})
names = sorted({each.category.__name__ for each in caught if "alias" in str(each.message)})
print(answer.status_code, answer.json()["name"], *names)
PYTHON
built=$("$folder/venv/bin/python" "$folder/app.py" built 2>/dev/null)
deferred=$("$folder/venv/bin/python" "$folder/app.py" deferred 2>/dev/null)
echo "built at once: $built"
echo "deferred:      $deferred"
[ "$built" = "200 acme" ]
[ "$deferred" = "200 acme UnsupportedFieldAttributeWarning" ]
