"""How the columns of a file become fields: ``field=column``, a template, or under a condition.

``user_id={account_id}:{u}`` fills a template from the row. ``seats=quantity[units=users]`` takes
the column only in rows where ``units`` is ``users``; elsewhere the field is left out.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from app.core.errors import UnprocessableError

RULE_PATTERN = re.compile(r"(?P<source>[^\[\]]+)(\[(?P<column>[^=\]]+)=(?P<value>[^\]]*)\])?")
PLACEHOLDER = re.compile(r"\{([^{}]+)\}")

ColumnPositions = Mapping[str, int]
"""Where each column stands in a row."""
ValueGetter = Callable[[Sequence[str]], str | None]


class MappingError(UnprocessableError):
    """A mapping that makes no sense, or not for this file; the text says why."""

    code = "invalid_mapping"


@dataclass(frozen=True, slots=True)
class ColumnRule:
    source: str
    column: str | None = None
    value: str | None = None

    @classmethod
    def parse(cls, text: str) -> "ColumnRule":
        found = RULE_PATTERN.fullmatch(text)
        if not found:
            raise MappingError(f"{text!r} is no column, template or column[other=value].")
        return cls(found["source"], found["column"], found["value"])

    @property
    def columns(self) -> set[str]:
        """Every column that the rule reads."""
        read = set(PLACEHOLDER.findall(self.source)) if "{" in self.source else {self.source}
        return read | ({self.column} if self.column else set())

    def value_getter(self, places: ColumnPositions) -> ValueGetter:
        """Make the function that takes the rule's value out of a row."""
        take = _template(self.source, places) if "{" in self.source else _cell(places[self.source])
        if self.column is None:
            return take
        place, value = places[self.column], self.value
        return lambda row: take(row) if row[place] == value else None


def _cell(place: int) -> ValueGetter:
    return lambda row: row[place] or None


def _template(source: str, places: ColumnPositions) -> ValueGetter:
    texts = PLACEHOLDER.split(source)[::2]
    pattern = "%s".join(text.replace("%", "%%") for text in texts)
    columns = [places[name] for name in PLACEHOLDER.findall(source)]
    pick = itemgetter(*columns) if columns else lambda _: ()
    return lambda row: pattern % pick(row)


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """Rules by field. ``lookups`` translate a column through a table first."""

    rules: Mapping[str, ColumnRule]
    lookups: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def parse(
        cls, pairs: Sequence[str], lookups: Mapping[str, Mapping[str, str]] | None = None
    ) -> "ColumnMapping":
        rules: dict[str, ColumnRule] = {}
        for pair in pairs:
            name, found, rule = pair.partition("=")
            if not found:
                raise MappingError(f"{pair!r} is not field=column.")
            if name.strip() in rules:
                raise MappingError(f"{name.strip()!r} is mapped twice.")
            rules[name.strip()] = ColumnRule.parse(rule)
        return cls(rules, lookups or {})

    def for_columns(
        self, columns: Sequence[str], fields: Sequence[str], open_prefixes: tuple[str, ...] = ()
    ) -> "ColumnMapping":
        """Take columns named like fields as they are, where nothing is mapped; check the rest.

        ``open_prefixes``: what stands behind one may have any name.
        """

        def is_known(name: str) -> bool:
            return name in fields or name.startswith(open_prefixes)

        rules = self.rules or {name: ColumnRule(name) for name in columns if is_known(name)}
        read = {column for rule in rules.values() for column in rule.columns} | set(self.lookups)
        if missing := read - set(columns):
            raise MappingError(
                f"The file has no column {min(missing)!r}; it has {', '.join(columns)[:300]}."
            )
        if unknown := {name for name in rules if not is_known(name)}:
            raise MappingError(f"{min(unknown)!r} is none of {', '.join(fields)}.")
        return ColumnMapping(rules, self.lookups)

    def reader(self, columns: Sequence[str]) -> Callable[[list[str]], dict[str, str]]:
        """Make the function from a row's cells to its fields; those without a value are left out.

        Of two columns of one name the last counts. The row is changed by look-ups.
        """
        places = {name: place for place, name in enumerate(columns)}
        takes = [(name, rule.value_getter(places)) for name, rule in self.rules.items()]
        tables = [(places[name], table) for name, table in self.lookups.items()]

        def read(row: list[str]) -> dict[str, str]:
            for place, table in tables:
                row[place] = table.get(row[place], row[place])
            return {name: value for name, take in takes if (value := take(row)) is not None}

        return read
