"""A command on files in S3, with a store in memory in the place of S3."""

import hashlib
import io
import sys
import time
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from attrs import define, field

from daylily.adapters.aws import staged
from daylily.adapters.aws.errors import CredentialsError
from daylily.adapters.memory.object_store import InMemoryObjectStore
from daylily.domain.diagnosis import diagnose
from daylily.domain.errors import NotFoundError, NotSetUpError, UnavailableError
from daylily.domain.results import manifest_text
from daylily.domain.retry import INFRASTRUCTURE
from daylily.domain.sentinels import Sentinel
from daylily.ports.object_store import ObjectInfo
from daylily.ports.paging import Page
from daylily.testing.clock import ManualClock

SCRIPT = """
import pathlib, sys
earlier, results = map(pathlib.Path, sys.argv[1:])
names = sorted(path.relative_to(earlier).as_posix() for path in earlier.rglob("*") if path.is_file())
(results / "found.txt").write_text(" ".join(names))
"""


AWAY = UnavailableError("s3 does not answer: could not connect to the endpoint")


class Breaking(io.BytesIO):
    """A stream that breaks after its first bytes."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell():
            raise AWAY
        return super().read(1)


@define
class Flickering(InMemoryObjectStore):
    """A store that is away for some of its calls."""

    failing: dict[str, list[Exception]] = field(factory=dict)
    going: set[str] = field(factory=set)
    """What goes after it was listed."""
    leaving: set[str] = field(factory=set)
    """What goes while it is read."""

    def names(self, prefix: str) -> set[str]:
        """Return what stands below a folder."""
        return {info.key.removeprefix(prefix) for info in super().list(prefix).items}

    def _fail(self, name: str) -> None:
        if self.failing.get(name):
            raise self.failing[name].pop(0)

    def list(self, prefix: str, **how: Any) -> Page[ObjectInfo]:
        self._fail("list")
        return super().list(prefix, **how)

    def open(self, key: str, **how: Any) -> BinaryIO:
        self._fail("open")
        if key in self.going:
            self.delete(key)
        stream = super().open(key, **how)
        if key in self.leaving:
            self.delete(key)
            return Breaking(stream.read())
        return stream

    def put(self, key: str, *content: Any, **how: Any) -> ObjectInfo:
        self._fail("put")
        return super().put(key, *content, **how)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Flickering:
    """A store that stands for every bucket."""
    objects = Flickering(ManualClock())

    def found(location: str) -> tuple[Flickering, str]:
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
    store: Flickering, tmp_path: Path, left: dict[str, str], found: str
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


def run(*options: str, exit_code: int = 0, output: str = "out") -> int:
    """Run a command that copies its input, and ends with an exit code."""
    script = (
        "import pathlib, sys\n"
        "workset, results, code, output = sys.argv[1:]\n"
        "pathlib.Path(results, output).write_bytes(pathlib.Path(workset, 'in').read_bytes())\n"
        "sys.exit(int(code))\n"
    )
    words = ["--workset", "s3://b/ws", "--results", "s3://b/ws/results/1", *options, "--"]
    words += [sys.executable, "-c", script, "@WORKSET@", "@RESULTS@", str(exit_code), output]
    return staged.main(words)


@pytest.mark.parametrize("call", ["list", "open", "put"])
def test_an_outage_is_waited_for(
    store: Flickering,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    call: str,
) -> None:
    """
    However often S3 is away for a while, the job is run once and its results come back.

    What is said meanwhile is not taken for the reason of whatever the command fails of itself.
    """
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    store.put("b/ws/in", b"reads")
    store.failing[call] = [AWAY] * 9

    assert run() == 0
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    with store.open("b/ws/results/1/out") as stream:
        assert stream.read() == b"reads"
    said = capfd.readouterr().err
    assert "S3 is away: tried again in 60 s" in said
    assert diagnose(said) is None


@pytest.mark.parametrize(("call", "seconds"), [("list", 31), ("open", 31), ("put", 3543)])
def test_without_credentials(
    store: Flickering,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    call: str,
    seconds: float,
) -> None:
    """
    They are waited for a minute, as a role may come late; where a result hangs on it, like an outage.

    It is told for what it is, and is a matter of settings.
    """
    monkeypatch.setattr(staged, "time", clock := _Time())
    store.put("b/ws/in", b"reads")
    store.failing[call] = [CredentialsError("there are no AWS credentials")] * 200

    assert run() == 78
    assert clock.now == seconds
    said = capfd.readouterr().err
    assert "there are no credentials for S3: tried again in 16 s" in said
    assert ("pipelines do not inherit keys" in said) is (call != "put")
    assert "away" not in said
    assert diagnose(said) is None


@define
class _Time:
    """A clock that goes on while somebody sleeps."""

    now: float = 0

    def monotonic(self) -> float:
        """Return the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let it pass."""
        self.now += seconds


@pytest.mark.parametrize("call", ["list", "open", "put"])
@pytest.mark.parametrize(
    ("error", "code"),
    [(AWAY, INFRASTRUCTURE), (NotSetUpError("not permitted"), 78), (OSError("disk"), 75)],
)
def test_what_the_job_is_not_to_blame_for(
    store: Flickering, call: str, error: Exception, code: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """S3 that stays away uses up no retry; one that says no is a matter of settings."""
    store.put("b/ws/in", b"reads")
    store.failing[call] = [error] * 2

    assert run("--patience", "0") == code
    assert str(error) in capfd.readouterr().err


LIST_INPUTS = """
import pathlib, sys
workset, results = map(pathlib.Path, sys.argv[1:])
(results / "found.txt").write_text(" ".join(sorted(path.name for path in workset.iterdir())))
"""


@pytest.mark.parametrize("how", ["at once", "half read"])
def test_what_is_taken_away_while_files_are_fetched(
    store: Flickering, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """
    A file that goes after it was listed is as one that went before: the job runs, and uses no retry.

    Nothing is left of it, though some of it had been fetched.
    """
    monkeypatch.setattr(time, "sleep", lambda _: None)
    for name in ("in", "probe"):
        store.put(f"b/ws/{name}", b"reads")
    (store.going if how == "at once" else store.leaving).add("b/ws/probe")
    words = ["--workset", "s3://b/ws", "--results", "s3://b/ws/results/1", "--", sys.executable]

    assert staged.main([*words, "-c", LIST_INPUTS, "@WORKSET@", "@RESULTS@"]) == 0

    with store.open("b/ws/results/1/found.txt") as stream:
        assert stream.read() == b"in"


def test_what_is_listed_and_not_there(store: Flickering, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is not found, though it is still listed, is waited for: no job runs without it."""
    monkeypatch.setattr(time, "sleep", lambda _: None)
    store.put("b/ws/in", b"reads")
    store.failing["open"] = [NotFoundError("there is no in")] * 3

    assert run() == 0

    with store.open("b/ws/results/1/out") as stream:
        assert stream.read() == b"reads"


def test_sentinels_are_no_input(store: Flickering) -> None:
    """What shows how a workset stands comes and goes while its job runs, and is not fetched."""
    for name in (*Sentinel, "daylily_work.yaml", "sub/daylily.ready"):
        store.put(f"b/ws/{name}", b"")
    words = ["--workset", "s3://b/ws", "--results", "s3://b/ws/results/1", "--", sys.executable]

    assert staged.main([*words, "-c", LIST_INPUTS, "@WORKSET@", "@RESULTS@"]) == 0

    with store.open("b/ws/results/1/found.txt") as stream:
        assert stream.read() == b"daylily_work.yaml sub"


def test_a_failed_command_whose_results_are_lost(store: Flickering) -> None:
    """What the command says of itself counts for more than S3's silence."""
    store.put("b/ws/in", b"reads")
    store.failing["put"] = [AWAY]

    assert run("--patience", "0", exit_code=65) == 65


def test_one_list_of_checksums_for_all_parts(store: Flickering) -> None:
    """Each part leaves its own; whichever comes last makes one of all, in order of names."""
    for name in ("B", "A", "C"):
        store.put("b/ws/in", name.encode())
        assert "manifest.sha256" not in store.names("b/ws/results/1/")
        assert run("--task", name, "--of", "3", output=f"{name}.txt") == 0
    with store.open("b/ws/results/1/manifest.sha256") as stream:
        lines = stream.read().decode()
    sums = {f"{name}.txt": hashlib.sha256(name.encode()).hexdigest() for name in "ABC"}
    assert lines == manifest_text(sums)
