"""Map the columns of a file to fields: ``field=column``, a template, or with a condition.

``user_id={account_id}:{u}`` fills a template from the row. ``seats=quantity[units=users]`` takes
the column only in rows where ``units`` is ``users``; in other rows the field is left out.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from app.core.errors import UnprocessableError
from app.core.http.csv_text import remove_formula_guard

RULE_PATTERN = re.compile(r"(?P<source>[^\[\]]+)(\[(?P<column>[^=\]]+)=(?P<value>[^\]]*)\])?")
PUNCTUATION = re.compile(r"[\W_]")
PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
MAX_PLACEHOLDERS = 100
"""Of all templates together: each repeats a cell in every row."""

NULL_CELLS = frozenset({r"\N", "NULL"})
"""How databases write null into CSV: ClickHouse and MySQL, and SQL Server."""

ColumnPositions = Mapping[str, int]
"""The position of each column in a row."""
ValueGetter = Callable[[Sequence[str]], str | None]


class MappingError(UnprocessableError):
    """A mapping is malformed or does not fit the file; the message says why."""

    code = "invalid_mapping"


@dataclass(frozen=True, slots=True)
class ColumnRule:
    """Where a field's value comes from.

    ``source``: a column or a template. ``column`` and ``value``: the condition, None without one.
    """

    source: str
    column: str | None = None
    value: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        match = RULE_PATTERN.fullmatch(text)
        if not match:
            raise MappingError(
                f"The source {text!r} must be a column, a {{template}} or column[other=value]."
            )
        return cls(match["source"], match["column"], match["value"])

    @property
    def columns(self) -> set[str]:
        """All columns that the rule reads."""
        read = set(PLACEHOLDER.findall(self.source)) if "{" in self.source else {self.source}
        return read | ({self.column} if self.column else set())

    def value_getter(self, positions: ColumnPositions, *, is_id: bool) -> ValueGetter:
        """Return a function from a row to the rule's value; None: the field is left out.

        A template is left out if its columns are blank; that of an id, if one of them is blank.
        """
        get = _source_getter(self.source, positions, enough=all if is_id else any)
        if self.column is None:
            return get
        position, value = positions[self.column], self.value
        return lambda row: get(row) if row[position] == value else None


def _source_getter(
    source: str, positions: ColumnPositions, *, enough: Callable[[Iterable[str]], bool]
) -> ValueGetter:
    if "{" not in source:
        position = positions[source]
        return lambda row: row[position] or None
    texts = PLACEHOLDER.split(source)[::2]
    pattern = "%s".join(text.replace("%", "%%") for text in texts)
    columns = [positions[name] for name in PLACEHOLDER.findall(source)]
    if not columns:
        return lambda _: source

    def fill(row: Sequence[str]) -> str | None:
        values = [row[column] for column in columns]
        return (pattern % tuple(values)).strip() if enough(values) else None

    return fill


def clean_cell(cell: str) -> str:
    """Return a cell without the guard of our own CSV and without spaces; null becomes empty."""
    text = remove_formula_guard(cell).strip()
    return "" if text in NULL_CELLS else text


def _respelled(columns: Sequence[str], fields: Sequence[str]) -> dict[str, str]:
    """Return field to column where only a column of another spelling is there, such as ``MRR``.

    Raises MappingError if there are several: only a mapping can tell which of them is meant.
    """
    found: dict[str, str] = {}
    meant = {_plain(name): name for name in fields if name not in columns}
    for column in columns:
        name = meant.get(_plain(column))
        if name is not None and found.setdefault(name, column) != column:
            raise MappingError(
                f"The columns {found[name]!r} and {column!r} could both be {name!r}:"
                " map one of them."
            )
    return found


def _plain(name: str) -> str:
    return PUNCTUATION.sub("", name.lower())


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """Rules by field. ``lookups``: tables by column that translate its values first."""

    rules: Mapping[str, ColumnRule]
    lookups: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def parse(
        cls, pairs: Sequence[str], lookups: Mapping[str, Mapping[str, str]] | None = None
    ) -> Self:
        rules: dict[str, ColumnRule] = {}
        for pair in pairs:
            name, equals, rule = pair.partition("=")
            if not equals:
                raise MappingError(f"The mapping {pair!r} must have the form field=column.")
            if name.strip() in rules:
                raise MappingError(f"The field {name.strip()!r} is mapped twice: keep one.")
            rules[name.strip()] = ColumnRule.parse(rule)
        named = sum(len(PLACEHOLDER.findall(rule.source)) for rule in rules.values())
        if named > MAX_PLACEHOLDERS:
            raise MappingError(f"The templates name {named} columns: {MAX_PLACEHOLDERS} can be.")
        return cls(rules, lookups or {})

    def for_columns(
        self, columns: Sequence[str], fields: Sequence[str], open_prefixes: tuple[str, ...] = ()
    ) -> "ColumnMapping":
        """Return the mapping for a file with these columns. Raise MappingError if it does not fit.

        Without rules, columns that are named like fields are mapped to them, in any spelling.
        Fields that start with one of ``open_prefixes`` may have any name.
        """

        def is_known(name: str) -> bool:
            return name in fields or name.startswith(open_prefixes)

        rules = self.rules or {
            **{name: ColumnRule(name) for name in columns if is_known(name)},
            **{name: ColumnRule(column) for name, column in _respelled(columns, fields).items()},
        }
        read = {column for rule in rules.values() for column in rule.columns} | set(self.lookups)
        if missing := read - set(columns):
            raise MappingError(
                f"The file has no column {min(missing)!r}; it has {', '.join(columns)[:300]}."
            )
        times = Counter(columns)
        if repeated := {name for name in read if times[name] > 1}:
            raise MappingError(
                f"The file has two columns named {min(repeated)!r}: rename or remove one of them."
            )
        if unknown := {name for name in rules if not is_known(name)}:
            raise MappingError(
                f"{min(unknown)!r} is not a field. The fields are {', '.join(fields)}."
            )
        return ColumnMapping(rules, self.lookups)

    def reader(self, columns: Sequence[str]) -> Callable[[list[str]], dict[str, str]]:
        """Return a function from a row's cells to its fields, without fields that have no value.

        Look-ups see the cleaned cells.
        """
        positions = {name: position for position, name in enumerate(columns)}
        getters = [
            (name, rule.value_getter(positions, is_id=name.endswith("_id")))
            for name, rule in self.rules.items()
        ]
        tables = [(positions[name], table) for name, table in self.lookups.items()]

        def read(cells: list[str]) -> dict[str, str]:
            row = [clean_cell(cell) for cell in cells]
            for position, table in tables:
                row[position] = table.get(row[position], row[position])
            return {name: value for name, get in getters if (value := get(row)) is not None}

        return read
