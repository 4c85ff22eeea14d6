"""The TypeScript client and its README, in Node against the running service."""

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from app.webhooks import signature
from tests.servers.processes import ROOT, Service, Tenant
from tests.servers.sdk_proxy import proxy
from tests.test_readme import blocks
from tests.webhooks.receiver import Receiver, http_response, running_receiver

FOLDER = ROOT / "clients" / "typescript"
NODE = shutil.which("node") or ""
IMPORT = 'import { ApiError, Client, ConnectionLostError, verifyWebhook } from "./index.js";'
CLIENT = """
const waits = [];
const wait = async (seconds) => waits.push(seconds);
const api = new Client({ key: process.env.API_KEY, url: process.env.SERVER, wait });
"""

pytestmark = pytest.mark.skipif(not NODE, reason="Node is not installed")


def run(code: str, url: str = "", key: str = "") -> str:
    done = subprocess.run(  # noqa: S603 - our own client
        [NODE, "--input-type=module", "--eval", code],
        cwd=FOLDER,
        env={**os.environ, "API_KEY": key, "SERVER": url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_example_of_the_readme_works(service: Service, tenant: Tenant) -> None:
    [code] = blocks((FOLDER / "README.md").read_text(), "js")
    printed = run(code.replace('"customer-health-client"', '"./index.js"'), service.url, tenant.key)

    assert printed.splitlines() == [
        "acme unknown",
        "not_found No account unknown-account in this workspace.",
    ]


PAGES = """
const ids = ["a b", "acme", "b.c%2Fd", "x?y#z", "über"], path = "/api/v1/accounts/{account_id}";
for (const account_id of ids) {
  await api.send("PUT", path, { params: { account_id }, body: { segment: "smb" } });
}
const listed = [], pages = [];
const query = { filter: { segment: "smb" }, sort: "account_id", limit: 2 };
for await (const each of api.items("GET", "/api/v1/accounts", { query })) {
  listed.push(each.account_id);
}
for await (const each of api.pages("POST", "/api/v1/accounts/query", { body: query })) {
  pages.push(each.items.length);
}
const dots = await api.send("GET", path, { params: { account_id: ".." } }).catch((error) => error);
console.log(JSON.stringify({ listed, pages, dots: dots.name }));
"""


def test_lists_are_iterations_and_ids_parts_of_a_path(service: Service, tenant: Tenant) -> None:
    found = json.loads(run(IMPORT + CLIENT + PAGES, service.url, tenant.key))

    assert found["listed"] == ["a b", "acme", "b.c%2Fd", "x?y#z", "über"]
    assert found["pages"] == [2, 2, 1]
    assert found["dots"] == "TypeError"


TASK = """
const [path, params] = ["/api/v1/accounts/{account_id}/tasks", { account_id: "acme" }];
const task = await api.send("POST", path, { params, body: { title: "Call them" } });
console.log(JSON.stringify({ id: task.id, waits }));
"""


def test_posts_whose_answers_are_lost_are_carried_out_once(
    service: Service, tenant: Tenant
) -> None:
    with tenant.client() as client:
        client.put("/api/v1/accounts/acme", json={"name": "Acme"})
        with proxy(service, refuse=1, hang_up=3) as between:
            found = json.loads(run(IMPORT + CLIENT + TASK, between.url, tenant.key))
        tasks = client.get("/api/v1/accounts/acme/tasks").json()["items"]

    assert [each["id"] for each in tasks] == [found["id"]]
    assert found["waits"][0] == 1
    assert between.answered == [201, 201, 201]


RETRIES = """
const pages = [], errors = [], path = "/api/v1/accounts/{account_id}";
for await (const page of api.followChanges({ start: "now" })) pages.push(page.next_cursor);
for (const [method, body] of [["GET", undefined], ["PUT", {}]]) {
  const sent = api.send(method, path, { params: { account_id: "acme" }, body });
  await sent.catch((error) => errors.push([error.name, error.status, error.detail]));
}
console.log(JSON.stringify({ pages, waits, errors }));
"""


def hang_up(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_RDWR)


def test_retries_wait_as_long_as_the_answer_says_and_only_where_it_is_safe() -> None:
    done = http_response(200, b'{"items": [], "next_cursor": "c1", "has_more": false}')
    answers: list[bytes | Callable[[socket.socket], None]] = [
        *(http_response(503, b"{}", retry_after="7"), http_response(429, retry_after="2"), done),
        *(http_response(503, b"<html>", retry_after="3600"), hang_up),
    ]
    receiver = Receiver(respond=lambda _: answers.pop(0))
    with running_receiver(receiver):
        found = json.loads(run(IMPORT + CLIENT + RETRIES, receiver.url.removesuffix("/hook")))

    assert found["pages"] == ["c1"]
    assert found["waits"] == [7, 2]
    assert found["errors"] == [["ApiError", 503, "<html>"], ["ConnectionLostError", None, None]]
    assert len(receiver.received) == 5


HOOK = """
const { body, headers, secret } = JSON.parse(process.env.SERVER);
const at = Number(headers["webhook-timestamp"]);
const results = [(await verifyWebhook(body, headers, secret)).type];
for (const wrong of [
  [body + " ", headers, secret],
  [body, headers, "whsec_AAAA"],
  [body, {}, secret],
  [body, headers, secret, at + 301],
  [body, headers, secret, at - 301],
]) {
  results.push(await verifyWebhook(...wrong).then(() => "accepted", () => "refused"));
}
console.log(JSON.stringify(results));
"""


def test_a_webhook_is_accepted_if_the_service_has_signed_it_in_time() -> None:
    body, secret, at = '{"type": "alert.opened"}', signature.new_secret(), datetime.now(UTC)
    both = [signature.new_secret(), secret]
    headers = dict(signature.headers("msg_1", body.encode(), both, at=at))
    values = json.dumps({"body": body, "headers": headers, "secret": secret})

    assert json.loads(run(IMPORT + HOOK, values)) == ["alert.opened", *["refused"] * 5]
