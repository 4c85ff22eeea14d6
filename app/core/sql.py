"""Read the SQL statements of a module from the ``.sql`` file beside it (docs/adr/0009).

A file has sections: ``-- name: claim_due`` and the statement. Lines that begin with ``--`` are
comments and are not sent. ``{{name}}`` stands for a section of the same file or for a part that
``compose`` gets. Values are bound parameters, always.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import TextClause, text

NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
COMMENT = re.compile(r"^\s*--.*\n?", re.MULTILINE)
PART = re.compile(r"\{\{(\w+)\}\}")


class SqlFile:
    """The sections of a file. An attribute is a section as a statement, its parts filled in."""

    def __init__(self, path: Path, **parts: str) -> None:
        _, *pieces = NAME.split(path.read_text())
        names, bodies = pieces[::2], pieces[1::2]
        self.path = path
        self.sections = parts | {
            name: COMMENT.sub("", body).strip() for name, body in zip(names, bodies, strict=True)
        }
        self._statements: dict[str, TextClause] = {}

    def __getattr__(self, name: str) -> TextClause:
        if name.startswith("_") or name not in self.sections:
            raise AttributeError(f"{self.path.name} has no section {name}")
        return self._statements.setdefault(name, self.compose(name))

    def compose(self, name: str, **parts: str) -> TextClause:
        """Return a section as a statement. ``parts``: SQL from this code base, never input."""
        return text(self.fill(name, **parts))

    def fill(self, name: str, **parts: str) -> str:
        """Return the text of a section with its parts filled in, parts of parts included."""
        return _fill(self.sections[name], self.sections | parts)


def _fill(template: str, parts: Mapping[str, str]) -> str:
    return PART.sub(lambda part: _fill(parts[part[1]], parts), template)


def load_sql(module_file: str, **parts: str) -> SqlFile:
    """Read the ``.sql`` file that has the name of the module: ``load_sql(__file__)``.

    ``parts``: SQL of other packages that its sections contain.
    """
    return SqlFile(Path(module_file).with_suffix(".sql"), **parts)
