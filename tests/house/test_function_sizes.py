"""A function is one verb and fits on a screen: 40 lines at most, its docstring included.

Counted from `def` to the last line; decorators do not count. Tests may tell a long story, so the rule is
for `src/`.
"""

import ast
from collections.abc import Iterator

from house.tree import Module, modules, planted, unexcused

MOST_LINES = 40
# path::qualified name -> why this function may be longer.
EXCUSES: dict[str, str] = {}


def functions(node: ast.AST, inside: str = "") -> Iterator[tuple[str, int]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            continue
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{inside}.{child.name}" if inside else child.name
            if not isinstance(child, ast.ClassDef):
                yield name, child.end_lineno - child.lineno + 1
            yield from functions(child, name)
        else:
            yield from functions(child, inside)


def long_ones(module: Module) -> dict[str, str]:
    return {
        f"{module.path}::{name}": f"{module.path}: {name} has {lines} lines; is it still one verb?"
        for name, lines in functions(module.tree)
        if lines > MOST_LINES
    }


def test_no_function_is_longer_than_40_lines():
    found = {key: text for module in modules() for key, text in long_ones(module).items()}

    assert not unexcused(found, EXCUSES)


def test_the_rule_sees_a_method_of_41_lines_and_lets_40_be():
    body = "\n".join(["        x = 1"] * 40)

    assert list(long_ones(planted(f"class A:\n    async def f(self):\n{body}"))) == [
        "src/callsheet/core/planted.py::A.f"
    ]
    assert not long_ones(planted(f"class A:\n    async def f(self):\n{body[:-14]}"))
