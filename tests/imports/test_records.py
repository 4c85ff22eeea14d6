"""Every record of a file is read once, with its line number, from any offset."""

import csv
import gzip
from io import BytesIO, StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.imports.errors import FileTooLargeError, InvalidFileError, TruncatedFileError
from app.imports.files import OpenFile, compute_fingerprint, decompressed_blocks
from app.imports.records import (
    MAX_LINE_BYTES,
    CsvReader,
    NdjsonReader,
    RecordPage,
    check_ndjson,
    read_header,
)
from tests.imports.files import TextSource


def table(source: TextSource, offset: int | None = None, line: int | None = None) -> CsvReader:
    return CsvReader(source, read_header(source), list, offset=offset, line=line)


def read_all(content: bytes) -> RecordPage:
    return table(TextSource(content)).read_page(1000)


def codes(page: RecordPage) -> list[tuple[int, str]]:
    return [(error.line, error.code) for error in page.errors]


def test_rows_have_their_line_numbers() -> None:
    page = read_all(b"a,b\n1,2\n\n3,4\n")

    assert (page.records, page.lines) == ([["1", "2"], ["3", "4"]], [2, 4])
    assert page.last


def test_a_quoted_line_break_is_part_of_its_cell() -> None:
    page = read_all(b'a,b\n"x\ny",2\n3,4\n')

    assert (page.records, page.lines) == ([["x\ny", "2"], ["3", "4"]], [2, 4])


@pytest.mark.parametrize("content", [b"a;b\r\n1;2\r\n", b"\xef\xbb\xbfa\tb\n1\t2", b"a,b\n1,2"])
def test_files_written_by_spreadsheets_are_read(content: bytes) -> None:
    assert read_header(TextSource(content)).columns == ["a", "b"]
    assert read_all(content).records == [["1", "2"]]


def test_short_rows_are_filled_and_long_ones_are_refused() -> None:
    page = read_all(b"a,b\n1\n1,2,\n1,2,3\n")

    assert page.records == [["1", ""], ["1", "2", ""]]
    assert codes(page) == [(4, "too_many_cells")]


@pytest.mark.parametrize("repeated", [b"id,name", b"\xef\xbb\xbfid, name ,"])
def test_a_repeated_line_of_column_names_is_refused(repeated: bytes) -> None:
    page = read_all(b"id,name\n1,id\n" + repeated + b"\nid,2\n")

    assert page.records == [["1", "id"], ["id", "2"]]
    assert codes(page) == [(3, "repeated_header")]


def test_only_the_row_with_invalid_text_is_rejected() -> None:
    page = read_all(b"a\n1\n\xff\xfe\n3\n")

    assert page.records == [["1"], ["3"]]
    assert codes(page) == [(3, "invalid_encoding")]


def test_only_the_overlong_line_is_rejected() -> None:
    content = b"a\n1\n" + b"x" * (3 * MAX_LINE_BYTES) + b"\n4\n"
    page = table(TextSource(content, piece=1000_000)).read_page(10)

    assert page.records == [["1"], ["4"]]
    assert codes(page) == [(3, "line_too_long")]
    assert (page.offset, page.line) == (len(content), 5)


def test_only_the_row_with_an_overlong_cell_is_rejected() -> None:
    page = read_all(b"a\n1\n" + b"x" * 200_000 + b"\n4\n")

    assert page.records == [["1"], ["4"]]
    assert codes(page) == [(3, "invalid_csv")]


def test_nul_makes_a_page_suspect() -> None:
    assert read_all(b"a\n1\x00\n").suspect
    assert not read_all(b"a\n1\n").suspect


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
def test_pages_read_from_their_offsets_contain_every_row_once(
    rows: list[list[str]], most: int, piece: int
) -> None:
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows([["a", "b"], *rows])
    source = TextSource(text.getvalue().encode(), piece)
    expected = table(TextSource(source.content)).read_page(1000)

    pages, offset, line = RecordPage(), None, None
    while not pages.last:
        page = table(source, offset, line).read_page(most)
        pages.records += page.records
        pages.lines += page.lines
        pages.last, offset, line = page.last, page.offset, page.line

    assert (pages.records, pages.lines) == (expected.records, expected.lines)
    assert pages.records == [row for row in rows if row]
    assert offset == len(source.content)


def test_json_lines_have_line_numbers_and_only_bad_lines_are_rejected() -> None:
    content = b'\xef\xbb\xbf{"a": 1}\r\n\n{"a": 2\n[3]\n' + b"[" * 100_000 + b'\n{"a": NaN}\n'
    page = NdjsonReader(TextSource(content), offset=None, line=None).read_page(10)

    assert page.records[:2] == [{"a": 1}, [3]]
    assert page.lines == [1, 4, 6]
    assert codes(page) == [(3, "invalid_json"), (5, "invalid_json")]
    assert page.suspect


@pytest.mark.parametrize("content", [b"", b"\n\n", b"a,b\n1,2\n", b"[1]\n", b"\xff\xfe{}\n"])
def test_a_file_that_does_not_start_with_a_json_object_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidFileError):
        check_ndjson(TextSource(content))


@pytest.mark.parametrize("wraps", [0, 1, 2])
def test_gzip_is_detected_by_content(wraps: int) -> None:
    packed = content = b"a,b\n1,2\n" * 1000
    for _ in range(wraps):
        packed = gzip.compress(packed)

    source = OpenFile(BytesIO(packed), 1_000_000)

    assert b"".join(source.blocks(0)) == content
    assert b"".join(source.blocks(4001)) == content[4001:]
    assert compute_fingerprint(source.blocks(0)) == compute_fingerprint([content])


@pytest.mark.parametrize("cut", [2, 5, 30, -4])
def test_a_truncated_or_corrupt_gzip_file_is_refused(cut: int) -> None:
    packed = gzip.compress(b"a,b\n" * 1000)

    with pytest.raises(TruncatedFileError):
        list(decompressed_blocks(BytesIO(packed[:cut]), limit=1_000_000))


def test_a_file_that_decompresses_beyond_the_limit_is_refused() -> None:
    bomb = gzip.compress(b"0" * 10_000_000)

    with pytest.raises(FileTooLargeError):
        list(decompressed_blocks(BytesIO(bomb), limit=1_000_000))
