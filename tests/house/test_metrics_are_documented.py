"""Metrics are declared in `meters.py` and listed in `docs/reference/metrics.md`.

A dashboard outlives a refactoring: a metric that changes its name is a chart that goes quiet.
"""

import ast
import re

from house.tree import first_column, modules, modules_that_say, references

NAME = r"callsheet_[a-z0-9_]+"
KINDS = {f"prometheus_client.{kind}" for kind in ("Counter", "Enum", "Gauge", "Histogram", "Info", "Summary")}


def exposed(name: str) -> str:
    """Return a name without the suffix that the exposition adds to a counter."""
    return name.removesuffix("_total")


def declared_in(path: str) -> set[str]:
    (module,) = (module for module in modules() if module.path == path)
    strings = (node.value for node in module.nodes if isinstance(node, ast.Constant))
    return {exposed(text) for text in strings if isinstance(text, str) and re.fullmatch(NAME, text)}


def test_every_metric_is_documented_and_every_documented_one_exists():
    listed = first_column("docs/reference/metrics.md", NAME)

    assert len(listed) == len(set(listed))
    assert {exposed(name) for name in listed} == declared_in("src/callsheet/meters.py")


def test_metrics_are_declared_in_one_place():
    elsewhere = [
        f"{module.path}:{line}: declare metrics in meters.py"
        for module in modules_that_say("prometheus_client")
        if module.path != "src/callsheet/meters.py"
        for name, line in references(module)
        if name in KINDS
    ]

    assert not elsewhere
