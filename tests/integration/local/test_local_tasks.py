"""Jobs with tasks on real processes: the contract, and what happens when somebody dies."""

import os
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from attrs import evolve
from tests.integration.local.local_compute_bench import LocalBench, end_all, eventually, is_alive

from daylily.adapters.local.compute import VANISHED, SubprocessCompute
from daylily.adapters.local.supervisor import Run, read_facts
from daylily.domain.errors import RejectedError, UnavailableError
from daylily.domain.pipelines import Resources
from daylily.ports.compute import Compute, Job, Phase, Task
from daylily.testing.contracts.compute import KEY, await_end, await_status
from daylily.testing.contracts.compute_tasks import TasksBench, TasksContract


@pytest.fixture
def compute(tmp_path: Path) -> Iterator[SubprocessCompute]:
    """Return an engine that knows no job; none of its jobs is left running."""
    yield SubprocessCompute(root=tmp_path / "jobs", grace=timedelta(seconds=0.3))
    end_all(tmp_path)


@pytest.fixture
def bench(compute: SubprocessCompute, tmp_path: Path) -> LocalBench:
    """Return jobs for it."""
    directory = tmp_path / "workset"
    directory.mkdir()
    return LocalBench(compute=compute, directory=directory)


class TestTasksOfSubprocesses(TasksContract):
    """The subprocess engine keeps every promise of the port for jobs with tasks."""

    @pytest.fixture
    def compute(self, tmp_path: Path) -> Iterator[Compute]:
        """Return an engine that knows no job."""
        yield SubprocessCompute(root=tmp_path / "jobs")
        end_all(tmp_path)

    @pytest.fixture
    def tasks_bench(self, compute: Compute, tmp_path: Path) -> TasksBench:
        """Return jobs for it."""
        assert isinstance(compute, SubprocessCompute)
        directory = tmp_path / "workset"
        directory.mkdir()
        return LocalBench(compute=compute, directory=directory)


def one_at_a_time(job: Job) -> Job:
    """Return a job of which no machine has room for two tasks."""
    return evolve(job, resources=evolve(job.resources, cpus=10_000))


def kill(facts: Path) -> None:
    """Kill the process that a file of a run directory names."""
    content = read_facts(facts)
    assert content
    os.kill(content["pid"], signal.SIGKILL)
    eventually(lambda: not is_alive(content["pid"]), "death by KILL")


def test_one_after_the_other(compute: SubprocessCompute, bench: LocalBench) -> None:
    """A machine with room for one task runs them in their order, and says how far it is."""
    job = one_at_a_time(bench.tasks(KEY, {"A": 3, "B": 0, "C": None, "D": 0}))
    compute.submit(job)

    status = await_status(
        compute, KEY, bench, lambda now: [task.phase for task in now.tasks][2:3] == [Phase.RUNNING]
    )

    assert [task.phase for task in status.tasks] == [
        Phase.FAILED,
        Phase.SUCCEEDED,
        Phase.RUNNING,
        Phase.QUEUED,
    ]
    assert status.progress is not None
    assert (status.progress.done, status.progress.message) == (2, "1 failed")


def test_time_limit_of_a_task(compute: SubprocessCompute, bench: LocalBench) -> None:
    """A task that is out of time is stopped with its children; the others get their own time."""
    limit = Resources(time_limit=timedelta(seconds=0.4))
    stubborn = Task(name="A", arguments=bench.stubborn(KEY).arguments)
    job = evolve(bench.tasks(KEY, {"B": 0}), resources=limit)

    compute.submit(one_at_a_time(evolve(job, tasks=(stubborn, *job.tasks))))

    status = await_end(compute, KEY, bench)
    assert [task.exit_code for task in status.tasks] == [124, 0]
    assert status.exit_code == 124
    assert "time limit of 0.4 s" in status.message
    assert not is_alive(bench.pid(KEY, "child"))


def test_cancel_of_stubborn_tasks(compute: SubprocessCompute, bench: LocalBench) -> None:
    """A task that ignores TERM is killed after the grace, with its children."""
    stubborn = Task(name="A", arguments=bench.stubborn(KEY).arguments)
    compute.submit(Job(key=KEY, tasks=(stubborn,), directory=str(bench.directory)))
    family = [bench.pid(KEY, name) for name in ("parent", "child")]

    compute.cancel(KEY)

    assert await_end(compute, KEY, bench).phase is Phase.CANCELED
    assert not any(map(is_alive, family))


def test_tasks_outlive_their_supervisor(compute: SubprocessCompute, bench: LocalBench) -> None:
    """Without a supervisor the tasks go on; when all is over, what each came to is known."""
    go_on = bench.directory / "go-on"
    waits = Task(name="A", arguments=("sh", "-c", f"while [ ! -e '{go_on}' ]; do sleep 0.01; done"))
    job = bench.tasks(KEY, {"B": 4})
    compute.submit(one_at_a_time(evolve(job, tasks=(waits, *job.tasks))))
    # A claimed job reads RUNNING before its supervisor has started anything that could outlive it.
    await_status(
        compute, KEY, bench, lambda now: [task.phase for task in now.tasks][:1] == [Phase.RUNNING]
    )
    kill(Run(compute.root / KEY).claim)

    assert compute.status([KEY])[KEY].phase is Phase.RUNNING
    go_on.touch()

    status = await_end(compute, KEY, bench)
    # Nobody was there to see the job's own end: it is tried again, as one that was lost.
    assert (status.phase, status.exit_code) == (Phase.FAILED, None)
    assert [task.exit_code for task in status.tasks] == [0, 4]


def test_tasks_lost_with_the_machine(compute: SubprocessCompute, bench: LocalBench) -> None:
    """What had ended stays as it ended; the others were lost, and nothing of them is left running."""
    compute.submit(one_at_a_time(bench.tasks(KEY, {"A": 0, "B": None, "C": 0})))
    await_status(compute, KEY, bench, lambda now: now.progress is not None and now.progress.done == 1)
    eventually(lambda: bench.task_starts(KEY).get("B"), "the second task")
    run = Run(compute.root / KEY)

    kill(run.claim)
    kill(run.child)

    status = await_end(compute, KEY, bench)
    assert (status.phase, status.exit_code) == (Phase.FAILED, None)
    assert status.message.startswith(VANISHED)
    assert [(task.phase, task.exit_code) for task in status.tasks] == [
        (Phase.SUCCEEDED, 0),
        (Phase.FAILED, None),
        (Phase.FAILED, None),
    ]
    assert bench.task_starts(KEY) == {"A": 1, "B": 1}


def test_canceled_before_it_started(compute: SubprocessCompute, bench: LocalBench) -> None:
    """All its tasks are canceled, and none ran."""
    with pytest.raises(UnavailableError):
        evolve(compute, python="/no/such/python").submit(bench.tasks(KEY, {"A": 0, "B": 0}))
    compute.cancel(KEY)

    status = compute.status([KEY])[KEY]

    assert [task.phase for task in status.tasks] == [Phase.CANCELED, Phase.CANCELED]
    assert bench.task_starts(KEY) == {}


def test_a_task_that_cannot_start(compute: SubprocessCompute, bench: LocalBench) -> None:
    """A file that is executable but no program fails its own task with exit code 126."""
    program = bench.directory / "step"
    program.write_bytes(b"\x7fnot a program")
    program.chmod(0o755)
    job = bench.tasks(KEY, {"B": 0})
    broken = Task(name="A", arguments=(str(program),))

    compute.submit(evolve(job, tasks=(broken, *job.tasks)))

    status = await_end(compute, KEY, bench)
    assert [task.exit_code for task in status.tasks] == [126, 0]


@pytest.mark.parametrize("arguments", [(), ("no-such-program-here",), ("sh", "a\0b")])
def test_rejected(compute: SubprocessCompute, bench: LocalBench, arguments: tuple[str, ...]) -> None:
    """A job of which one task can never run is refused as a whole."""
    job = bench.tasks(KEY, {"A": 0})

    with pytest.raises(RejectedError):
        compute.submit(evolve(job, tasks=(*job.tasks, Task(name="B", arguments=arguments))))

    assert not list(compute.root.iterdir())


def test_lines_stay_whole(compute: SubprocessCompute, bench: LocalBench) -> None:
    """What tasks write at once comes line by line, a last one without its end too."""
    script = 'for i in 1 2 3 4 5; do printf "%s $i " "$1"; echo more; done; printf "%s ends" "$1"'
    tasks = tuple(Task(name=name, arguments=("sh", "-c", script, "sh", name)) for name in "ABC")
    compute.submit(Job(key=KEY, tasks=tasks, directory="", resources=Resources(memory_gb=0.01)))

    await_end(compute, KEY, bench)

    lines = compute.log(KEY).text.splitlines()
    for name in "ABC":
        own = [line for line in lines if line.startswith(f"{name}: ")]
        assert own == [f"{name}: {name} {i} more" for i in range(1, 6)] + [f"{name}: {name} ends"]
