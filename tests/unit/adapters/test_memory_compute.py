"""The in-memory engine."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from attrs import define, evolve, field

from daylily.adapters.memory.compute import InMemoryCompute
from daylily.domain.errors import ConflictError, NotFoundError, RejectedError
from daylily.domain.retry import ErrorCategory, category_of
from daylily.domain.workset import Progress
from daylily.ports.compute import Compute, Job, Phase, Task
from daylily.testing.contracts.compute import KEY, Bench, ComputeContract
from daylily.testing.contracts.compute_tasks import TasksBench, TasksContract

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)


@define
class HandClock:
    """Stands still until it is wound."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now


@define
class MemoryBench(TasksBench):
    """Ends the jobs of an engine that waits for it, each as it was made to end."""

    compute: InMemoryCompute
    plans: dict[str, tuple[int | None, str]] = field(factory=dict)
    codes: dict[str, Mapping[str, int | None]] = field(factory=dict)

    def succeeds(self, key: str, says: str = "") -> Job:
        return self.fails(key, 0, says)

    def fails(self, key: str, code: int, says: str = "") -> Job:
        self.plans.setdefault(key, (code, says))
        return job(key)

    def runs_on(self, key: str) -> Job:
        self.plans.setdefault(key, (None, ""))
        return job(key)

    def impossible(self, key: str) -> Job:
        self.compute.reject(key)
        return job(key)

    def starts(self, key: str) -> int:
        return [started.key for started in self.compute.submitted].count(key)

    def another(self) -> Compute:
        return self.compute

    @contextmanager
    def outage(self) -> Iterator[None]:
        self.compute.go_down()
        yield
        self.compute.come_back()

    def tasks(self, key: str, codes: Mapping[str, int | None]) -> Job:
        self.codes.setdefault(key, codes)
        return evolve(
            job(key), arguments=(), tasks=tuple(Task(name=name, arguments=("true",)) for name in codes)
        )

    def task_starts(self, key: str) -> Mapping[str, int]:
        return {task.name: 1 for job in self.compute.submitted for task in job.tasks}

    def pause(self) -> None:
        for key, codes in self.codes.items():
            for task in self.compute.status([key])[key].tasks:
                code = codes[task.name]
                if task.phase is Phase.RUNNING and code is not None:
                    self.compute.write(key, f"{task.name}: says {task.name}\n")
                    message = f"exit code {code}: says {task.name}" if code else ""
                    self.compute.end_task(key, task.name, exit_code=code, message=message)
        for key, (code, says) in self.plans.items():
            status = self.compute.status([key]).get(key)
            if code is not None and status is not None and not status.ended:
                self.compute.write(key, says)
                self.compute.end(key, exit_code=code, message=says)


def job(key: str) -> Job:
    return Job(key=key, arguments=("true",), directory="worksets/ws-1")


class TestInMemoryCompute(ComputeContract):
    """An engine in memory keeps every promise of the port."""

    @pytest.fixture
    def compute(self) -> InMemoryCompute:
        return InMemoryCompute(HandClock(), duration=None)

    @pytest.fixture
    def bench(self, compute: Compute) -> Bench:
        assert isinstance(compute, InMemoryCompute)
        return MemoryBench(compute)


class TestTasksInMemory(TasksContract):
    """So it does of jobs with tasks."""

    @pytest.fixture
    def compute(self) -> InMemoryCompute:
        return InMemoryCompute(HandClock(), duration=None)

    @pytest.fixture
    def tasks_bench(self, compute: Compute) -> TasksBench:
        assert isinstance(compute, InMemoryCompute)
        return MemoryBench(compute)


def test_tasks_end_with_their_job() -> None:
    """What a test, the clock or a loss does to a job it does to the tasks that have not ended."""
    clock = HandClock()
    compute = InMemoryCompute(clock, duration=timedelta(hours=1))
    tasks = tuple(Task(name=name, arguments=("true",)) for name in "AB")
    for key in ("ws-1/1", "ws-1/2", "ws-1/3"):
        compute.submit(Job(key=key, tasks=tasks, directory=""))

    compute.end_task("ws-1/1", "A", exit_code=65, message="cut short")
    compute.end("ws-1/1", exit_code=3)
    compute.vanish("ws-1/2")
    clock.now = NOON + timedelta(hours=1)

    found = compute.status(["ws-1/1", "ws-1/2", "ws-1/3"])
    assert [[task.exit_code for task in status.tasks] for status in found.values()] == [
        [65, 3],
        [None, None],
        [0, 0],
    ]
    with pytest.raises(ConflictError):
        compute.end_task("ws-1/1", "B")


def test_runs_by_the_clock() -> None:
    """A job runs for the duration and has then succeeded, at that very instant."""
    clock = HandClock()
    compute = InMemoryCompute(clock, duration=timedelta(hours=2))
    compute.submit(job(KEY))

    clock.now = NOON + timedelta(minutes=119)
    assert compute.status([KEY])[KEY].phase is Phase.RUNNING

    clock.now = NOON + timedelta(hours=5)
    status = compute.status([KEY])[KEY]
    assert (status.phase, status.exit_code) == (Phase.SUCCEEDED, 0)
    assert status.ended_at == NOON + timedelta(hours=2)


def test_no_duration_by_default() -> None:
    """Without more ado a job has succeeded as soon as it is looked at."""
    compute = InMemoryCompute(HandClock())
    compute.submit(job(KEY))

    assert compute.status([KEY])[KEY].phase is Phase.SUCCEEDED


def test_cancel_after_its_time() -> None:
    """A job whose time was over has succeeded, even if nobody looked before the cancel."""
    clock = HandClock()
    compute = InMemoryCompute(clock, duration=timedelta(hours=1))
    compute.submit(job(KEY))
    clock.now = NOON + timedelta(hours=1)

    compute.cancel(KEY)

    assert compute.status([KEY])[KEY].phase is Phase.SUCCEEDED


def test_end_by_hand() -> None:
    """A test may end a job before its time, once, with the code and the words it likes."""
    compute = InMemoryCompute(HandClock(), duration=timedelta(hours=1))
    compute.submit(job(KEY))

    compute.end(KEY, exit_code=137, message="out of memory")

    status = compute.status([KEY])[KEY]
    assert (status.phase, status.exit_code, status.message) == (Phase.FAILED, 137, "out of memory")
    with pytest.raises(ConflictError):
        compute.end(KEY)
    with pytest.raises(NotFoundError):
        compute.end("ws-2/1")


def test_vanish() -> None:
    """A job that vanishes has failed without an exit code, which is worth another try."""
    compute = InMemoryCompute(HandClock(), duration=None)
    compute.submit(job(KEY))

    compute.vanish(KEY)

    status = compute.status([KEY])[KEY]
    assert (status.phase, status.exit_code) == (Phase.FAILED, None)
    assert category_of(status.exit_code) is ErrorCategory.TRANSIENT


def test_report() -> None:
    """What a job reports of its progress is in its status while it runs."""
    compute = InMemoryCompute(HandClock(), duration=None)
    compute.submit(job(KEY))

    compute.report(KEY, Progress(3, 8, "aligning"))

    assert compute.status([KEY])[KEY].progress == Progress(3, 8, "aligning")


def test_reject_by_predicate() -> None:
    """A predicate chooses whom to refuse; the others run."""
    compute = InMemoryCompute(HandClock())
    compute.reject(lambda unfit: unfit.resources.cpus > 64 or unfit.key.startswith("ws-2/"))

    compute.submit(job(KEY))
    with pytest.raises(RejectedError):
        compute.submit(job("ws-2/1"))

    assert [started.key for started in compute.submitted] == [KEY]
