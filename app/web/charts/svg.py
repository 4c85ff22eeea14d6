"""Write SVG as text. Every text and every value is escaped. Pure."""

from html import escape


def element(tag: str, content: str = "", /, **attributes: str | float) -> str:
    """Return an element; ``content`` is SVG already. ``class_`` and ``text_anchor`` are names."""
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for name, value in attributes.items()
    )
    return f"<{tag}{written}>{content}</{tag}>" if content else f"<{tag}{written}/>"


def text(content: str, x: float, y: float, **attributes: str) -> str:
    return element("text", escape(content), x=x, y=y, **attributes)


def chart(
    kind: str, width: float, height: float, *parts: str, title: str, description: str = ""
) -> str:
    """Return a chart of a kind, which is its class. Its first child is its accessible name."""
    named = element("title", escape(title)) if title else ""
    named += element("desc", escape(description)) if description else ""
    return element(
        "svg",
        named + "".join(parts),
        class_=f"chart {kind}",
        viewBox=f"0 0 {_value(width)} {_value(height)}",
        role="img",
    )


def _value(value: str | float) -> str:
    """Write a number with at most one decimal, which is a tenth of a pixel."""
    if isinstance(value, str):
        return escape(value)
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")
