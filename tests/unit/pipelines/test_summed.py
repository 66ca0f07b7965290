"""A command of a lab's own, and the list of checksums beside its results."""

import ast
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from daylily.domain.results import MANIFEST, manifest_text
from daylily.pipelines import summed

SOURCE = Path(summed.__file__).read_text(encoding="utf-8")


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """The folder of results, which is not there yet."""
    return tmp_path / "results" / "attempt-1"


def words(results: Path, script: str, *options: str) -> list[str]:
    """Return what an engine runs, as it runs it."""
    return ["python3", "-I", "-c", SOURCE, str(results), *options, "--", "sh", "-c", script]


def run(results: Path, script: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the shell's, and return what came of it."""
    return subprocess.run(words(results, script, *options), capture_output=True, text=True, check=False)


def checked(results: Path) -> list[str]:
    """Return the names of a list that ``sha256sum`` agrees with."""
    subprocess.run(
        ["/usr/bin/sha256sum", "--strict", "--quiet", "-c", MANIFEST], cwd=results, check=True
    )
    return [line.split("  ", 1)[1] for line in (results / MANIFEST).read_text().splitlines()]


def test_what_a_command_leaves_is_listed(results: Path) -> None:
    """Files in folders too; nothing that is hidden, or a link, and never the list itself."""
    script = f"""
        mkdir -p {results}/b {results}/.snakemake; cd {results}
        echo 1 > b/calls.vcf; echo 2 > 'a b.txt'; : > empty; echo 3 > .hidden; echo 4 > .snakemake/log
        ln -s /etc/passwd link; ln -s / root; echo old > {MANIFEST}; echo said; echo told >&2
    """
    done = run(results, script)
    assert (done.returncode, done.stdout, done.stderr) == (0, "said\n", "told\n")
    assert checked(results) == ["a b.txt", "b/calls.vcf", "empty"]
    assert not (results / summed.MADE).exists()


def test_a_command_that_fails(results: Path) -> None:
    """Its exit code stays what it is, and what it has left is listed."""
    assert run(results, f"mkdir -p {results}; echo 1 > {results}/half; exit 65").returncode == 65
    assert checked(results) == ["half"]


def test_a_command_that_leaves_nothing(results: Path) -> None:
    """There is an empty list, rather than none."""
    assert run(results, ":").returncode == 0
    assert (results / MANIFEST).read_text() == ""


def test_a_command_that_is_not_there(results: Path) -> None:
    """Exit code 127, as a shell has it, and a word on it."""
    order = ["python3", "-c", SOURCE, str(results), "--", "no-such-program"]
    done = subprocess.run(order, capture_output=True, text=True, check=False)
    assert done.returncode == 127
    assert "no-such-program cannot be started" in done.stderr


def test_a_command_that_is_killed(results: Path) -> None:
    """It counts as a shell counts it."""
    assert run(results, "kill -9 $$").returncode == 137


def test_results_that_cannot_be_listed(results: Path) -> None:
    """Without a list a job has not done all that it was to do; a failure of its own counts more."""
    script = f"mkdir -p {results.parent}; : > {results}"
    done = run(results, script)
    assert done.returncode == 74
    assert "cannot be listed" in done.stderr
    assert run(results, "exit 3").returncode == 3


@pytest.mark.parametrize("order", ["ABC", "CBA"])
def test_the_last_task_lists_for_all(results: Path, order: str) -> None:
    """Whichever it is, and however it ended."""
    for name in order:
        assert not (results / MANIFEST).exists()
        script = f"mkdir -p {results}; echo {name} > {results}/{name}.txt; exit {int(name == 'B')}"
        assert run(results, script, "--task", name, "--of", "3").returncode == int(name == "B")
    assert checked(results) == ["A.txt", "B.txt", "C.txt"]
    left = ["A.txt", "B.txt", "C.txt", MANIFEST]
    assert sorted(path.name for path in results.iterdir()) == left


def test_two_last_tasks(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of those that end at the same time lists for all; the other leaves it to that."""
    listdir = os.listdir

    def gone(folder: str) -> list[str]:
        shutil.rmtree(folder)
        return listdir(folder)

    monkeypatch.setattr(os, "listdir", gone)
    assert not summed._is_last(str(results), "A", 1)


def test_whoever_is_told_to_end_lists_nothing(results: Path, tmp_path: Path) -> None:
    """A job that is stopped ends as its command does."""
    began = tmp_path / "began"
    script = f"mkdir -p {results}; trap 'exit 9' TERM; : > {began}; while :; do sleep 0.05; done"
    with subprocess.Popen(words(results, script), start_new_session=True) as process:
        _until(began.exists)
        os.killpg(process.pid, signal.SIGTERM)
        assert process.wait() == 9
    assert not (results / MANIFEST).exists()


def test_sums_are_not_made_twice(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever goes on after an interruption reads what has changed since, and no more."""
    results.mkdir(parents=True)
    for name in "abcd":
        (results / name).write_text(name)
    monkeypatch.setattr(summed, "THREADS", 1)
    monkeypatch.setattr(summed, "_stopped", _After(5))
    with pytest.raises(summed.Stopped):
        summed.write_list(str(results))
    made = (results / summed.MADE).read_text().splitlines()
    assert 0 < len(made) < 4
    with (results / summed.MADE).open("a") as kept:
        kept.write('["a", 1')  # cut short by a crash

    monkeypatch.setattr(summed, "_stopped", [])
    (results / "b").write_text("other")
    os.utime(results / "b", ns=(1, 1))
    # Were it read again, its sum would be another one.
    first = (results / "a").stat()
    (results / "a").write_text("x")
    os.utime(results / "a", ns=(first.st_atime_ns, first.st_mtime_ns))
    summed.write_list(str(results))
    lines = (results / MANIFEST).read_text().splitlines()
    assert lines[0].startswith("ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb")
    (results / "a").write_text("a")
    assert checked(results) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("name", ["plain", "with space", "back\\slash", "new\nline", "re\rturn"])
def test_lines_are_those_of_all_other_lists(name: str) -> None:
    """What runs without Daylily writes what Daylily writes."""
    assert summed.line(name, "11") == manifest_text({name: "11"})


class _After(list[int]):
    """Holds a signal from the *n*th look on."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.left = n

    def __bool__(self) -> bool:
        self.left -= 1
        return self.left < 0


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_it_runs_on_old_nodes() -> None:
    """Nothing in it is newer than Python 3.6."""
    ast.parse(SOURCE, feature_version=(3, 6))
