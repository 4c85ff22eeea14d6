"""Hostile files: each is refused after a bounded number of inflated bytes, in no database slot."""

import gzip
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.core.db import DatabaseSlots, SessionFactory, transaction
from app.imports.errors import FileTooLargeError, InvalidFileError
from app.imports.files import BLOCK_BYTES, LocalFile, OpenFile, decompressed_blocks
from app.imports.kinds import ImportKind
from app.imports.plan import ImportPlan
from app.imports.records import (
    MAX_COLUMNS,
    PAGE_BYTES,
    CsvReader,
    FileFormat,
    NdjsonReader,
    read_header,
)
from app.imports.upload_limits import RETRY_SECONDS, UploadLimits
from app.workspaces.auth import CallerCache
from tests import factories
from tests.conftest import attach_test_storage, client_of
from tests.imports.files import TextSource, run_import

MIB = 1024 * 1024
MANY = 20 * MIB
LIMIT = 1_000_000
ENDLESS_LINE = b"account_id," + b"x" * MANY
ENDLESS_CELL = b'account_id,"' + b"xy\n" * (MANY // 3)
ENDLESS_ROW = b"account_id," + b'"x\n",' * (MANY // 5)
BLANK_LINES = b"\n" * MANY


@dataclass
class CountingSource:
    """A file that counts the inflated bytes that were read of it."""

    content: bytes
    inflated: int = 0

    def blocks(self, offset: int) -> Iterator[bytes]:
        for block in OpenFile(BytesIO(self.content), 1000 * MIB).blocks(offset):
            self.inflated += len(block)
            yield block


@pytest.mark.parametrize("layers", [0, 1, 2])
@pytest.mark.parametrize(
    ("content", "file_format"),
    [
        (ENDLESS_LINE, FileFormat.CSV),
        (ENDLESS_CELL, FileFormat.CSV),
        (ENDLESS_ROW, FileFormat.CSV),
        (BLANK_LINES + b"account_id\n", FileFormat.CSV),
        (b"account_id," * (MANY // 11) + b"\n1\n", FileFormat.CSV),  # a header of 20 MiB
        (b'{"account_id": "' + b"x" * MANY, FileFormat.NDJSON),
        (b"[" * MANY, FileFormat.NDJSON),
        (BLANK_LINES + b'{"account_id": "a"}', FileFormat.NDJSON),
    ],
)
def test_a_first_row_that_does_not_end_is_refused_after_three_blocks(
    content: bytes, file_format: FileFormat, layers: int
) -> None:
    for _ in range(layers):
        content = gzip.compress(content, 1)
    source = CountingSource(content)

    with pytest.raises(InvalidFileError):
        ImportPlan(ImportKind.ACCOUNTS, file_format).check(source)

    assert 0 < source.inflated <= 3 * BLOCK_BYTES


NAMED_MEMBER = b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * MANY
BOMBS = {
    "one layer": gzip.compress(b"a\n" * MANY),
    "two layers": gzip.compress(gzip.compress(b"a\n" * MANY)),
    "empty members": gzip.compress(gzip.compress(b"") * 200_000),
    "small members": gzip.compress(b"a") * 10_000,  # counted as 512 bytes more for each
    "zeros after a member": gzip.compress(gzip.compress(b"a\n") + bytes(MANY)),
    "a name that does not end": gzip.compress(NAMED_MEMBER),
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_no_layer_is_inflated_beyond_the_limit(bomb: bytes) -> None:
    inflated = 0

    def read() -> None:
        nonlocal inflated
        for block in decompressed_blocks(BytesIO(bomb), limit=LIMIT):
            inflated += len(block)

    with pytest.raises(FileTooLargeError):
        read()
    assert inflated <= LIMIT


def test_a_local_bomb_is_refused_too(tmp_path: Path) -> None:
    """512 MiB are the limit of a file of less than 0.5 MiB: this one inflates to 600 MiB."""
    inner = gzip.compress(bytes(MIB)) * 600
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(inner))

    with pytest.raises(FileTooLargeError):
        sum(map(len, LocalFile(tmp_path / "bomb.gz").blocks(0)))


def test_a_file_of_many_members_is_read_from_any_offset() -> None:
    content = b"account_id,name\n" + b"acme,Acme\n" * 300_000
    members = [content[start : start + 99_999] for start in range(0, len(content), 99_999)]
    packed = b"".join(map(gzip.compress, members)) + bytes(1000)

    for wrapped in (packed, gzip.compress(packed)):
        source = OpenFile(BytesIO(wrapped), 100 * MIB)
        blocks = list(source.blocks(0))
        assert b"".join(blocks) == content
        assert {len(block) for block in blocks[:-1]} == {BLOCK_BYTES}
        assert b"".join(source.blocks(2 * MIB + 5)) == content[2 * MIB + 5 :]


@pytest.mark.parametrize("columns", [MAX_COLUMNS, MAX_COLUMNS + 1])
def test_a_file_has_a_bounded_number_of_columns(columns: int) -> None:
    names = ["account_id", *(f"traits.t{number}" for number in range(columns - 1))]
    source = TextSource(",".join(names).encode() + b"\n")
    plan = ImportPlan(ImportKind.ACCOUNTS)

    if columns <= MAX_COLUMNS:
        plan.check(source)
    else:
        with pytest.raises(InvalidFileError, match="columns"):
            plan.check(source)


def test_a_page_of_blank_lines_ends(  # otherwise a worker would lose its lease in the page
) -> None:
    blank = b"\n" * (PAGE_BYTES + 10)
    for source in (TextSource(b"a\n" + blank + b"1\n"), TextSource(blank + b'{"a": 1}\n')):
        is_table = source.content.startswith(b"a")
        reader: Any = (
            CsvReader(source, read_header(source), list, offset=None, line=None)
            if is_table
            else NdjsonReader(source, offset=None, line=None)
        )
        first, second = reader.read_page(10), reader.read_page(10)

        assert (first.rows, first.last) == (0, False)
        assert (second.rows, second.last) == (1, True)
        assert second.offset == len(source.content)


def test_a_row_of_many_lines_is_rejected_after_one_mib() -> None:
    row = b'"x' + b"y" * 1000 + b'\n",'
    source = TextSource(b"a\n1\n" + row * 3000)
    reader = CsvReader(source, read_header(source), list, offset=None, line=None)

    page = reader.read_page(2)

    assert page.records == [["1"]]
    assert [(error.line, error.code) for error in page.errors] == [(3, "line_too_long")]
    assert page.offset <= 4 + MIB + len(row)


def test_a_cell_of_too_many_event_names_is_rejected(sessions: SessionFactory) -> None:
    with transaction(sessions) as session:
        factories.workspace(session)
    plan = ImportPlan(ImportKind.EVENTS, split=";")
    names = [";".join(["Export"] * count).encode() for count in (100, 101)]
    rows = b"".join(b"a1,ada,2026-03-01T00:00:00Z," + name + b"\n" for name in names)

    job = run_import(sessions, plan, b"account_id,user_id,timestamp,event\n" + rows)

    assert (job.progress["stored"], job.progress["rejected"]) == (100, 1)


def post(client: TestClient, content: bytes) -> Any:  # noqa: ANN401
    return client.post("/api/v1/imports", params={"kind": "accounts"}, content=content)


@pytest.fixture
def slots(app: FastAPI) -> Iterator[FastAPI]:
    """The app, whose slots the test may replace; callers stay known after their first request."""
    before = app.state.slots
    yield app
    app.state.slots = before


def test_files_are_inflated_and_checked_without_a_database_slot(
    client: TestClient, slots: FastAPI
) -> None:
    slots.state.caller_cache = CallerCache(seconds=3600)
    client.get("/api/v1/imports")
    slots.state.slots = DatabaseSlots(0, queue=0)  # any use of a slot is answered with 503

    answers = [
        post(client, content).status_code
        for content in (
            gzip.compress(ENDLESS_LINE),
            gzip.compress(ENDLESS_CELL),
            gzip.compress(b"account_id\n" + b"\n" * 600 * MIB, 1),
            gzip.compress(b"account_id\n" + b"acme\n" * 100)[:-9],
            b"account_id\nacme\n",  # a good file: only storing it needs a slot
        )
    ]

    assert answers == [422, 422, 413, 400, 503]


def test_another_workspace_is_answered_while_uploads_are_checked(
    committed: SessionFactory, running_app: TestClient, slots: FastAPI
) -> None:
    with transaction(committed) as session:
        keys = [
            factories.api_key(session, factories.workspace(session, workspace_id))
            for workspace_id in ("acme", "globex")
        ]
    attach_test_storage(slots, committed)
    slots.state.caller_cache = CallerCache(seconds=3600)
    slots.state.slots = DatabaseSlots(2, queue=0, wait_seconds=0.2)
    hostile, other = (client_of(running_app, key) for key in keys)
    for each in (hostile, other):
        assert each.get("/api/v1/accounts").status_code == 200
    bomb = gzip.compress(b"account_id," + b"x" * 100 * MIB, 1)

    with ThreadPoolExecutor(9) as threads:
        uploads = [threads.submit(post, hostile, bomb) for _ in range(9)]
        answers = [other.get("/api/v1/accounts").status_code]
        while not all(upload.done() for upload in uploads):
            answers.append(other.get("/api/v1/accounts").status_code)

    assert set(answers) == {200}
    assert {upload.result().status_code for upload in uploads} <= {422, 429}
    assert post(other, b"account_id\nacme\n").status_code == 202


def test_a_workspace_has_two_uploads_at_a_time(client: TestClient, app: FastAPI) -> None:
    limits: UploadLimits = app.state.uploads
    with limits.place("acme"), limits.place("acme"), limits.place("globex"):
        refused = post(client, b"account_id\nacme\n")
    accepted = post(client, b"account_id\nacme\n")

    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert refused.headers["Retry-After"] == str(RETRY_SECONDS)
    assert accepted.status_code == 202
