"""BatchCompute on moto's Batch with machines of ours: the contracts, and what is peculiar to it."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from attrs import evolve
from tests.integration.aws.moto.batch_machines import (
    QUEUE,
    BatchBench,
    BatchSite,
    CutStore,
    batch_site,
)
from tests.integration.aws.worlds import moto_client

from daylily.adapters.aws.batch import BatchCompute
from daylily.adapters.aws.batch_records import Records
from daylily.domain.errors import RejectedError
from daylily.domain.pipelines import Resources
from daylily.domain.retry import ErrorCategory, category_of
from daylily.domain.workset import Progress
from daylily.ports.compute import Compute, Job, Phase
from daylily.testing.clock import ManualClock
from daylily.testing.contracts.compute import (
    DEADLINE,
    KEY,
    Bench,
    ComputeContract,
    await_end,
    await_running,
)
from daylily.testing.contracts.compute_tasks import TasksBench, TasksContract

EVERYTHING: Final = [{"name": "JOB_NAME", "values": ["*"]}]


@pytest.fixture(scope="module")
def clients() -> dict[str, Any]:
    """Return clients; making one takes longer than most tests do."""
    return {name: moto_client(name) for name in ("batch", "iam", "logs")}


@pytest.fixture
def site(clients: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[BatchSite]:
    """Return a queue that knows no job."""
    with batch_site(clients, monkeypatch) as made:
        yield made


@pytest.fixture
def engine(site: BatchSite) -> BatchCompute:
    """Return an engine that knows no job."""
    return site.engine()


@pytest.fixture
def jobs(site: BatchSite, tmp_path: Path) -> BatchBench:
    """Return jobs for it."""
    return BatchBench(site=site, directory=tmp_path)


class TestBatchCompute(ComputeContract):
    """The contract."""

    @pytest.fixture
    def compute(self, engine: BatchCompute) -> Compute:
        """Return an engine that knows no job."""
        return engine

    @pytest.fixture
    def bench(self, jobs: BatchBench) -> Bench:
        """Return jobs for it."""
        return jobs


class TestTasksOnBatch(TasksContract):
    """The contract for jobs with tasks, which are arrays."""

    @pytest.fixture
    def compute(self, engine: BatchCompute) -> Compute:
        """Return an engine that knows no job."""
        return engine

    @pytest.fixture
    def tasks_bench(self, jobs: BatchBench) -> TasksBench:
        """Return jobs for it."""
        return jobs


class DiedError(Exception):
    """The process of a monitor ended here."""


def dies(name: str) -> Callable[..., None]:
    """Return what ends a monitor at a call, once."""
    left = [name]

    def at(called: str, *_: object) -> None:
        if left == [called]:
            left.clear()
            raise DiedError

    return at


@pytest.mark.parametrize("looks", [False, True], ids=["submits again", "only looks"])
def test_died_between_submit_and_save(
    site: BatchSite, engine: BatchCompute, jobs: BatchBench, looks: bool
) -> None:
    """A job whose name at Batch nobody could write down is found by its own, and runs once."""
    site.machines.hold = True
    site.batch.after = dies("submit_job")
    with pytest.raises(DiedError):
        engine.submit(jobs.succeeds(KEY))
    heir = site.engine()

    if looks:
        assert heir.status([KEY])[KEY].phase is Phase.QUEUED
    name = heir.submit(jobs.succeeds(KEY))

    site.machines.hold = False
    status = await_end(heir, KEY, jobs)
    assert (status.phase, status.job) == (Phase.SUCCEEDED, name)
    assert jobs.starts(KEY) == 1
    assert len(site.batch.client.list_jobs(jobQueue=QUEUE, filters=EVERYTHING)["jobSummaryList"]) == 1


def test_started_before_it_was_saved(site: BatchSite, engine: BatchCompute, jobs: BatchBench) -> None:
    """A job whose monitor died elects itself as it starts; who comes later agrees."""
    site.batch.after = dies("submit_job")
    with pytest.raises(DiedError):
        engine.submit(jobs.fails(KEY, 3))

    status = await_end(site.engine(), KEY, jobs)

    assert (status.phase, status.exit_code) == (Phase.FAILED, 3)
    assert site.engine().submit(jobs.succeeds(KEY)) == status.job
    assert jobs.starts(KEY) == 1


def test_died_before_the_submit(site: BatchSite, engine: BatchCompute, jobs: BatchBench) -> None:
    """Nothing is known of the job then, and the next one submits it."""
    site.batch.before = dies("submit_job")
    with pytest.raises(DiedError):
        engine.submit(jobs.succeeds(KEY))
    heir = site.engine()
    assert heir.status([KEY]) == {}

    heir.submit(jobs.succeeds(KEY))

    assert await_end(heir, KEY, jobs).phase is Phase.SUCCEEDED
    assert jobs.starts(KEY) == 1


def test_late_submitter(site: BatchSite, engine: BatchCompute, jobs: BatchBench) -> None:
    """One that stalls between its look and its call adds no second run, and takes its job back."""
    gate, stalled = threading.Event(), threading.Event()
    late = evolve(site.batch)

    def stall(name: str, _: object) -> None:
        if name == "submit_job":
            stalled.set()
            gate.wait(60)

    late.before = stall
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(evolve(site, batch=late).engine().submit, jobs.succeeds(KEY))
        assert stalled.wait(60)
        name = engine.submit(jobs.succeeds(KEY))
        await_end(engine, KEY, jobs)
        gate.set()
        assert found.result() == name

    for job in site.batch.client.list_jobs(jobQueue=QUEUE, filters=EVERYTHING)["jobSummaryList"]:
        await_end_of(site, job["jobId"])
    assert jobs.starts(KEY) == 1


def await_end_of(site: BatchSite, job: str) -> None:
    """Wait until Batch says that a job has ended."""
    end = time.monotonic() + DEADLINE
    while site.batch.describe_jobs(jobs=[job])["jobs"][0]["status"] not in {"SUCCEEDED", "FAILED"}:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_what_is_asked_for(site: BatchSite, engine: BatchCompute, jobs: BatchBench) -> None:
    """Batch is told name, resources and time limit, and to try nothing twice: that is for us to do."""
    asked: list[dict[str, Any]] = []
    site.batch.before = lambda name, options: asked.append(options) if name == "submit_job" else None
    needs = Resources(cpus=4, memory_gb=1.5, time_limit=timedelta(minutes=90.001))

    engine.submit(evolve(jobs.tasks(KEY, {"A": 0, "B": 0}), resources=needs))

    (told,) = asked
    assert told["jobName"].startswith("ws-1_1_")
    assert told["retryStrategy"] == {"attempts": 1}
    assert told["timeout"] == {"attemptDurationSeconds": 5401}
    assert told["arrayProperties"] == {"size": 2}
    assert told["containerOverrides"]["resourceRequirements"] == [
        {"type": "VCPU", "value": "4"},
        {"type": "MEMORY", "value": "1536"},
    ]
    await_end(engine, KEY, jobs)


def test_installations_that_share_a_queue(
    site: BatchSite, engine: BatchCompute, jobs: BatchBench
) -> None:
    """Worksets of the same name, of two buckets, are two jobs."""
    other = evolve(site, records=Records(CutStore(), "of-others/")).engine()
    site.machines.hold = True
    name = engine.submit(jobs.succeeds(KEY))

    assert other.status([KEY]) == {}
    assert other.submit(jobs.succeeds(KEY)) != name


def test_a_machine_is_lost(site: BatchSite, engine: BatchCompute, jobs: BatchBench) -> None:
    """What spot takes away has failed by no fault of the job's: it is tried again, and says why."""
    name = engine.submit(jobs.runs_on(KEY))
    await_running(engine, KEY, jobs)

    site.machines.lost.add(name)

    status = await_end(engine, KEY, jobs)
    assert (status.phase, status.exit_code) == (Phase.FAILED, None)
    assert category_of(status.exit_code) is ErrorCategory.TRANSIENT
    assert status.message.startswith("Batch: Host EC2 (instance i-0123456789abcdef0) terminated.")


def test_progress(site: BatchSite, engine: BatchCompute, jobs: BatchBench) -> None:
    """A job that runs shows how far it says that it is; it is asked now and then, not at each look."""
    clock = ManualClock()
    watched = evolve(engine, clock=clock)
    watched.submit(jobs.runs_on(KEY))
    await_running(watched, KEY, jobs)
    told = b'{"done": 2, "total": 4, "message": "pipeline_running"}'
    site.records.put_progress(KEY, told)

    assert watched.status([KEY])[KEY].progress is None
    clock.advance(timedelta(seconds=11))
    assert watched.status([KEY])[KEY].progress == Progress(2, 4, "pipeline_running")


def test_canceled_in_the_queue(site: BatchSite, engine: BatchCompute, jobs: BatchBench) -> None:
    """A job that waits is canceled there, and never starts; so are those of an array."""
    site.machines.hold = True
    engine.submit(jobs.succeeds(KEY))
    engine.submit(jobs.tasks("ws-2/1", {"A": 0, "B": 0}))

    for key in (KEY, "ws-2/1"):
        engine.cancel(key)
        assert await_end(engine, key, jobs).phase is Phase.CANCELED

    assert jobs.starts(KEY) == 0
    assert jobs.task_starts("ws-2/1") == {}


def test_no_shell_reads_arguments(engine: BatchCompute, jobs: BatchBench, tmp_path: Path) -> None:
    """Arguments and variables reach the program as they are; of AWS only the way to the bucket."""
    nasty = "$(touch pwned) `id` ; rm -rf / \"'\\\n* é"
    script = "import os, sys; print(ascii([sys.argv[1], os.environ['NOTE'], os.getenv('AWS_PROFILE')]))"
    environment = {"NOTE": nasty, "AWS_PROFILE": "lab", "AWS_REGION": "eu-west-1"}
    job = Job(
        key=KEY,
        arguments=(sys.executable, "-c", script, nasty),
        directory=str(tmp_path),
        environment=environment,
    )
    engine.submit(job)

    await_end(engine, KEY, jobs)

    assert engine.log(KEY).text.strip() == ascii([nasty, nasty, None])
    assert not list(tmp_path.iterdir())


def test_a_program_that_is_not_in_the_image(engine: BatchCompute, jobs: BatchBench) -> None:
    """It is exit code 127, and the message says so."""
    engine.submit(Job(key=KEY, arguments=("no-such-program",), directory="/"))

    status = await_end(engine, KEY, jobs)

    assert (status.phase, status.exit_code) == (Phase.FAILED, 127)
    assert "no-such-program" in status.message


def test_too_many_tasks(engine: BatchCompute, jobs: BatchBench) -> None:
    """An array has its bounds, and Batch is not even asked."""
    with pytest.raises(RejectedError, match="at most 10000 tasks"):
        engine.submit(jobs.tasks(KEY, {f"S{number}": 0 for number in range(10_001)}))


def test_one_task_alone(engine: BatchCompute, jobs: BatchBench) -> None:
    """Batch has no array of one: it is a plain job there, and one task here."""
    engine.submit(jobs.tasks(KEY, {"A": 7}))

    status = await_end(engine, KEY, jobs)

    assert [(task.name, task.exit_code) for task in status.tasks] == [("A", 7)]
    assert status.message.startswith("1 of 1 tasks failed: A: exit code 7")
    assert engine.log(KEY).text == "A: says A"
