"""The command line on stores of memory."""

import gzip
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from attrs import evolve
from tests.unit.cli.desk import READ, Desk

from daylily.adapters.memory.compute import InMemoryCompute
from daylily.adapters.system import utc_now
from daylily.bootstrap import connect
from daylily.config import Settings


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Keep the tester's own settings out, and logging as it was."""
    for name in ("DAYLILY_HOME", "DAYLILY_URL", "DAYLILY_TOKEN", "DAYLILY_CONFIG", "DAYLILY_CUSTOMER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "no-config"))
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk whose stores are empty and whose home is not there yet."""
    settings = Settings(store="memory", engine="memory", home=tmp_path / "home")
    world = evolve(connect(settings), compute=InMemoryCompute(utc_now, duration=None))
    return Desk(world, tmp_path / "home")


@pytest.fixture
def fastq(tmp_path: Path) -> Callable[..., Path]:
    """Make a folder of sound FASTQ files of the names given."""

    def make(*names: str, folder: str = "reads") -> Path:
        for name in names:
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(gzip.compress(READ) if name.endswith(".gz") else READ)
        return tmp_path / folder

    return make


@pytest.fixture
def pair(fastq: Callable[..., Path]) -> Path:
    """A folder with one sound pair of FASTQ files."""
    return fastq("NA1_R1.fastq.gz", "NA1_R2.fastq.gz")


@pytest.fixture
def submitted(desk: Desk, pair: Path) -> str:
    """The id of a workset that has just been submitted."""
    workset_id: str = desk.json("submit", pair, "-p", "fastq-qc")["workset_id"]
    return workset_id
