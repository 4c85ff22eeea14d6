"""Whatever a file holds, each record comes once, with its line, from any place on."""

import csv
import gzip
from io import BytesIO, StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.imports.errors import FileTooLargeError, InvalidFileError, TruncatedFileError
from app.imports.files import OpenFile, compute_fingerprint, decompressed_blocks
from app.imports.lines import MAX_LINE_BYTES
from app.imports.records import CsvReader, NdjsonReader, RecordPage, check_ndjson, read_header
from tests.imports.files import TextSource


def table(source: TextSource, offset: int | None = None, line: int | None = None) -> CsvReader:
    return CsvReader(source, read_header(source), list, offset=offset, line=line)


def whole(content: bytes) -> RecordPage:
    return table(TextSource(content)).page(1000)


def codes(page: RecordPage) -> list[tuple[int, str]]:
    return [(error.line, error.code) for error in page.errors]


def test_rows_come_with_their_lines() -> None:
    page = whole(b"a,b\n1,2\n\n3,4\n")

    assert (page.records, page.lines) == ([["1", "2"], ["3", "4"]], [2, 4])
    assert page.last


def test_a_quoted_line_break_is_part_of_its_cell() -> None:
    page = whole(b'a,b\n"x\ny",2\n3,4\n')

    assert (page.records, page.lines) == ([["x\ny", "2"], ["3", "4"]], [2, 4])


@pytest.mark.parametrize("content", [b"a;b\r\n1;2\r\n", b"\xef\xbb\xbfa\tb\n1\t2", b"a,b\n1,2"])
def test_what_spreadsheets_write_is_understood(content: bytes) -> None:
    assert read_header(TextSource(content)).columns == ["a", "b"]
    assert whole(content).records == [["1", "2"]]


def test_short_rows_are_filled_and_long_ones_are_refused() -> None:
    page = whole(b"a,b\n1\n1,2,\n1,2,3\n")

    assert page.records == [["1", ""], ["1", "2", ""]]
    assert codes(page) == [(4, "too_many_cells")]


def test_a_row_that_is_no_text_costs_itself_only() -> None:
    page = whole(b"a\n1\n\xff\xfe\n3\n")

    assert page.records == [["1"], ["3"]]
    assert codes(page) == [(3, "invalid_encoding")]


def test_a_line_without_an_end_costs_itself_only() -> None:
    content = b"a\n1\n" + b"x" * (3 * MAX_LINE_BYTES) + b"\n4\n"
    page = table(TextSource(content, piece=1000_000)).page(10)

    assert page.records == [["1"], ["4"]]
    assert codes(page) == [(3, "line_too_long")]
    assert (page.offset, page.line) == (len(content), 5)


def test_a_cell_that_is_too_long_costs_its_row_only() -> None:
    page = whole(b"a\n1\n" + b"x" * 200_000 + b"\n4\n")

    assert page.records == [["1"], ["4"]]
    assert codes(page) == [(3, "invalid_csv")]


def test_nul_makes_a_page_suspect() -> None:
    assert whole(b"a\n1\x00\n").suspect
    assert not whole(b"a\n1\n").suspect


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b" , ,\n1,2\n", "a,b\n".encode("utf-16"), b"a\x00b\n", b"\xff\xff\n1\n"],
)
def test_a_file_without_columns_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidFileError):
        read_header(TextSource(content))


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"), max_size=6)
ROWS = st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=12)


@given(ROWS, st.integers(1, 5), st.integers(1, 9))
def test_pages_from_their_places_hold_every_row_once(
    rows: list[list[str]], most: int, piece: int
) -> None:
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows([["a", "b"], *rows])
    source = TextSource(text.getvalue().encode(), piece)
    expected = table(TextSource(source.content)).page(1000)

    found, offset, line = RecordPage(), None, None
    while not found.last:
        page = table(source, offset, line).page(most)
        found.records += page.records
        found.lines += page.lines
        found.last, offset, line = page.last, page.offset, page.line

    assert (found.records, found.lines) == (expected.records, expected.lines)
    assert found.records == [row for row in rows if row]
    assert offset == len(source.content)


def test_json_lines_come_with_their_lines_and_bad_ones_cost_themselves() -> None:
    content = b'\xef\xbb\xbf{"a": 1}\r\n\n{"a": 2\n[3]\n' + b"[" * 100_000 + b'\n{"a": NaN}\n'
    page = NdjsonReader(TextSource(content), offset=None, line=None).page(10)

    assert page.records[:2] == [{"a": 1}, [3]]
    assert page.lines == [1, 4, 6]
    assert codes(page) == [(3, "invalid_json"), (5, "invalid_json")]
    assert page.suspect


@pytest.mark.parametrize("content", [b"", b"\n\n", b"a,b\n1,2\n", b"[1]\n", b"\xff\xfe{}\n"])
def test_a_file_that_starts_with_no_json_object_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidFileError):
        check_ndjson(TextSource(content))


@pytest.mark.parametrize("wraps", [0, 1, 2])
def test_gzip_is_undone_by_content(wraps: int) -> None:
    packed = content = b"a,b\n1,2\n" * 1000
    for _ in range(wraps):
        packed = gzip.compress(packed)

    source = OpenFile(BytesIO(packed))

    assert b"".join(source.blocks(0)) == content
    assert b"".join(source.blocks(4001)) == content[4001:]
    assert compute_fingerprint(source.blocks(0)) == compute_fingerprint([content])


@pytest.mark.parametrize("cut", [2, 5, 30, -4])
def test_a_gzip_that_is_cut_off_or_broken_is_refused(cut: int) -> None:
    packed = gzip.compress(b"a,b\n" * 1000)

    with pytest.raises(TruncatedFileError):
        list(decompressed_blocks(BytesIO(packed[:cut])))


def test_a_file_that_grows_beyond_the_limit_is_refused() -> None:
    bomb = gzip.compress(b"0" * 10_000_000)

    with pytest.raises(FileTooLargeError):
        compute_fingerprint(decompressed_blocks(BytesIO(bomb)), limit=1_000_000)
