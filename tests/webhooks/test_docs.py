"""The page on webhooks documents exactly the existing types, states and errors."""

from app.webhooks.endpoint_state import EndpointState
from app.webhooks.http_client import ERRORS
from app.webhooks.message_schemas import CATALOGUE
from app.webhooks.retry import DELAYS
from tests.test_docs import ROOT, rows

PAGE = (ROOT / "docs" / "webhooks.md").read_text()


def table(heading: str, first: str) -> set[str]:
    """Return the first cells of a table under a heading; ``first`` is the name of that column."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = section.partition(f"| {first} |")[2].partition("\n\n")[0].splitlines()[2:]
    return {line.split("`")[1] for line in lines}


def test_every_type_is_documented() -> None:
    assert set(rows(PAGE, "Message types")) == set(CATALOGUE)


def test_every_state_is_documented() -> None:
    assert table("Delivery", "state") == {*EndpointState, "paused"}


def test_every_error_is_documented() -> None:
    assert table("Delivery", "error") == {*ERRORS.values(), "key_mismatch", "internal_error"}


def test_the_schedule_is_documented() -> None:
    units = ((3600, "h"), (60, "min"), (1, "s"))
    texts = []
    for delay in DELAYS[1:]:
        seconds = round(delay.total_seconds())
        size, unit = next(each for each in units if seconds >= each[0])
        texts.append(f"{seconds // size} {unit}")

    assert f"{', '.join(texts[:-1])} and {texts[-1]}" in PAGE.replace("\n", " ")
