"""The shipped playbooks, read from the TOML files in ``catalogue/``. Pure."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from app.core.languages import Language
from app.interventions.playbooks.definition import Playbook, Playbooks

FOLDER = Path(__file__).parent / "catalogue"


@cache
def shipped_playbooks() -> Playbooks:
    """Return the shipped playbooks by key, in the order of their numbers."""
    plans = _read("playbooks")
    texts = {language: _read(language) for language in Language}
    return {
        key: Playbook.model_validate(
            {
                **{name: value for name, value in plan.items() if name != "number"},
                "texts": {language: texts[language][key] for language in Language},
            }
        )
        for key, plan in sorted(plans.items(), key=lambda item: int(item[1]["number"]))
    }


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
