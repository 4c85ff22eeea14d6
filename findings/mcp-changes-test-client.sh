#!/usr/bin/env bash
# A FastAPI project that adds the MCP SDK gets another class of responses in all its tests: the SDK
# requires httpx2, and the TestClient of Starlette is made of httpx2 as soon as that is installed.
#
# Seen with fastapi 0.165.0, starlette 1.10.0, httpx 0.28.1 and mcp 2.3.0 on Python 3.11. Before: `TestClient` is a
# `httpx.Client`, warns that it is, and answers `httpx.Response`. After `pip install mcp`, without a changed line:
# it is no `httpx.Client`, its responses are `httpx2.Response`, `except httpx.HTTPError` and
# `isinstance(answer, httpx.Response)` no longer match, type checkers refuse annotations with `httpx.Response`, and the
# warning is gone. Both libraries are installed then; what the project itself imports from httpx stays as it was.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
install() { "$folder/venv/bin/pip" --quiet --disable-pip-version-check install "$@"; }
cat > "$folder/check.py" <<'PYTHON'
import warnings

import fastapi
import httpx

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    from fastapi.testclient import TestClient

app = fastapi.FastAPI()


@app.get("/")
def read() -> str:
    return "ok"


client = TestClient(app)
answer = client.get("/")
print(
    answer.status_code,
    issubclass(TestClient, httpx.Client),
    isinstance(answer, httpx.Response),
    type(answer).__module__.partition(".")[0],
    any("httpx" in str(each.message) for each in caught),
)
PYTHON
install fastapi==0.165.0 starlette==1.10.0 httpx==0.28.1
before=$("$folder/venv/bin/python" "$folder/check.py")
install mcp==2.3.0 starlette==1.10.0 fastapi==0.165.0
after=$("$folder/venv/bin/python" "$folder/check.py")
echo "status, is httpx.Client, is httpx.Response, module, warns: before $before; with mcp $after"
[ "$before" = "200 True True httpx True" ] && [ "$after" = "200 False False httpx2 False" ]
