"""What every engine owes of jobs with tasks: subclass TasksContract beside ComputeContract."""

from collections.abc import Mapping
from typing import Protocol

import pytest

from daylily.domain.workset import Progress
from daylily.ports.compute import Compute, Job, Phase
from daylily.testing.contracts.compute import KEY, Bench, await_end, await_status


class TasksBench(Bench, Protocol):
    """Jobs with tasks, of the engine under test."""

    def tasks(self, key: str, codes: Mapping[str, int | None]) -> Job:
        """
        Return a job with tasks.

        Args:
            codes: For each task its exit code; None for one that runs until it is canceled. Each but
                that writes a line: ``says <its name>``.
        """

    def task_starts(self, key: str) -> Mapping[str, int]:
        """Return how often each task of a job has been started; those that never were are left out."""


class TasksContract:
    """The promises of Compute for jobs with tasks. A subclass overrides both fixtures."""

    @pytest.fixture
    def compute(self) -> Compute:
        """The engine under test, knowing no job."""
        raise NotImplementedError

    @pytest.fixture
    def tasks_bench(self, compute: Compute) -> TasksBench:
        """Jobs for it."""
        raise NotImplementedError

    def test_all_tasks_succeed(self, compute: Compute, tasks_bench: TasksBench) -> None:
        """The job has then succeeded; each task ran once, and the log has what all wrote."""
        name = compute.submit(tasks_bench.tasks(KEY, {"A": 0, "B.2": 0}))
        assert compute.submit(tasks_bench.tasks(KEY, {"A": 0, "B.2": 0})) == name

        status = await_end(compute, KEY, tasks_bench)

        assert (status.phase, status.exit_code, status.message) == (Phase.SUCCEEDED, 0, "")
        assert [(task.name, task.phase, task.exit_code) for task in status.tasks] == [
            ("A", Phase.SUCCEEDED, 0),
            ("B.2", Phase.SUCCEEDED, 0),
        ]
        assert tasks_bench.task_starts(KEY) == {"A": 1, "B.2": 1}
        lines = compute.log(KEY).text.splitlines()
        assert sorted(line for line in lines if "says" in line) == ["A: says A", "B.2: says B.2"]

    def test_one_task_fails(self, compute: Compute, tasks_bench: TasksBench) -> None:
        """The others run all the same; the job fails with that task's exit code, and names it."""
        compute.submit(tasks_bench.tasks(KEY, {"A": 0, "B": 7, "C": 0}))

        status = await_end(compute, KEY, tasks_bench)

        assert (status.phase, status.exit_code) == (Phase.FAILED, 7)
        assert status.message.startswith("1 of 3 tasks failed: B: ")
        assert [(task.phase, task.exit_code) for task in status.tasks] == [
            (Phase.SUCCEEDED, 0),
            (Phase.FAILED, 7),
            (Phase.SUCCEEDED, 0),
        ]
        assert "says B" in status.tasks[1].message
        assert tasks_bench.task_starts(KEY) == {"A": 1, "B": 1, "C": 1}
        assert compute.status([KEY]) == {KEY: status}

    def test_cancel_of_tasks(self, compute: Compute, tasks_bench: TasksBench) -> None:
        """All stop; one that had ended before stays as it ended. Progress counts what has ended."""
        compute.submit(tasks_bench.tasks(KEY, {"A": 0, "B": None, "C": None}))
        status = await_status(
            compute,
            KEY,
            tasks_bench,
            lambda now: now.progress is not None and now.progress.done == 1,
        )
        assert (status.phase, status.progress) == (Phase.RUNNING, Progress(1, 3))

        compute.cancel(KEY)

        status = await_end(compute, KEY, tasks_bench)
        assert status.phase is Phase.CANCELED
        assert [task.phase for task in status.tasks] == [
            Phase.SUCCEEDED,
            Phase.CANCELED,
            Phase.CANCELED,
        ]
        compute.submit(tasks_bench.tasks(KEY, {"A": 0, "B": None, "C": None}))
        assert compute.status([KEY]) == {KEY: status}
