"""Jobs for Slurm, and how to see what became of them."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from attrs import evolve, frozen
from tests.integration.slurm.cluster import Cluster

from daylily.adapters.slurm.compute import SlurmCompute
from daylily.domain.pipelines import Resources
from daylily.ports.compute import Compute, Job, Task
from daylily.testing.contracts.compute_tasks import TasksBench

SMALL = Resources(cpus=1, memory_gb=0.05)

# $1: the file that gets a line a start; the other arguments are the script's own.
_SHELL = 'echo started >> "$1"; shift; '


@frozen
class SlurmBench(TasksBench):
    """Shell commands that leave a line in a file for every start."""

    compute: SlurmCompute
    slurm: Cluster
    directory: Path

    def shell(self, key: str, script: str, *arguments: str, needs: Resources = SMALL) -> Job:
        """Return a job that runs a script; its arguments are ``$1`` and so on."""
        return Job(
            key=key,
            arguments=("sh", "-c", _SHELL + script, "sh", str(self._starts(key)), *arguments),
            directory=str(self.directory),
            resources=needs,
        )

    def _starts(self, key: str) -> Path:
        return self.directory / f"starts-{key.replace('/', '-')}"

    def succeeds(self, key: str, says: str = "") -> Job:
        return self.fails(key, 0, says)

    def fails(self, key: str, code: int, says: str = "") -> Job:
        return self.shell(key, 'printf %s "$1"; exit "$2"', says, str(code))

    def runs_on(self, key: str) -> Job:
        return self.shell(key, "exec sleep 300")

    def impossible(self, key: str) -> Job:
        return self.shell(key, ":", needs=Resources(memory_gb=9000))

    def starts(self, key: str) -> int:
        try:
            return self._starts(key).read_text().count("\n")
        except FileNotFoundError:
            return 0

    def tasks(self, key: str, codes: Mapping[str, int | None]) -> Job:
        return Job(
            key=key,
            tasks=tuple(self._task(key, name, code) for name, code in codes.items()),
            directory=str(self.directory),
            resources=SMALL,
        )

    def _task(self, key: str, name: str, code: int | None) -> Task:
        script = "exec sleep 300" if code is None else f'echo "says $1"; exit {code}'
        starts = self._starts(f"{key}-{name}")
        return Task(name=name, arguments=("sh", "-c", _SHELL + script, "sh", str(starts), name))

    def task_starts(self, key: str) -> Mapping[str, int]:
        prefix = self._starts(f"{key}-").name
        found = self.directory.glob(f"{prefix}*")
        return {file.name.removeprefix(prefix): file.read_text().count("\n") for file in found}

    def another(self) -> Compute:
        return evolve(self.compute)

    @contextlib.contextmanager
    def outage(self) -> Iterator[None]:
        self.slurm.stop_controller()
        try:
            yield
        finally:
            self.slurm.start_controller()
