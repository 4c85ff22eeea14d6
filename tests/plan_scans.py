"""Find the tables of which a query plan may read more than one workspace.

Only conditions count, not the shape of the plan, which depends on statistics. A scan is bound if
its workspace equals a parameter or constant, or the workspace of a bound scan.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Plan = Mapping[str, Any]
Sources = frozenset[str]
SourceNames = Mapping[str, str]
"""The source (scan) of each alias, as the conditions at a position in the plan name it."""

GLOBAL_TABLES = {"alembic_version"}
ANY_COLUMN = ""
SUBPLAN_RELATIONS = {"InitPlan", "SubPlan"}
"""Relations of parts that conditions of a node evaluate and that give it no rows."""

PASS_THROUGH_NODES = {"Hash", "Materialize", "Memoize", "Sort", "Incremental Sort"}
"""Nodes that pass on the rows below them unchanged."""

OWN_CONDITIONS = ("Index Cond", "Recheck Cond", "Filter")
JOIN_CONDITIONS = ("Hash Cond", "Merge Cond", "Join Filter")
MATCHED_SIDES = {
    **dict.fromkeys(("Inner", "Semi", "Right Semi"), ("Outer", "Inner")),
    **dict.fromkeys(("Left", "Anti"), ("Inner",)),
    **dict.fromkeys(("Right", "Right Anti"), ("Outer",)),
}
"""The sides of a join of which only rows that match the other side count; none of a full join."""

NAME = r'(?:"(?:[^"]|"")+"|[a-z_][\w$]*)'
COLUMN = re.compile(rf"(?<![\w.\")])({NAME})\.({NAME})(?![\w(])")
VALUE_PRESERVING = re.compile(
    r"\((.*)\)::text|(.*?)(?:::text)? COLLATE \"C\"|(.*) \|\| ''(?:::text)?"
)
"""Wrappers that change the type, the collation or the plan of an expression, not its value."""

QUOTED = re.compile(r"'(?:[^']|'')*'")


def unbound_tables(plan: Plan) -> set[str]:
    """Return the tables of which the plan may read rows of more than one workspace."""
    scans = PlanScans()
    scans.walk(plan, {})
    return scans.unbound()


@dataclass
class PlanScans:
    """The scans of a plan and its rules: a source is bound once all sources of a set are bound."""

    tables: dict[str, str] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    rules: list[tuple[Sources, str]] = field(default_factory=list)

    def unbound(self) -> set[str]:
        bound: set[str] = set()
        while more := {then for given, then in self.rules if given <= bound} - bound:
            bound |= more
        return {table for scan, table in self.tables.items() if scan not in bound}

    def walk(self, plan: Plan, outer: SourceNames, held: Sources = frozenset()) -> SourceNames:
        """Collect scans and rules of a node and its parts; return the aliases that it passes on.

        ``held``: outer sources whose rows count only if a row of this node matches, so that
        conditions of this node may bind them too.
        """
        sides: dict[str, SourceNames] = {}
        visible = {**outer, **self._scan(plan)}
        for part in sorted(plan.get("Plans", ()), key=_is_subplan):
            names = self.walk(part, visible, _held(plan, part, held, sides))
            if not _is_subplan(part):
                side = part["Parent Relationship"]
                sides[f"{side} {len(sides)}" if side == "Member" else side] = names
                visible |= names
        self._require(plan, visible, held, sides)
        if plan["Node Type"] in {"Append", "Merge Append"}:
            members = [part for part in plan["Plans"] if not _is_subplan(part)]
            return self._union(members, list(sides.values()))
        below = {name: source for names in sides.values() for name, source in names.items()}
        return {**below, **self._scan(plan)}

    def _scan(self, plan: Plan) -> SourceNames:
        """Return the alias of a node's own scan: a table, or rows bound elsewhere (a CTE)."""
        alias, table = plan.get("Alias"), plan.get("Relation Name")
        if alias is None or not plan["Node Type"].endswith("Scan"):
            return {}
        if table is None or "CTE Name" in plan:
            self._bind(alias, ANY_COLUMN)
        elif plan["Schema"] == "public" and table not in GLOBAL_TABLES:
            self.tables[alias] = table
            self.columns[alias] = "id" if table == "workspace" else "workspace_id"
        return {alias: alias}

    def _bind(self, source: str, column: str) -> None:
        self.columns[source] = column
        self.rules.append((frozenset(), source))

    def _require(
        self, plan: Plan, visible: SourceNames, held: Sources, sides: Mapping[str, SourceNames]
    ) -> None:
        """Add the rules of a node's conditions: they bind the scan itself, or sides of the join."""
        own = held.union(self._scan(plan).values())
        matched = MATCHED_SIDES.get(plan.get("Join Type", ""), ())
        joined = {source for side in matched for source in sides[side].values()}
        for keys, targets in ((OWN_CONDITIONS, own), (JOIN_CONDITIONS, joined)):
            for left, right in (pair for key in keys for pair in equalities(plan.get(key, ""))):
                target, given = self._source(left, visible), self._sources(right, visible)
                if target and target in targets and given is not None:
                    self.rules.append((given, target))

    def _source(self, text: str, visible: SourceNames) -> str | None:
        """Return the source of which an expression is the workspace; None if it is none."""
        match = COLUMN.fullmatch(strip_wrappers(text))
        source = _find(match[1], visible) if match else None
        if not match or source is None or self.columns.get(source) not in {match[2], ANY_COLUMN}:
            return None
        return source

    def _sources(self, text: str, visible: SourceNames) -> Sources | None:
        """Return the sources of an expression; None if it uses a column that is no workspace."""
        columns = COLUMN.finditer(QUOTED.sub("''", text))
        sources = [self._source(match[0], visible) for match in columns]
        return None if None in sources else frozenset(source for source in sources if source)

    def _union(self, members: list[Plan], names: list[SourceNames]) -> SourceNames:
        """Return the aliases by which nodes above name the rows of several parts.

        It is the alias of the first part or of the partitioned table. The union is bound if each
        part is, and each part is bound if the union is.
        """
        above: dict[str, str] = {}
        for position, text in enumerate(members[0].get("Output", ())):
            match = COLUMN.fullmatch(text)
            if not match or self._source(text, names[0]) is None:
                continue
            parts = [
                self._sources(member["Output"][position], visible)
                for member, visible in zip(members, names, strict=True)
            ]
            if None in parts:
                continue
            alias, together = match[1].strip('"'), frozenset().union(*filter(None, parts))
            union = f"{alias} and others"
            self.columns[union] = match[2]
            self.rules.append((together, union))
            self.rules += [(frozenset({union}), each) for each in together]
            above |= {alias: union, re.sub(r"_\d+$", "_*", alias): union}
        return above


def _is_subplan(part: Plan) -> bool:
    return part["Parent Relationship"] in SUBPLAN_RELATIONS


def _held(plan: Plan, part: Plan, held: Sources, sides: Mapping[str, SourceNames]) -> Sources:
    """Return the outer sources of a part: those of the node, or the other side of a join."""
    other = {"Outer": "Inner", "Inner": "Outer"}.get(part["Parent Relationship"], "")
    if other in MATCHED_SIDES.get(plan.get("Join Type", ""), ()):
        return held.union(sides.get(other, {}).values())
    return (
        held if plan["Node Type"] in PASS_THROUGH_NODES and not _is_subplan(part) else frozenset()
    )


def _find(alias: str, visible: SourceNames) -> str | None:
    """Return the source of an alias; partitions have the alias of their table and a number."""
    alias = alias.strip('"')
    return visible.get(alias, visible.get(f"{alias}_*"))


def equalities(condition: str) -> Iterator[tuple[str, str]]:
    """Yield the two sides of each equality that must be true, in both orders."""
    condition = strip_parentheses(condition)
    parts = split_expression(condition, " AND ")
    if len(parts) > 1:
        for part in parts:
            yield from equalities(part)
        return
    sides = [strip_parentheses(side) for side in split_expression(condition, " = ")]
    if len(sides) == 2 and not sides[1].startswith(("ANY ", "ALL ")):
        yield sides[0], sides[1]
        yield sides[1], sides[0]


def strip_wrappers(text: str) -> str:
    while match := VALUE_PRESERVING.fullmatch(text):
        text = strip_parentheses(match[1] or match[2] or match[3])
    return text


def strip_parentheses(text: str) -> str:
    while text.startswith("(") and nesting_depths(text).index(0) == len(text) - 1:
        text = text[1:-1]
    return text


def split_expression(text: str, by: str) -> list[str]:
    """Split an expression outside of parentheses and quotes."""
    levels, parts, start = nesting_depths(text), [], 0
    for position in range(len(text)):
        if text.startswith(by, position) and levels[position] == 0:
            parts.append(text[start:position])
            start = position + len(by)
    return [*parts, text[start:]]


def nesting_depths(text: str) -> list[int]:
    """Return the nesting depth of each character; quoted characters are deepest."""
    result, depth, quote = [], 0, ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
            result.append(len(text))
            continue
        if character in "'\"":
            quote = character
        depth += {"(": 1, ")": -1}.get(character, 0)
        result.append(len(text) if quote else depth)
    return result
