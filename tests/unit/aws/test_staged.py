"""A command on files in S3, with a store in memory in the place of S3."""

import io
import sys
from pathlib import Path

import pytest

from daylily.adapters.aws import staged
from daylily.adapters.memory.object_store import InMemoryObjectStore
from daylily.testing.clock import ManualClock

SCRIPT = """
import pathlib, sys
earlier, results = map(pathlib.Path, sys.argv[1:])
names = sorted(path.relative_to(earlier).as_posix() for path in earlier.rglob("*") if path.is_file())
(results / "found.txt").write_text(" ".join(names))
"""


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> InMemoryObjectStore:
    """A store that stands for every bucket."""
    objects = InMemoryObjectStore(ManualClock())

    def found(location: str) -> tuple[InMemoryObjectStore, str]:
        return objects, location.removeprefix("s3://").rstrip("/") + "/"

    monkeypatch.setattr(staged, "_store", found)
    return objects


@pytest.mark.parametrize(
    ("left", "found"),
    [
        ({"attempt-2": "steps.jsonl", "attempt-1": "old"}, "steps.jsonl"),
        ({"attempt-1": "a/b"}, "a/b"),
        ({}, ""),
    ],
)
def test_what_an_earlier_attempt_left(
    store: InMemoryObjectStore, tmp_path: Path, left: dict[str, str], found: str
) -> None:
    """The first place that has anything is fetched, and is no input; without one there is nothing."""
    store.put("b/ws/stage_samples.tsv", b"")
    for attempt, name in left.items():
        store.put(f"b/ws/results/{attempt}/{name}", b"x")
    words = ["--workset", "s3://b/ws", "--results", "s3://b/ws/results/attempt-3"]
    words += ["--scratch", str(tmp_path)]
    words += ["--earlier", "s3://b/ws/results/attempt-2", "--earlier", "s3://b/ws/results/attempt-1"]

    code = staged.main([*words, "--", sys.executable, "-c", SCRIPT, "@EARLIER@", "@RESULTS@"])

    with store.open("b/ws/results/attempt-3/found.txt") as stream:
        assert (code, io.TextIOWrapper(stream).read()) == (0, found)
