"""How the columns of a file become fields: ``field=column``, a template, or under a condition.

``user_id={account_id}:{u}`` fills a template from the row. ``seats=quantity[units=users]`` takes
the column only in rows where ``units`` is ``users``; elsewhere the field is left out.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

RULE = re.compile(r"(?P<source>[^\[\]]+)(\[(?P<column>[^=\]]+)=(?P<value>[^\]]*)\])?")
PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


class MappingError(ValueError):
    """A mapping, or a row under it, that makes no sense; the text says which."""


@dataclass(frozen=True, slots=True)
class Rule:
    source: str
    column: str | None = None
    value: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Rule":
        found = RULE.fullmatch(text)
        if not found:
            raise MappingError(f"{text!r} is no column, template or column[other=value].")
        return cls(found["source"], found["column"], found["value"])

    @property
    def columns(self) -> set[str]:
        """Every column that the rule reads."""
        read = set(PLACEHOLDER.findall(self.source)) if "{" in self.source else {self.source}
        return read | ({self.column} if self.column else set())

    def apply(self, row: Mapping[str, str]) -> str | None:
        if self.column is not None and row[self.column] != self.value:
            return None
        if "{" in self.source:
            return PLACEHOLDER.sub(lambda match: row[match[1]], self.source)
        return row[self.source] or None


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """Rules by field. ``lookups`` translate a column through a table first."""

    rules: Mapping[str, Rule]
    lookups: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def parse(
        cls, pairs: Sequence[str], lookups: Mapping[str, Mapping[str, str]] | None = None
    ) -> "ColumnMapping":
        rules = {}
        for pair in pairs:
            name, found, rule = pair.partition("=")
            if not found:
                raise MappingError(f"{pair!r} is not field=column.")
            rules[name.strip()] = Rule.parse(rule)
        return cls(rules, lookups or {})

    def check(self, columns: Sequence[str], fields: Sequence[str]) -> None:
        """Raise for a column that the file lacks, or a field that nobody knows."""
        missing = {column for rule in self.rules.values() for column in rule.columns} - set(columns)
        if missing:
            raise MappingError(f"The file has no column {min(missing)!r}.")
        unknown = set(self.rules) - set(fields)
        if unknown:
            raise MappingError(f"{min(unknown)!r} is none of {', '.join(fields)}.")

    def apply(self, row: Mapping[str, str]) -> dict[str, str]:
        """Return the fields of a row; those without a value are left out."""
        if self.lookups:
            row = {
                column: self.lookups[column].get(value, value) if column in self.lookups else value
                for column, value in row.items()
            }
        values = {name: rule.apply(row) for name, rule in self.rules.items()}
        return {name: value for name, value in values.items() if value is not None}
