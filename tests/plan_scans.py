"""From the plan of a statement: which tables it reads beyond one workspace.

Conditions are judged, not the shape of the plan, which follows statistics. A scan is bound if its
workspace is equal to something given, or to the workspace of a scan that is bound.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Plan = Mapping[str, Any]
Sources = frozenset[str]
SourceNames = Mapping[str, str]
"""What the columns of a name come from, as conditions of a place in the plan call it."""

GLOBAL_TABLES = {"alembic_version"}
ANY_COLUMN = ""
SUBPLAN_RELATIONS = {"InitPlan", "SubPlan"}
"""Parts that are asked by conditions of a node, and give it no rows."""

PASS_THROUGH_NODES = {"Hash", "Materialize", "Memoize", "Sort", "Incremental Sort"}
"""Nodes that give the rows below them, and no row where there is none."""

OWN_CONDITIONS = ("Index Cond", "Recheck Cond", "Filter")
JOIN_CONDITIONS = ("Hash Cond", "Merge Cond", "Join Filter")
MATCHED_SIDES = {
    **dict.fromkeys(("Inner", "Semi", "Right Semi"), ("Outer", "Inner")),
    **dict.fromkeys(("Left", "Anti"), ("Inner",)),
    **dict.fromkeys(("Right", "Right Anti"), ("Outer",)),
}
"""The sides of which a join takes only rows that match the other; of a full join, neither."""

NAME = r'(?:"(?:[^"]|"")+"|[a-z_][\w$]*)'
COLUMN = re.compile(rf"(?<![\w.\")])({NAME})\.({NAME})(?![\w(])")
VALUE_PRESERVING = re.compile(
    r"\((.*)\)::text|(.*?)(?:::text)? COLLATE \"C\"|(.*) \|\| ''(?:::text)?"
)
"""What changes the type, the order or the plan of an expression, but not the value."""

QUOTED = re.compile(r"'(?:[^']|'')*'")


def unbound_tables(plan: Plan) -> set[str]:
    """Name the tables of which rows of more than one workspace may be read."""
    scans = PlanScans()
    scans.walk(plan, {})
    return scans.unbound()


@dataclass
class PlanScans:
    """What a plan reads from, and its rules: what is bound once all of something is bound."""

    tables: dict[str, str] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    rules: list[tuple[Sources, str]] = field(default_factory=list)

    def unbound(self) -> set[str]:
        bound: set[str] = set()
        while more := {then for given, then in self.rules if given <= bound} - bound:
            bound |= more
        return {table for scan, table in self.tables.items() if scan not in bound}

    def walk(self, plan: Plan, around: SourceNames, held: Sources = frozenset()) -> SourceNames:
        """Note what is read and required from a node on. Returns what the nodes above it see.

        ``held`` is what counts only where a row of this node matches: it may name that too.
        """
        sides: dict[str, SourceNames] = {}
        seen = {**around, **self._scan(plan)}
        for part in sorted(plan.get("Plans", ()), key=_is_late):
            names = self.walk(part, seen, _held(plan, part, held, sides))
            if not _is_late(part):
                side = part["Parent Relationship"]
                sides[f"{side} {len(sides)}" if side == "Member" else side] = names
                seen |= names
        self._require(plan, seen, held, sides)
        if plan["Node Type"] in {"Append", "Merge Append"}:
            members = [part for part in plan["Plans"] if not _is_late(part)]
            return self._one_of(members, list(sides.values()))
        below = {name: source for names in sides.values() for name, source in names.items()}
        return {**below, **self._scan(plan)}

    def _scan(self, plan: Plan) -> SourceNames:
        """Name what a node reads itself: a table, or what was bound or found elsewhere."""
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
        self, plan: Plan, seen: SourceNames, held: Sources, sides: Mapping[str, SourceNames]
    ) -> None:
        """Note what the conditions of a node bind: of a scan itself, of a join one side or both."""
        own = held.union(self._scan(plan).values())
        matched = MATCHED_SIDES.get(plan.get("Join Type", ""), ())
        joined = {source for side in matched for source in sides[side].values()}
        for keys, targets in ((OWN_CONDITIONS, own), (JOIN_CONDITIONS, joined)):
            for one, other in (pair for key in keys for pair in equalities(plan.get(key, ""))):
                target, given = self._source(one, seen), self._sources(other, seen)
                if target and target in targets and given is not None:
                    self.rules.append((given, target))

    def _source(self, text: str, seen: SourceNames) -> str | None:
        """Find the scan whose workspace an expression is."""
        match = COLUMN.fullmatch(strip_wrappers(text))
        source = _find(match[1], seen) if match else None
        if not match or source is None or self.columns.get(source) not in {match[2], ANY_COLUMN}:
            return None
        return source

    def _sources(self, text: str, seen: SourceNames) -> Sources | None:
        """Find all that an expression comes from; None if it is something else of a table."""
        columns = COLUMN.finditer(QUOTED.sub("''", text))
        found = [self._source(match[0], seen) for match in columns]
        return None if None in found else frozenset(source for source in found if source)

    def _one_of(self, members: list[Plan], names: list[SourceNames]) -> SourceNames:
        """Name the rows of several parts as those above do: after the first one, or their parent.

        They are bound if each part is, and each part is bound with them.
        """
        above: dict[str, str] = {}
        for place, text in enumerate(members[0].get("Output", ())):
            match = COLUMN.fullmatch(text)
            if not match or self._source(text, names[0]) is None:
                continue
            parts = [
                self._sources(member["Output"][place], seen)
                for member, seen in zip(members, names, strict=True)
            ]
            if None in parts:
                continue
            alias, together = match[1].strip('"'), frozenset().union(*filter(None, parts))
            whole = f"{alias} and others"
            self.columns[whole] = match[2]
            self.rules.append((together, whole))
            self.rules += [(frozenset({whole}), each) for each in together]
            above |= {alias: whole, re.sub(r"_\d+$", "_*", alias): whole}
        return above


def _is_late(part: Plan) -> bool:
    return part["Parent Relationship"] in SUBPLAN_RELATIONS


def _held(plan: Plan, part: Plan, held: Sources, sides: Mapping[str, SourceNames]) -> Sources:
    """Say what is held to the rows of a part: what is to the node, and the other side of a join."""
    other = {"Outer": "Inner", "Inner": "Outer"}.get(part["Parent Relationship"], "")
    if other in MATCHED_SIDES.get(plan.get("Join Type", ""), ()):
        return held.union(sides.get(other, {}).values())
    return held if plan["Node Type"] in PASS_THROUGH_NODES and not _is_late(part) else frozenset()


def _find(alias: str, seen: SourceNames) -> str | None:
    """Find what an alias names; the parts of a partitioned table have its own and a number."""
    alias = alias.strip('"')
    return seen.get(alias, seen.get(f"{alias}_*"))


def equalities(condition: str) -> Iterator[tuple[str, str]]:
    """Yield the two sides of each equality that must hold, both ways."""
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
    """Split an expression where nothing is open, neither a parenthesis nor a quote."""
    levels, parts, start = nesting_depths(text), [], 0
    for place in range(len(text)):
        if text.startswith(by, place) and levels[place] == 0:
            parts.append(text[start:place])
            start = place + len(by)
    return [*parts, text[start:]]


def nesting_depths(text: str) -> list[int]:
    """Say for each character how deep it is in parentheses; what is quoted is deepest."""
    found, depth, quote = [], 0, ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
            found.append(len(text))
            continue
        if character in "'\"":
            quote = character
        depth += {"(": 1, ")": -1}.get(character, 0)
        found.append(len(text) if quote else depth)
    return found
