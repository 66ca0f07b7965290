"""Ten thousand worksets on the local store, one monitor: what it takes does not grow with them."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

COUNT = 10_000
MOST_MB = 300
ROOM = 2 << 30
ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """
    A folder in memory, where there is one.

    Each workset waits for the disk some thirty times, which is most of the time on a disk and nothing
    that this test asks about.
    """
    memory = Path("/dev/shm")  # noqa: S108 - nothing is expected to be there
    if not memory.is_dir() or shutil.disk_usage(memory).free < ROOM:
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


@pytest.mark.load
@pytest.mark.timeout(1200)
def test_ten_thousand_worksets(home: Path) -> None:
    """
    All complete within 300 MB, and then a cycle costs what it cost at ten.

    In a process of its own, since it is the peak of that process that counts.
    """
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.bench_cycle", str(COUNT), "--home", str(home)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    measured = json.loads(run.stdout)
    assert measured["complete"] == COUNT
    assert measured["peak_mb"] < MOST_MB
    idle = {"sentinels.changed": 1, "store.due": 1, "store.queue": 1}
    assert measured["idle_calls_at_10"] == idle
    assert measured[f"idle_calls_at_{COUNT}"] == idle
