import gzip
import json
import math
import zlib
from collections.abc import Callable
from random import Random

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import PayloadTooLargeError, UnsupportedEncodingError
from app.events.reading import decoding
from app.events.reading.errors import InvalidBodyError
from app.events.reading.quarantine_codes import UnreadableLine
from app.events.reading.sanitize import nesting_depth

LIMIT = 1_000_000
NOISE = Random(1).randbytes(300_000)  # noqa: S311 - the same noise each time


def raw_deflate(raw: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(raw) + packer.flush()


def streamed_zstd(raw: bytes) -> bytes:
    packer = zstandard.ZstdCompressor().compressobj()
    return packer.compress(raw) + packer.flush()


PACKERS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzip.compress),
    ("x-gzip", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", raw_deflate),
    ("zstd", zstandard.compress),
    ("zstd", streamed_zstd),
]


@pytest.mark.parametrize(("encoding", "pack"), PACKERS)
@pytest.mark.parametrize("raw", [b"{}", NOISE, b"\n" * LIMIT])
def test_every_encoding_is_decoded(
    encoding: str, pack: Callable[[bytes], bytes], raw: bytes
) -> None:
    assert decoding.decode_body(pack(raw), f" {encoding.upper()} ", limit=LIMIT) == raw


@pytest.mark.parametrize("encoding", ["", "identity", "Identity"])
def test_a_body_without_an_encoding_is_unchanged(encoding: str) -> None:
    assert decoding.decode_body(b"{}", encoding, limit=2) == b"{}"
    with pytest.raises(PayloadTooLargeError):
        decoding.decode_body(b"{} ", encoding, limit=2)


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "utf-8"])
def test_other_encodings_are_refused(encoding: str) -> None:
    with pytest.raises(UnsupportedEncodingError):
        decoding.decode_body(b"{}", encoding, limit=LIMIT)


@pytest.mark.parametrize(("encoding", "pack"), PACKERS)
def test_a_zip_bomb_is_stopped_at_the_limit(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    bomb = pack(b" " * 50_000_000)
    assert len(bomb) < LIMIT

    with pytest.raises(PayloadTooLargeError):
        decoding.decode_body(bomb, encoding, limit=LIMIT)
    with pytest.raises(PayloadTooLargeError):
        decoding.decode_body(pack(b" " * (LIMIT + 1)), encoding, limit=LIMIT)


@pytest.mark.parametrize(("encoding", "pack"), PACKERS)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("raw", [NOISE, b'{"a":1}\n' * 100_000])
def test_a_truncated_body_is_an_error(
    encoding: str, pack: Callable[[bytes], bytes], share: float, raw: bytes
) -> None:
    packed = pack(raw)

    with pytest.raises(InvalidBodyError):
        decoding.decode_body(packed[: int(len(packed) * share)], encoding, limit=LIMIT)


@pytest.mark.parametrize(("encoding", "pack"), [PACKERS[0], PACKERS[4], PACKERS[5]])
def test_concatenated_compressed_bodies_are_one_body(
    encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    both = pack(b'{"a":1}\n') + pack(b'{"b":2}\n')

    assert decoding.decode_body(both, encoding, limit=LIMIT) == b'{"a":1}\n{"b":2}\n'
    with pytest.raises(PayloadTooLargeError):
        decoding.decode_body(pack(NOISE) * 4, encoding, limit=LIMIT)
    with pytest.raises(InvalidBodyError):
        decoding.decode_body(both[:-3], encoding, limit=LIMIT)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_a_body_that_does_not_match_its_encoding_is_an_error(encoding: str) -> None:
    for body in (b"{}", b'{"batch": []}', NOISE):
        with pytest.raises(InvalidBodyError):
            decoding.decode_body(body, encoding, limit=LIMIT)


def test_json_is_suspect_only_if_it_may_be_unstorable() -> None:
    assert decoding.parse_json(b'{"a": [1, "\\u00e9"]}') == decoding.ParsedJson(
        {"a": [1, "é"]}, suspect=False
    )

    for body in (
        *(b'{"a": NaN}', b'{"a": "\\u0000"}', b'{"a": "\\ud800"}', b'{"a": "\xff"}'),
        *(b'{"a": "x\x00y"}', b'{"a": 1e400}', b'\xef\xbb\xbf{"a": 1}'),
    ):
        assert decoding.parse_json(body).suspect, body


def test_nan_and_infinities_are_parsed() -> None:
    value = decoding.parse_json(b"[NaN, Infinity, -Infinity, 1e400]").value

    assert math.isnan(value[0])
    assert value[1:] == [math.inf, -math.inf, math.inf]


def test_an_integer_of_any_length_is_parsed_as_too_large() -> None:
    [number] = decoding.parse_json(b"[" + b"9" * 10_000 + b"]").value

    assert number > 2**64


@pytest.mark.parametrize(
    "digits", ["9" * 19, "18446744073709551616", "-9223372036854775809", "1" + "0" * 200 + "7"]
)
@pytest.mark.parametrize("before", ["", " ", "\n"])
def test_an_integer_beyond_64_bits_has_its_exact_digits(digits: str, before: str) -> None:
    parsed = decoding.parse_json(f'{{"a": [1.5,{before}{digits}], "b":{before}{digits}}}'.encode())

    assert parsed.value == {"a": [1.5, int(digits)], "b": int(digits)}
    assert parsed.suspect


def test_a_text_of_many_digits_makes_no_body_suspect() -> None:
    body = b'{"id": "12345678901234567890123", "x": 0.1234567890123456789012}'

    assert decoding.parse_json(body) == decoding.ParsedJson(
        {"id": "12345678901234567890123", "x": 0.12345678901234568}, suspect=False
    )


def test_broken_utf8_is_replaced_and_a_byte_order_mark_is_dropped() -> None:
    assert decoding.parse_json(b'{"a": "x\xffy"}').value == {"a": "x\ufffdy"}
    assert decoding.parse_json(b'\xef\xbb\xbf{"a": 1}').value == {"a": 1}


@pytest.mark.parametrize("body", [b"", b"{", b"batch=1", b"[1,]", b"{'a': 1}", b"[" * 100_000])
def test_a_body_that_is_not_json_is_an_error(body: bytes) -> None:
    with pytest.raises(InvalidBodyError):
        decoding.parse_json(body)


@given(st.recursive(st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(), st.lists))
def test_json_written_by_python_is_parsed_to_the_same_value(value: object) -> None:
    parsed = decoding.parse_json(json.dumps(value).encode())

    assert parsed.value == value


def test_json_lines_are_parsed_one_by_one() -> None:
    parsed = decoding.parse_json_lines(b'{"a": 1}\r\n\n  \n[NaN]\n"x"')

    assert parsed.suspect
    assert parsed.value[0] == {"a": 1}
    assert parsed.value[2] == "x"
    assert not decoding.parse_json_lines(b"1\n2").suspect


def test_a_broken_line_does_not_affect_other_lines() -> None:
    parsed = decoding.parse_json_lines(b'{"a": 1}\n\n{"b"\xff: \x00\n2')

    assert parsed.suspect
    assert parsed.value == [{"a": 1}, UnreadableLine(3, '{"b"\ufffd: \ufffd'), 2]


@pytest.mark.parametrize("body", [b"x", b"[1,\n2,\n", b"{\n"])
def test_a_body_without_a_valid_line_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidBodyError):
        decoding.parse_json_lines(body)


@pytest.mark.parametrize("levels", [1_100, 50_000])
def test_values_nested_too_deep_to_parse_are_cut_and_the_rest_is_parsed(levels: int) -> None:
    deep = b'{"a": ' * levels + b'"]}"' + b"}" * levels
    parsed = decoding.parse_json(b'[1, "\\"[{", ' + deep + b', {"b": [2]}]')

    assert parsed.suspect
    assert parsed.value[:2] == [1, '"[{']
    assert nesting_depth(parsed.value[2]) == decoding.MAX_PARSED_DEPTH - 1
    assert parsed.value[3] == {"b": [2]}


@pytest.mark.parametrize("body", [b"[" * 5_000, b"[" * 300_000 + b"]" * 300_000, b"]" * 5_000])
def test_a_body_of_brackets_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidBodyError):
        decoding.parse_json(body)
