"""The page on imports documents exactly the existing kinds, fields and codes."""

import re

from app.imports.errors import ROW_CODES
from app.imports.kinds import OPEN_PREFIXES, ImportKind, mappable_fields
from tests.test_docs import ROOT, rows

PAGE = (ROOT / "docs" / "imports.md").read_text()


def test_every_code_of_a_row_is_documented() -> None:
    assert set(rows(PAGE, "Errors")) == set(ROW_CODES)


def test_every_kind_is_documented_with_its_fields() -> None:
    documented = {kind: set(re.findall(r"`([^`]+)`", cells[0])) for kind, cells in kinds().items()}

    assert documented == {
        kind.value: {
            *mappable_fields(kind),
            *(f"{prefix}<name>" for prefix in OPEN_PREFIXES.get(kind, ())),
        }
        for kind in ImportKind
    }


def kinds() -> dict[str, list[str]]:
    return rows(PAGE, "Kinds and fields")
