"""Requests that are strange as a whole: bodies, encodings, headers, methods, paths and queries."""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import replace

from tests.hostile.requests import HostileRequest
from tests.hostile.values import FRAGMENTS

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW")


def bad_bodies(valid: HostileRequest) -> Iterator[HostileRequest]:
    """Yield requests whose whole body is no JSON, or is encoded in a strange way."""
    text = valid.body
    zipped = gzip.compress(text)
    bodies = [b"", b"\x00", b"nul", b'"', b"{", b"[", text[:-1], text + text, b"\xff" + text, b"{]"]
    bodies += [
        b"\xef\xbb\xbf" + text,
        text.decode(errors="replace").encode("utf-16"),
        b" " * 100_000,
    ]
    bodies += [b'{"a": "\xed\xa0\x80"}', b"[" * 100_000, b'{"a":' * 100_000, b"1" * 100_000]
    bodies += [each.encode("utf-8", "surrogatepass") for each in FRAGMENTS]
    yield from (replace(valid, body=body) for body in bodies)
    for encoding in (b"gzip", b"deflate", b"br", b"zstd", b"identity", b"gzip, gzip", b"x", b""):
        bomb = gzip.compress(b"[" + b" " * 20_000_000 + b"]", 1) if encoding == b"gzip" else text
        for body in (text, zipped, zipped[:-5], zlib.compress(text), bomb):
            yield replace(valid, body=body).with_header("content-encoding", encoding)
    for kind in CONTENT_TYPES:
        yield valid.with_header("content-type", kind)


CONTENT_TYPES = (
    *(b"", b"text/plain", b"application/xml", b"multipart/form-data", b"text/csv", b"\xff\xfe"),
    *(b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=x", b"application/"),
    *(b"application/json; charset=utf-16", b"application/json; charset=\x00", b"/", b";;;"),
    *(b"application/cloudevents+json", b"application/x-ndjson", b"application/problem+json"),
    *(b"application/cloudevents-batch+json", b"application/cloudevents+avro"),
)
HEADERS = {
    "ce-specversion": (b"1.0", b"0.3", b"", b"\xff", b"%00", b"%ed%a0%80", b"x" * 9000),
    "accept": (
        b"",
        b"text/csv",
        b"image/png",
        b"*/*;q=x",
        b"text/csv;q=9e999",
        b"\xff",
        b"," * 999,
    ),
    "accept-language": (b"zh-CN;q=nan", b"x" * 2000, b"\xe4\xb8\xad", b"en;q=1e999,zh;q=-1", b"*"),
    "accept-encoding": (b"gzip;q=x", b"\x00"),
    "authorization": (
        *(b"", b"Bearer", b"Bearer ", b"Bearer \xff", b"Basic", b"Basic !!!", b"Basic /w==", b"x"),
        *(b"Bearer hk_", b"Bearer hk_\x00", b"Bearer " + b"a" * 9000, b"Basic Og==", b"Digest x"),
        *(b"Basic " + b"YQ" * 5000, b"bearer\thk_x", "Bearer hk_\u00e9_x".encode(), b"Basic AA=="),
    ),
    "content-length": (b"-1", b"abc", b"99999999999999999999", b"", b"0", b"\xb2", b"1_0"),
    "cookie": (b"a=b; \xff", b"x" * 8000),
    "expect": (b"100-continue", b"200-ok"),
    "host": (b"", b"a\x00b", b"evil.example", b"[::1", b"x:99999"),
    "idempotency-key": (b"", b"\x00", b"\xff" * 300, b"x" * 9000),
    "if-match": (b'"x"', b"*"),
    "if-modified-since": (b"x", b"Thu, 01 Jan 1970 00:00:00 GMT"),
    "if-none-match": (b"*", b'"', b"W/", b'"' * 9000, b"\xff"),
    "origin": (b"null", b"https://evil.example"),
    "prefer": (b"handling=strict", b"\xff"),
    "range": (b"bytes=0-0", b"bytes=-1", b"x"),
    "stripe-signature": (b"", b"t=x,v1=y", b"t=" + b"9" * 400 + b",v1=\xff", b"t=nan,v1="),
    "traceparent": (b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-00", b"\xff", b"x" * 9000),
    "transfer-encoding": (b"chunked", b"gzip", b"x"),
    "x-forwarded-for": (b"127.0.0.1", b"\xff"),
    "x-http-method-override": (b"DELETE",),
    "x-request-id": (b"a\r\nb: c", b"\xff", b"x" * 9000, b"{{7*7}}"),
}


def bad_headers(valid: HostileRequest) -> Iterator[HostileRequest]:
    """Yield requests with one strange header each, and with strange amounts of them."""
    for name, values in HEADERS.items():
        yield from (valid.with_header(name, value) for value in values)
    yield replace(valid, headers=[*valid.headers, *valid.headers])
    yield replace(valid, headers=[*valid.headers, *([(b"x", b"y")] * 1000)])
    yield replace(valid, headers=[*valid.headers, (b"", b""), (b"\xff", b"\x00")])
    yield replace(valid, headers=())


def bad_heads(valid: HostileRequest) -> Iterator[HostileRequest]:
    """Yield requests with another method, path or query."""
    for method in METHODS:
        yield replace(valid, method=method)
    yield replace(valid, method=valid.method.lower())
    path = valid.path
    paths = [path + b"/", path + b"//", path + b"/..", b"/" + path, path.upper(), path + b"%00"]
    paths += [path + b"%2F", path + b"/x" * 2000, path + b"x" * 20_000, path + b"%ff", path + b"."]
    yield from (replace(valid, path=each) for each in paths)
    queries = [b"&", b"=", b"x", b"x=%ff", b"%00=%00", b"&" * 9000, b"a=1&" * 3000, b"x=" * 20_000]
    queries += [
        b"\xff=\xfe",
        b"x=%ed%a0%80",
        b"limit=1&limit=2",
        b"cursor=a&cursor=b",
        b"limit[]=1",
    ]
    yield from (replace(valid, query=each) for each in queries)
