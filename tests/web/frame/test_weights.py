"""The files of the page are small, and the vendored one is the one that was published."""

import gzip
from hashlib import sha256
from pathlib import Path

STATIC = Path(__file__).parents[3] / "app" / "web" / "static"
HTMX = "htmx-4.0.1.min.js"
HTMX_SHA256 = "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130"
"""Of dist/htmx.min.js in the package htmx.org 4.0.1 of the npm registry."""


def test_htmx_is_the_published_file() -> None:
    assert sha256((STATIC / HTMX).read_bytes()).hexdigest() == HTMX_SHA256


def test_the_stylesheet_is_at_most_20_kilobytes() -> None:
    assert (STATIC / "page.css").stat().st_size <= 20_000


def test_the_script_has_at_most_150_lines() -> None:
    assert len((STATIC / "page.js").read_text().splitlines()) <= 150


def test_all_static_files_are_at_most_25_kilobytes_over_the_wire() -> None:
    files = [path for path in STATIC.iterdir() if path.suffix in {".css", ".js", ".svg"}]

    assert sum(len(gzip.compress(path.read_bytes())) for path in files) <= 25_000
