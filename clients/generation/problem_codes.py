"""The codes of all problems, as the source declares them."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

from app.core.errors import ProblemError

APP = Path(__file__).parent.parent.parent / "app"


def list_problem_codes() -> dict[int, tuple[str, list[str]]]:
    """Map each status to the name of the error class in general, and to its codes.

    A code is declared by a class, or is an argument where a class is called. The modules of the app
    must be loaded.
    """
    classes = {each.__name__: each for each in _subclasses(ProblemError)}
    found: dict[int, set[str]] = defaultdict(set)
    for each in classes.values():
        found[each.status].add(each.code)
    for path in APP.rglob("*.py"):
        for name, code in _codes_in_calls(ast.parse(path.read_text())):
            if name in classes:
                found[classes[name].status].add(code)
    return {
        int(status): (HTTPStatus(status).phrase.replace("-", " ").replace(" ", "_"), sorted(codes))
        for status, codes in sorted(found.items())
    }


def _subclasses(parent: type[ProblemError]) -> Iterator[type[ProblemError]]:
    for each in parent.__subclasses__():
        yield each
        yield from _subclasses(each)


def _codes_in_calls(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            for keyword in node.keywords:
                if keyword.arg == "code" and isinstance(keyword.value, ast.Constant):
                    yield node.func.id, str(keyword.value.value)
