"""Style rules that no linter checks: sizes, names and state."""

import ast
import statistics
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
APP, BENCH, CLIENTS = ROOT / "app", ROOT / "bench", ROOT / "clients"

LONGEST_FILE = 300
MEDIAN_LINES, P90_LINES = 8, 25
"""Lines of a function outside of tests/, from its first decorator or ``def``, no docstring."""

NO_NAMES = {"utils", "helpers", "common", "constants", "manager", "misc", "base"}


def files() -> list[str]:
    """Return every Python file of the service, its benchmarks and its clients."""
    found = [path for folder in (APP, BENCH, CLIENTS) for path in folder.rglob("*.py")]
    return sorted(str(path.relative_to(ROOT)) for path in found if "_generated" not in path.parts)


def written() -> list[str]:
    """Return every Python file of the repository except migrations and generated files."""
    tests = (str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("*.py"))
    return sorted([*files(), *tests])


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@pytest.mark.parametrize("file", written())
def test_a_file_is_not_too_long(file: str) -> None:
    assert len((ROOT / file).read_text().splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("file", written())
def test_a_file_is_named_after_its_subject(file: str) -> None:
    assert not {Path(part).stem for part in Path(file).parts} & NO_NAMES


def function_lines(folder: str) -> dict[str, int]:
    found = {}
    for file in [file for file in files() if file.startswith(folder)]:
        for node in ast.walk(tree(ROOT / file)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
                doc = node.body[0] if ast.get_docstring(node) else None
                doc_lines = doc.end_lineno - doc.lineno + 1 if doc and doc.end_lineno else 0
                lines = (node.end_lineno or first) - first + 1 - doc_lines
                found[f"{file}:{node.name}:{first}"] = lines
    return found


@pytest.mark.parametrize("folder", ["app", "bench", "clients"])
def test_functions_are_short(folder: str) -> None:
    lines = function_lines(folder)
    median, p90 = statistics.median(lines.values()), statistics.quantiles(lines.values(), n=10)[-1]
    longest = sorted(lines, key=lines.__getitem__)[-3:]
    print(f"{len(lines)} functions: median {median}, p90 {p90}, longest {longest}")  # noqa: T201

    assert median <= MEDIAN_LINES
    assert p90 <= P90_LINES


def mutable(value: ast.expr | None) -> bool:
    """Whether an expression creates a mutable container."""
    if isinstance(value, ast.List | ast.Dict | ast.Set | ast.DictComp | ast.ListComp | ast.SetComp):
        return True
    return (
        isinstance(value, ast.Call)
        and isinstance(value.func, ast.Name)
        and (value.func.id in {"list", "dict", "set", "defaultdict", "deque", "Counter"})
    )


@pytest.mark.parametrize("file", files())
def test_no_module_has_state(file: str) -> None:
    """No function changes a container at the top of its module."""
    names = {
        target.id
        for node in tree(ROOT / file).body
        if isinstance(node, ast.Assign | ast.AnnAssign) and mutable(node.value)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    changed = set()
    for function in ast.walk(tree(ROOT / file)):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            changed |= names & changed_in(function)
    assert not changed
    assert not any(isinstance(node, ast.Global) for node in ast.walk(tree(ROOT / file)))


CHANGES = {"append", "add", "update", "setdefault", "pop", "clear", "extend", "remove", "discard"}


def changed_in(function: ast.AST) -> set[str]:
    """Return the names of the containers that a function changes in place."""
    found = set()
    for node in ast.walk(function):
        is_put = isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del)
        if is_put or getattr(node, "attr", None) in CHANGES:
            found.add(getattr(getattr(node, "value", None), "id", ""))
    return found


POLLING_FILE = "tests/servers/processes.py"  # real processes can only be polled


@pytest.mark.parametrize("file", [file for file in written() if file.startswith("tests")])
def test_tests_make_no_mocks_and_do_not_sleep(file: str) -> None:
    source = tree(ROOT / file)
    taken = {
        name.split(".")[-1]
        for node in ast.walk(source)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in [getattr(node, "module", None) or "", *(a.name for a in node.names)]
    }
    names = {node.attr for node in ast.walk(source) if isinstance(node, ast.Attribute)}

    assert not taken & {"mock", "MagicMock", "Mock", "patch", "AsyncMock"}
    assert file == POLLING_FILE or "sleep" not in names | taken
