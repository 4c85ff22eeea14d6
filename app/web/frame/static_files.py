"""Static files, under names that contain their hash, so that browsers may store them for a year."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import Response

from app.core.errors import NotFoundError
from app.web.frame.page_route import PageRoute

FOLDER = Path(__file__).parent.parent / "static"
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Encoding": "gzip",
    "X-Content-Type-Options": "nosniff",
}

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file as it is sent: compressed, which every browser reads."""

    url: str
    compressed: bytes
    media_type: str


@cache
def static_files() -> Mapping[str, StaticFile]:
    """Return all static files by name, read at the first page."""
    return {path.name: _read(path) for path in FOLDER.iterdir() if path.suffix in MEDIA_TYPES}


def _read(path: Path) -> StaticFile:
    content = path.read_bytes()
    digest = sha256(content).hexdigest()[:16]
    url = f"/static/{path.stem}-{digest}{path.suffix}"
    return StaticFile(url, gzip.compress(content, mtime=0), MEDIA_TYPES[path.suffix])


def static_url(name: str) -> str:
    """Return the address of a static file."""
    return static_files()[name].url


@router.get("/static/{name}")
def get_static_file(name: str) -> Response:
    """Return a static file; the hash in the name must be that of the file."""
    for each in static_files().values():
        if each.url.rpartition("/")[2] == name:
            return Response(each.compressed, media_type=each.media_type, headers=HEADERS)
    raise NotFoundError("file", name, in_workspace=False)
