"""Faults of the old system must not come back: each of the monitor and of the API has a test."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
FAULTS = {f"D-{number:02}" for number in (*range(1, 9), 16, *range(20, 40), *range(41, 57), 64)}
_NAME = re.compile(r"\bD-\d\d\b")
_IN_NAME = re.compile(r"_d_?(\d\d)(?=_|$)")


def _named() -> Iterator[tuple[str, str]]:
    """Yield each fault that the name or the docstring of a test tells of, with that test."""
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                named = [f"D-{number}" for number in _IN_NAME.findall(node.name)]
                for fault in [*named, *_NAME.findall(ast.get_docstring(node) or "")]:
                    yield fault, f"{path.name}::{node.name}"


def test_each_fault_of_old_is_named_by_a_test() -> None:
    """Whoever removes the last test of one hears of it here."""
    tests = defaultdict(set)
    for fault, test in _named():
        tests[fault].add(test)
    assert FAULTS - tests.keys() == set()
