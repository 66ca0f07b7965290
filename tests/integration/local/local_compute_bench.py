"""Jobs for the subprocess engine, and the means to watch and to kill what it starts."""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import psutil
from attrs import frozen
from tests.integration.shell_bench import ShellBench

from daylily.adapters.local.compute import SubprocessCompute
from daylily.ports.compute import Compute, Job

DEADLINE: Final = 20.0


def eventually(condition: Callable[[], object], what: str) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, f"never came: {what}"
        time.sleep(0.01)


@frozen(kw_only=True)
class LocalBench(ShellBench):
    """Shell commands for the subprocess engine."""

    compute: SubprocessCompute

    def impossible(self, key: str) -> Job:
        return Job(key=key, arguments=("no-such-program-here",), directory=str(self.directory))

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
