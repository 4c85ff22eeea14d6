"""Where an account stands among its peers: a strip of percentiles. Pure."""

from app.web.charts.svg import chart, element

WIDTH, HEIGHT, MARGIN = 180.0, 24.0, 6.0
QUARTILES, MEDIAN = (25.0, 75.0), 50.0


def strip(percentile: float, *, title: str, description: str) -> str:
    """Draw the middle half of the peers as a box, their median as a line, the account as a mark."""
    scale = (WIDTH - 2 * MARGIN) / 100

    def x(at: float) -> float:
        return MARGIN + at * scale

    middle, (low, high) = HEIGHT / 2, QUARTILES
    at = x(min(max(percentile, 0.0), 100.0))
    diamond = f"M{at:.1f} {middle - 6:.1f}l5 6l-5 6l-5 -6z"
    return chart(
        "strip",
        WIDTH,
        HEIGHT,
        element("line", x1=x(0), x2=x(100), y1=middle, y2=middle, class_="grid"),
        element("rect", x=x(low), y=middle - 5, width=x(high) - x(low), height=10),
        element("line", x1=x(MEDIAN), x2=x(MEDIAN), y1=middle - 8, y2=middle + 8, class_="median"),
        element("path", d=diamond),
        title=title,
        description=description,
    )
