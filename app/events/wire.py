"""From bytes to JSON values: undo the encoding, parse leniently."""

import json
import zlib
from dataclasses import dataclass
from gzip import GzipFile
from io import BytesIO
from typing import Any

import orjson
import zstandard

from app.events.errors import InvalidBodyError, TooLargeError, UnknownEncodingError

GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
RAW_DEFLATE = -zlib.MAX_WBITS
LAST = b"the end of the body"
LAST_FRAME = zstandard.ZstdCompressor(write_checksum=True).compress(LAST)
LONGEST_INTEGER = 40  # digits; what does not fit into 64 bits is repaired anyway


@dataclass(frozen=True, slots=True)
class Parsed:
    """A JSON value. ``suspect``: events in it may hold what PostgreSQL cannot store."""

    value: Any
    suspect: bool


def decode(raw: bytes, encoding: str, *, limit: int) -> bytes:
    """Undo ``Content-Encoding``; stop inflating at the limit, so that no bomb goes off."""
    match encoding.strip().lower():
        case "" | "identity":
            decoded = raw
        case "gzip" | "x-gzip":
            decoded = _inflate(raw, GZIP_OR_ZLIB, limit)
        case "deflate":
            decoded = _inflate(raw, GZIP_OR_ZLIB if raw[:1] == b"\x78" else RAW_DEFLATE, limit)
        case "zstd":
            decoded = _unzstd(raw, limit)
        case _:
            raise UnknownEncodingError("Content-Encoding must be identity, gzip, deflate or zstd.")
    if len(decoded) > limit:
        raise TooLargeError(f"The decoded body is larger than {limit} bytes.")
    return decoded


def parse(body: bytes) -> Parsed:
    """Read JSON, also with NaN, infinities, lone surrogates and broken UTF-8 in it."""
    try:
        return Parsed(orjson.loads(body), suspect=b"\\u0000" in body)
    except orjson.JSONDecodeError:
        return Parsed(_parse_leniently(body), suspect=True)


def parse_lines(body: bytes) -> Parsed:
    """Read one JSON value from each line that is not blank."""
    parsed = [parse(line) for line in body.splitlines() if line.strip()]
    return Parsed([p.value for p in parsed], suspect=any(p.suspect for p in parsed))


def _inflate(raw: bytes, window: int, limit: int) -> bytes:
    inflater = zlib.decompressobj(window)
    try:
        decoded = inflater.decompress(raw, limit + 1)
    except zlib.error:
        raise InvalidBodyError("The body is not in its Content-Encoding.") from None
    if not inflater.eof and len(decoded) <= limit:
        raise InvalidBodyError("The compressed body ends too early.")
    return _inflate_members(raw, limit) if inflater.unused_data else decoded


def _inflate_members(raw: bytes, limit: int) -> bytes:
    """Inflate gzip members one after the other, as ``cat a.gz b.gz`` makes them."""
    try:
        with GzipFile(fileobj=BytesIO(raw)) as reader:
            return reader.read(limit + 1)
    except (EOFError, OSError, zlib.error):
        raise InvalidBodyError("The body is not in its Content-Encoding.") from None


def _unzstd(raw: bytes, limit: int) -> bytes:
    """Decode all frames. The reader does not tell a frame that is cut off; ours after it does."""
    source = BytesIO(raw + LAST_FRAME)
    try:
        with zstandard.ZstdDecompressor().stream_reader(source, read_across_frames=True) as reader:
            decoded = reader.read(limit + len(LAST) + 1)
    except zstandard.ZstdError:
        raise InvalidBodyError("The body is not in its Content-Encoding.") from None
    if len(decoded) <= limit + len(LAST) and not decoded.endswith(LAST):
        raise InvalidBodyError("The compressed body ends too early.")
    return decoded.removesuffix(LAST)


def _integer(digits: str) -> int:
    """Read a number that is too large for us as one that is: Python refuses thousands of digits."""
    return int(digits[:LONGEST_INTEGER])


def _parse_leniently(body: bytes) -> Any:  # noqa: ANN401 - any JSON value
    try:
        text = body.decode("utf-8-sig", errors="replace")
        return json.loads(text, strict=False, parse_int=_integer)
    except (ValueError, RecursionError):
        raise InvalidBodyError("The body is not JSON.") from None
