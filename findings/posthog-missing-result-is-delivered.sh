#!/usr/bin/env bash
# The newer protocol of PostHog has a result for each event, and its Python SDK counts an event without a result as delivered.
#
# Seen with posthog 7.91.1 on Python 3.11, `capture_mode="v1"`, against a server on this machine that answers 200: with an
# empty `results`, and with a result of a name that the SDK does not know, the event is dropped from the queue, `on_error` is not
# called and nothing is sent again. With the result `drop`, `on_error` is called. So a server that forgets an event
# loses it without a trace. In this mode `$lib` and `$lib_version` are not in the events: they are in the header `PostHog-Sdk-Info`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install posthog==7.91.1
cat > "$folder/send.py" <<'PYTHON'
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from posthog import Posthog

received = []
results = {}


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        batch = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["batch"]
        received.append((self.headers.get("PostHog-Sdk-Info"), batch))
        body = json.dumps({"results": {e["uuid"]: results for e in batch} if results else {}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
for name, answer in {"none": {}, "unknown": {"result": "later"}, "drop": {"result": "drop"}}.items():
    results, errors = answer, []
    received.clear()
    client = Posthog(
        "key",
        host=f"http://127.0.0.1:{server.server_port}",
        capture_mode="v1",
        flush_interval=0.1,
        on_error=lambda error, _: errors.append(error),
    )
    client.capture("Report Exported", distinct_id="kim")
    client.shutdown()
    sdk, [event] = received[0]
    print(name, "requests", len(received), "errors", len(errors), "lib", "$lib" in event["properties"], sdk.partition("/")[0])
PYTHON
output=$("$folder/venv/bin/python" "$folder/send.py" 2> "$folder/log")
echo "$output"
[ "$output" = "none requests 1 errors 0 lib False posthog-python
unknown requests 1 errors 0 lib False posthog-python
drop requests 1 errors 1 lib False posthog-python" ]
