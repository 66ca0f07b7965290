"""Faults of the old system must not come back: each of the monitor has a test that names it."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
FAULTS = {f"D-{number:02}" for number in (*range(1, 9), 16, *range(20, 40))}
_NAME = re.compile(r"\bD-\d\d\b")


def _named() -> Iterator[tuple[str, str]]:
    """Yield each fault that the docstring of a test names, with that test."""
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for fault in _NAME.findall(ast.get_docstring(node) or ""):
                    yield fault, f"{path.name}::{node.name}"


def test_each_fault_of_old_monitors_is_named_by_a_test() -> None:
    """Whoever removes the last test of one hears of it here."""
    tests = defaultdict(set)
    for fault, test in _named():
        tests[fault].add(test)
    assert FAULTS - tests.keys() == set()
