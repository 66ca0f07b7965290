"""Jobs for the subprocess engine, and the means to watch and to kill what it starts."""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import psutil
from attrs import frozen

from daylily.adapters.local.compute import SubprocessCompute
from daylily.domain.pipelines import Resources
from daylily.ports.compute import Compute, Job, Task
from daylily.testing.contracts.compute_tasks import TasksBench

DEADLINE: Final = 20.0
DEFAULT: Final = Resources()

# $1: the file that gets a line a start; the other arguments are the script's own.
_SHELL: Final = 'echo started >> "$1"; shift; '


def eventually(condition: Callable[[], object], what: str) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, f"never came: {what}"
        time.sleep(0.01)


@frozen
class LocalBench(TasksBench):
    """Shell commands that leave a line in a file for every start."""

    compute: SubprocessCompute
    directory: Path

    def shell(self, key: str, script: str, *arguments: str, resources: Resources = DEFAULT) -> Job:
        """Return a job that runs a script; its arguments are ``$1`` and so on."""
        return Job(
            key=key,
            arguments=("sh", "-c", _SHELL + script, "sh", str(self.starts_file(key)), *arguments),
            directory=str(self.directory),
            resources=resources,
        )

    def starts_file(self, key: str) -> Path:
        """Return the file that has a line for every start."""
        return self.directory / f"starts-{key.replace('/', '-')}"

    def succeeds(self, key: str, says: str = "") -> Job:
        return self.fails(key, 0, says)

    def fails(self, key: str, code: int, says: str = "") -> Job:
        return self.shell(key, 'printf %s "$1"; exit "$2"', says, str(code))

    def runs_on(self, key: str) -> Job:
        return self.shell(key, "exec sleep 300")

    def impossible(self, key: str) -> Job:
        return Job(key=key, arguments=("no-such-program-here",), directory=str(self.directory))

    def starts(self, key: str) -> int:
        try:
            return self.starts_file(key).read_text().count("\n")
        except FileNotFoundError:
            return 0

    def tasks(self, key: str, codes: Mapping[str, int | None]) -> Job:
        return Job(
            key=key,
            tasks=tuple(self._task(key, name, code) for name, code in codes.items()),
            directory=str(self.directory),
        )

    def _task(self, key: str, name: str, code: int | None) -> Task:
        script = "exec sleep 300" if code is None else f'echo "says $1"; exit {code}'
        starts = self.starts_file(f"{key}-{name}")
        return Task(name=name, arguments=("sh", "-c", _SHELL + script, "sh", str(starts), name))

    def task_starts(self, key: str) -> Mapping[str, int]:
        prefix = self.starts_file(f"{key}-").name
        found = self.directory.glob(f"{prefix}*")
        return {file.name.removeprefix(prefix): file.read_text().count("\n") for file in found}

    def another(self) -> Compute:
        return SubprocessCompute(root=self.compute.root)

    @contextlib.contextmanager
    def outage(self) -> Iterator[None]:
        # As when the disk is not mounted.
        aside = self.compute.root.with_name("aside")
        self.compute.root.rename(aside)
        yield
        aside.rename(self.compute.root)

    def pid(self, key: str, name: str) -> int:
        """Return the number a process wrote into ``<name>.pid``, once it has."""
        path = self.directory / f"{key.replace('/', '-')}-{name}.pid"
        eventually(lambda: path.exists() and path.read_text().endswith("\n"), str(path))
        return int(path.read_text())

    def stubborn(self, key: str) -> Job:
        """Return a job that ignores TERM, as does its child; each writes its number."""
        prefix = str(self.directory / key.replace("/", "-"))
        script = (
            "trap '' TERM; (echo $$ > \"$1-parent.pid\");"
            ' sh -c \'trap "" TERM; echo $$ > "$1-child.pid"; while :; do sleep 300; done\' sh "$1" & '
            "while :; do sleep 300; done"
        )
        return self.shell(key, script, prefix)


def python_job(key: str, script: str, *arguments: str, directory: Path) -> Job:
    """Return a job that runs Python."""
    vector = (sys.executable, "-I", "-S", "-c", script, *arguments)
    return Job(key=key, arguments=vector, directory=str(directory))


def is_alive(pid: int) -> bool:
    """Tell whether a process is there and no zombie."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def kin(directory: Path) -> list[psutil.Process]:
    """Return the living processes that have anything to do with a directory of this test."""
    return [process for process in psutil.process_iter() if _mentions(process, os.fspath(directory))]


def _mentions(process: psutil.Process, text: str) -> bool:
    if process.pid == os.getpid():
        return False
    with contextlib.suppress(psutil.Error):
        words = [*process.cmdline(), *process.environ().values()]
        return process.status() != psutil.STATUS_ZOMBIE and any(text in word for word in words)
    return False


def end_all(directory: Path) -> None:
    """Kill whatever a test has left running, and wait until it is gone."""
    found = kin(directory)
    while found:
        for process in found:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        eventually(lambda: not any(is_alive(one.pid) for one in found), "the end of all")  # noqa: B023
        found = kin(directory)
