"""Jobs with tasks on a real controller and node: the contract, and what arrays add to it."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from attrs import evolve, frozen
from tests.integration.slurm.bench import SMALL, SlurmBench
from tests.integration.slurm.cluster import Cluster

from daylily.adapters.slurm.compute import SlurmCompute
from daylily.adapters.slurm.runner import Finished, Runner
from daylily.domain.errors import RejectedError
from daylily.ports.compute import Compute, Job, Phase, Task
from daylily.testing.contracts.compute import KEY, await_end, await_status
from daylily.testing.contracts.compute_tasks import TasksBench, TasksContract

pytestmark = pytest.mark.slurm


@pytest.fixture
def bench(engine: SlurmCompute, slurm: Cluster, tmp_path: Path) -> SlurmBench:
    """Return jobs for the engine."""
    return SlurmBench(compute=engine, slurm=slurm, directory=tmp_path)


class TestArrays(TasksContract):
    """The contract."""

    @pytest.fixture
    def compute(self, engine: SlurmCompute) -> Compute:
        """Return an engine that knows no job."""
        return engine

    @pytest.fixture
    def tasks_bench(self, bench: SlurmBench) -> TasksBench:
        """Return jobs for it."""
        return bench


def test_larger_than_the_cluster_takes(engine: SlurmCompute) -> None:
    """An array of more tasks than Slurm takes is refused for good, and leaves no trace."""
    tasks = tuple(Task(name=str(number), arguments=("true",)) for number in range(2000))

    with pytest.raises(RejectedError, match="array"):
        engine.submit(Job(key=KEY, tasks=tasks, directory="/", resources=SMALL))

    assert engine.status([KEY]) == {}


def test_a_task_whose_program_is_not_there(engine: SlurmCompute, bench: SlurmBench) -> None:
    """It alone fails, with exit code 127 and the reason in its message."""
    job = bench.tasks(KEY, {"A": 0})
    missing = Task(name="B", arguments=("no-such-program",))
    engine.submit(evolve(job, tasks=(*job.tasks, missing)))

    status = await_end(engine, KEY, bench)

    assert [task.exit_code for task in status.tasks] == [0, 127]
    assert "no-such-program" in status.tasks[1].message


@frozen
class Forgetful(Runner):
    """A controller that has forgotten the first tasks of every array."""

    runner: Runner
    tasks: int

    def run(self, arguments: Sequence[str], *, given: bytes = b"") -> Finished:
        found = self.runner.run(arguments, given=given)
        if "squeue" not in arguments:
            return found
        rows = found.output.splitlines(keepends=True)
        kept = (row for row in rows if int(row.split(b"|")[8]) >= self.tasks)
        return evolve(found, output=b"".join(kept))


def test_forgotten_by_slurm(engine: SlurmCompute, bench: SlurmBench) -> None:
    """Of tasks that the controller has forgotten, some or all, how each ended is known all the same."""
    job = bench.tasks(KEY, {"A": 0, "B": 7, "C": 0})
    number = engine.submit(job)
    before = await_end(engine, KEY, bench)

    for forgotten in (1, 2, 3):
        late = evolve(engine, runner=Forgetful(engine.runner, forgotten))
        after = late.status([KEY])[KEY]
        assert (after.phase, after.exit_code, after.job) == (Phase.FAILED, 7, number)
        assert (after.tasks, after.message) == (before.tasks, before.message)
        assert late.submit(job) == number
        late.cancel(KEY)

    assert engine.status([KEY]) == {KEY: before}
    assert bench.task_starts(KEY) == {"A": 1, "B": 1, "C": 1}


def test_killed_tasks_that_slurm_has_forgotten(engine: SlurmCompute, bench: SlurmBench) -> None:
    """Tasks that left no word of their end are lost: no exit code is to blame them for."""
    engine.submit(bench.tasks(KEY, {"A": None, "B": 0}))
    await_status(
        engine,
        KEY,
        bench,
        lambda now: now.tasks[1].phase is Phase.SUCCEEDED and "A" in bench.task_starts(KEY),
    )
    engine.cancel(KEY)
    await_end(engine, KEY, bench)

    status = evolve(engine, runner=Forgetful(engine.runner, 2)).status([KEY])[KEY]

    assert (status.phase, status.exit_code) == (Phase.FAILED, None)
    assert [task.phase for task in status.tasks] == [Phase.FAILED, Phase.SUCCEEDED]
