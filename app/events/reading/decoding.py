"""From bytes to JSON values: undo the content encoding, then parse leniently."""

import json
import re
import zlib
from dataclasses import dataclass
from gzip import GzipFile
from io import BytesIO
from typing import Any

import orjson
import zstandard

from app.core.errors import PayloadTooLargeError, UnsupportedEncodingError
from app.events.reading.errors import InvalidBodyError
from app.events.reading.quarantine_codes import UnreadableLine

GZIP_MAGIC = b"\x1f\x8b"
GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
RAW_DEFLATE = -zlib.MAX_WBITS
END_MARKER = b"the end of the body"
END_FRAME = zstandard.ZstdCompressor(write_checksum=True).compress(END_MARKER)
MAX_PARSED_DEPTH = 64
"""If a body is nested too deep to parse, deeper levels become null; no valid event has them."""
MAX_BRACKETS = 200_000
STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)
MAX_INTEGER_DIGITS = 1000
"""More digits are not parsed: an id of so many digits is too long in any case."""
MANY_DIGITS = b"0" * 19
DIGITS_AS_ZEROS = bytes.maketrans(b"123456789", b"000000000")
LONG_INTEGER = re.compile(rb"[\[:,\s]-?[0-9]{19}")
"""orjson rounds integers beyond 64 bits, which have 19 digits or more, to decimal numbers."""


@dataclass(frozen=True, slots=True)
class ParsedJson:
    """A JSON value. ``suspect``: it may contain values that PostgreSQL cannot store."""

    value: Any
    suspect: bool


def decode_body(raw: bytes, encoding: str, *, limit: int) -> bytes:
    """Undo ``Content-Encoding``. Stop inflating at the limit, as a defence against zip bombs."""
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
            raise UnsupportedEncodingError("gzip", "deflate", "zstd")
    if len(decoded) > limit:
        raise PayloadTooLargeError(f"The decoded body is larger than {limit} bytes: split it.")
    return decoded


def is_gzip(raw: bytes) -> bool:
    """Whether the bytes begin as gzip does; no JSON does."""
    return raw.startswith(GZIP_MAGIC)


def parse_json(body: bytes) -> ParsedJson:
    """Parse JSON; accept NaN, infinities, lone surrogates and broken UTF-8 in it.

    Integers of any length keep their digits: they may be ids.
    """
    if _has_long_integer(body):
        return ParsedJson(_parse_leniently(body), suspect=True)
    try:
        return ParsedJson(orjson.loads(body), suspect=b"\\u0000" in body)
    except orjson.JSONDecodeError:
        return ParsedJson(_parse_leniently(body), suspect=True)


def _has_long_integer(body: bytes) -> bool:
    """Whether the body may contain an integer beyond 64 bits.

    The search for digits alone is ten times as fast as the regular expression.
    """
    has_digits = MANY_DIGITS in body.translate(DIGITS_AS_ZEROS)
    return has_digits and LONG_INTEGER.search(body) is not None


def parse_json_lines(body: bytes) -> ParsedJson:
    """Parse one JSON value from each line that is not blank.

    A line that is not JSON becomes an ``UnreadableLine``; if no line is JSON, the body is refused.
    """
    lines = [(n, line) for n, line in enumerate(body.splitlines(), start=1) if line.strip()]
    parsed = [_parse_line(n, line) for n, line in lines]
    if parsed and all(isinstance(each.value, UnreadableLine) for each in parsed):
        raise InvalidBodyError("No line of the body is valid JSON: send one event in each line.")
    return ParsedJson([p.value for p in parsed], suspect=any(p.suspect for p in parsed))


def _parse_line(number: int, line: bytes) -> ParsedJson:
    try:
        return parse_json(line)
    except InvalidBodyError:
        text = line.decode(errors="replace").replace("\x00", "\ufffd")
        return ParsedJson(UnreadableLine(number, text), suspect=True)


def _inflate(raw: bytes, window: int, limit: int) -> bytes:
    inflater = zlib.decompressobj(window)
    try:
        decoded = inflater.decompress(raw, limit + 1)
    except zlib.error:
        raise _wrong_encoding() from None
    if not inflater.eof and len(decoded) <= limit:
        raise _truncated()
    return _inflate_members(raw, limit) if inflater.unused_data else decoded


def _inflate_members(raw: bytes, limit: int) -> bytes:
    """Inflate several gzip members in sequence, as ``cat a.gz b.gz`` produces them."""
    try:
        with GzipFile(fileobj=BytesIO(raw)) as reader:
            return reader.read(limit + 1)
    except (EOFError, OSError, zlib.error):
        raise _wrong_encoding() from None


def _unzstd(raw: bytes, limit: int) -> bytes:
    """Decode all frames.

    The reader does not report a truncated frame. An end frame of our own is appended: if it does
    not come out, the last frame of the body is incomplete.
    """
    source = BytesIO(raw + END_FRAME)
    try:
        with zstandard.ZstdDecompressor().stream_reader(source, read_across_frames=True) as reader:
            decoded = reader.read(limit + len(END_MARKER) + 1)
    except zstandard.ZstdError:
        raise _wrong_encoding() from None
    if len(decoded) <= limit + len(END_MARKER) and not decoded.endswith(END_MARKER):
        raise _truncated()
    return decoded.removesuffix(END_MARKER)


def _wrong_encoding() -> InvalidBodyError:
    return InvalidBodyError("The body does not match its Content-Encoding: correct one of them.")


def _truncated() -> InvalidBodyError:
    return InvalidBodyError("The compressed body is incomplete: send it again.")


def _parse_integer(digits: str) -> int:
    """Parse only the first digits of a huge integer: Python refuses thousands of digits."""
    return int(digits[:MAX_INTEGER_DIGITS])


def _parse_leniently(body: bytes) -> Any:  # noqa: ANN401 - any JSON value
    text = body.decode("utf-8-sig", errors="replace")
    try:
        return _loads(text)
    except RecursionError:
        pass
    except ValueError:
        raise InvalidBodyError("The body is not valid JSON.") from None
    try:
        return _loads(_cut_deep_levels(text))
    except (ValueError, RecursionError):
        raise InvalidBodyError("The body is not valid JSON.") from None


def _loads(text: str) -> Any:  # noqa: ANN401 - any JSON value
    return json.loads(text, strict=False, parse_int=_parse_integer)


def _cut_deep_levels(text: str) -> str:
    """Replace values below the maximum depth with null, so that the other values can be parsed."""
    if text.count("[") + text.count("{") > MAX_BRACKETS:
        raise InvalidBodyError("The body is nested too deep: flatten its objects and arrays.")
    parts, depth, start = [], 0, 0
    for match in STRING_OR_BRACKET.finditer(text):
        if match[0] in "[{":
            depth += 1
            if depth == MAX_PARSED_DEPTH + 1:
                parts.append(text[start : match.start()] + "null")
        elif match[0] in "]}":
            depth -= 1
            if depth == MAX_PARSED_DEPTH:
                start = match.end()
    return "".join([*parts, text[start:]])
