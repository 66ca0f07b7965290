"""Jobs that are shell commands, for engines that run real processes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from attrs import frozen

from daylily.domain.pipelines import Resources
from daylily.ports.compute import Job, Task
from daylily.testing.contracts.compute_tasks import TasksBench

# $1: the file that gets a line a start; the other arguments are the script's own.
_SHELL: Final = 'echo started >> "$1"; shift; '
DEFAULT: Final = Resources()


@frozen(kw_only=True)
class ShellBench(TasksBench):
    """Shell commands that leave a line in a file for every start."""

    directory: Path
    needs: Resources = DEFAULT

    def shell(self, key: str, script: str, *arguments: str, needs: Resources | None = None) -> Job:
        """Return a job that runs a script; its arguments are ``$1`` and so on."""
        return Job(
            key=key,
            arguments=("sh", "-c", _SHELL + script, "sh", str(self.starts_file(key)), *arguments),
            directory=str(self.directory),
            resources=needs or self.needs,
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
            resources=self.needs,
        )

    def _task(self, key: str, name: str, code: int | None) -> Task:
        script = "exec sleep 300" if code is None else f'echo "says $1"; exit {code}'
        starts = self.starts_file(f"{key}-{name}")
        return Task(name=name, arguments=("sh", "-c", _SHELL + script, "sh", str(starts), name))

    def task_starts(self, key: str) -> Mapping[str, int]:
        prefix = self.starts_file(f"{key}-").name
        found = self.directory.glob(f"{prefix}*")
        return {file.name.removeprefix(prefix): file.read_text().count("\n") for file in found}
