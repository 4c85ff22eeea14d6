"""Coordinates, labels and texts of charts, worked out by hand."""

import re
from datetime import date, timedelta
from xml.etree import ElementTree as ET

import pytest

from app.web.charts.history import Mark, history
from app.web.charts.lines import Frame, path
from app.web.charts.sparkline import sparkline
from app.web.charts.strip import strip
from app.web.charts.svg import element
from app.web.charts.waterfall import Step, waterfall

FIRST = date(2026, 1, 1)
HOSTILE = "<script>alert(1)</script>\"'&"


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def labels(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def test_a_value_is_written_with_one_decimal_and_escaped() -> None:
    assert (
        element("a", x=1.0, y=-0.04, z=2.25, class_='"')
        == '<a x="1" y="0" z="2.2" class="&quot;"/>'
    )


def test_a_line_has_a_move_after_each_gap() -> None:
    frame = Frame(day(0), day(4), left=0, top=0, width=40, height=50)

    assert path([(day(0), 100.0), (day(1), 50.0), (day(2), None), (day(4), 0.0)], frame) == (
        "M0.0 0.0L10.0 25.0M40.0 50.0"
    )


def test_a_sparkline_ends_with_a_dot_at_the_newest_score() -> None:
    svg = sparkline([(day(0), 0.0), (day(43), 50.0), (day(86), None)], day(0), day(86), title="T")

    assert 'd="M2.0 20.0L45.0 11.0"' in svg
    assert '<circle cx="45" cy="11" r="1.8"/>' in svg
    assert svg.startswith('<svg class="chart sparkline" viewBox="0 0 90 22" role="img"><title>T')


def test_a_sparkline_without_scores_is_not_drawn() -> None:
    assert sparkline([(day(0), None)], day(0), day(9), title="T") == ""
    assert sparkline([], day(0), day(9), title="T") == ""


def test_one_day_is_a_valid_range() -> None:
    assert 'cx="2"' in sparkline([(day(0), 10.0)], day(0), day(0), title="T")


def test_a_history_has_limits_months_and_marks() -> None:
    svg = history(
        [(day(0), 20.0), (day(59), 60.0)],
        [Mark(day(10), "P", "Price"), Mark(day(10), "A", "Alert")],
        day(0),
        day(59),
        band_limits=(25.0, 50.0),
        title="T",
        description="D",
    )

    assert labels(svg) == ["0", "25", "50", "100", "2026-01", "02", "03", "P", "A"]
    assert "<title>2026-01-11: Price</title>" in svg
    assert svg.count('class="mark"') == 2


def test_marks_of_one_day_are_above_each_other() -> None:
    marks = [Mark(day(10), "P", "Price"), Mark(day(10), "A", "Alert")]
    svg = history([], marks, day(0), day(59), band_limits=(), title="T", description="D")

    heights = re.findall(r'<text x="[\d.]+" y="([\d.]+)" text-anchor="middle">[PA]</text>', svg)
    assert heights == ["20", "9"]


def test_the_labels_of_a_waterfall_add_up() -> None:
    steps = [Step("Reach", -9.1), Step("Depth", 2.0), Step("Price", -2.4)]
    svg = waterfall(("1 Jan", 61.5), steps, ("29 Jan", 52.0), title="T", description="D")

    assert labels(svg) == [
        *("1 Jan", "61.5"),
        *("Reach", "\N{MINUS SIGN}9.1"),
        *("Depth", "+2.0"),
        *("Price", "\N{MINUS SIGN}2.4"),
        *("29 Jan", "52"),
    ]
    assert pytest.approx(52.0) == 61.5 - 9.1 + 2.0 - 2.4


def test_a_bar_begins_where_the_one_before_ends() -> None:
    """The scale is 400 for 80 points: 640 - 190 - 50 = 400, so a point is 5 wide."""
    svg = waterfall(
        ("a", 80.0), [Step("b", -20.0), Step("c", 10.0)], ("d", 70.0), title="T", description=""
    )

    bars = re.findall(r'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', svg)
    assert bars == [("190", "400"), ("490", "100"), ("490", "50"), ("190", "350")]


def test_a_strip_has_the_median_in_the_middle_and_the_account_at_its_percentile() -> None:
    """The scale is 168 for 100 points, from 6 on."""
    svg = strip(75.0, title="T", description="D")

    assert '<line x1="90" x2="90"' in svg
    assert 'd="M132.0 6.0l5 6l-5 6l-5 -6z"' in svg
    assert '<rect x="48" y="7" width="84"' in svg


@pytest.mark.parametrize(("percentile", "x"), [(-5.0, "6.0"), (0.0, "6.0"), (101.0, "174.0")])
def test_a_strip_stays_in_its_frame(percentile: float, x: str) -> None:
    assert f'd="M{x} ' in strip(percentile, title="T", description="D")


@pytest.mark.parametrize(
    "svg",
    [
        sparkline([(FIRST, 1.0)], FIRST, FIRST, title=HOSTILE),
        strip(5.0, title=HOSTILE, description=HOSTILE),
        waterfall(
            (HOSTILE, 1.0), [Step(HOSTILE, 1.0)], (HOSTILE, 2.0), title=HOSTILE, description=""
        ),
        history(
            [(FIRST, 1.0)],
            [Mark(FIRST, "P", HOSTILE)],
            FIRST,
            FIRST,
            band_limits=(),
            title=HOSTILE,
            description=HOSTILE,
        ),
    ],
)
def test_every_text_is_escaped_and_every_chart_has_a_name_and_no_style(svg: str) -> None:
    root = ET.fromstring(svg)  # noqa: S314 - we wrote it

    assert root[0].tag == "title"
    assert root[0].text == HOSTILE
    assert "<script" not in svg
    assert "style=" not in svg
