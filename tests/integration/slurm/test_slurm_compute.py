"""SlurmCompute on a real controller and node: the contract of its port, and what it adds to it."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from attrs import evolve, field, frozen
from tests.integration.slurm.bench import SMALL, SlurmBench
from tests.integration.slurm.cluster import Cluster, cluster

from daylily.adapters.slurm.compute import SlurmCompute
from daylily.adapters.slurm.runner import Finished, LocalRunner, Runner
from daylily.domain.errors import RejectedError, UnavailableError
from daylily.domain.pipelines import Resources
from daylily.ports.compute import Compute, Job, Phase
from daylily.testing.contracts.compute import (
    KEY,
    THREADS,
    Bench,
    ComputeContract,
    await_end,
    await_running,
)

pytestmark = pytest.mark.slurm


@pytest.fixture
def jobs(engine: SlurmCompute, slurm: Cluster, tmp_path: Path) -> SlurmBench:
    """Return jobs for the engine."""
    return SlurmBench(compute=engine, slurm=slurm, directory=tmp_path)


class TestSlurmCompute(ComputeContract):
    """The contract."""

    @pytest.fixture
    def compute(self, engine: SlurmCompute) -> Compute:
        """Return an engine that knows no job."""
        return engine

    @pytest.fixture
    def bench(self, jobs: SlurmBench) -> Bench:
        """Return jobs for it."""
        return jobs


@frozen
class Dying(Runner):
    """Runs commands, and breaks down before or after the first one of a name."""

    runner: Runner
    command: str
    after: bool
    _broken: list[str] = field(init=False, factory=list)

    def run(self, arguments: Sequence[str], *, given: bytes = b"") -> Finished:
        hit = self.command in arguments and "--test-only" not in arguments and not self._broken
        if hit and not self.after:
            self._broken.append("before")
            raise UnavailableError("cut off")
        found = self.runner.run(arguments, given=given)
        if hit:
            self._broken.append("after")
            raise UnavailableError("cut off")
        return found


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("command", ["sbatch", "env", "scontrol"])
def test_cut_off_while_submitting(
    engine: SlurmCompute, jobs: SlurmBench, command: str, after: bool
) -> None:
    """Wherever a submitter is cut off, the next one has the job run, once."""
    with pytest.raises(UnavailableError):
        evolve(engine, runner=Dying(engine.runner, command, after)).submit(jobs.succeeds(KEY))

    engine.submit(jobs.succeeds(KEY))

    assert await_end(engine, KEY, jobs).phase is Phase.SUCCEEDED
    assert jobs.starts(KEY) == 1


@pytest.mark.parametrize("sent", [0, 23, 4096])
def test_killed_while_it_sends_a_script(engine: SlurmCompute, jobs: SlurmBench, sent: int) -> None:
    """
    Slurm never gets a part of a job, which might run and do nothing; the next submitter's runs.

    A script of which there is but the first line succeeds; pipes are written to in parts of 4096.
    """

    @frozen
    class Killed(Runner):
        """Sends the start of a script, and is not there any more."""

        runner: Runner

        def run(self, arguments: Sequence[str], *, given: bytes = b"") -> Finished:
            cut = "sbatch" in arguments and "--test-only" not in arguments
            found = self.runner.run(arguments, given=given[:sent] if cut else given)
            if cut:
                raise UnavailableError("killed")
            return found

    with pytest.raises(UnavailableError):
        evolve(engine, runner=Killed(engine.runner)).submit(jobs.succeeds(KEY))
    assert engine.status([KEY]) == {}

    engine.submit(jobs.succeeds(KEY))

    assert await_end(engine, KEY, jobs).phase is Phase.SUCCEEDED
    assert jobs.starts(KEY) == 1


def test_nobody_submits_again(engine: SlurmCompute, jobs: SlurmBench, slurm: Cluster) -> None:
    """A job whose submitter died before it let it go runs as soon as anybody asks how it stands."""
    with pytest.raises(UnavailableError):
        evolve(engine, runner=Dying(engine.runner, "scontrol", False)).submit(jobs.succeeds(KEY))
    assert engine.status([KEY])[KEY].phase is Phase.QUEUED
    assert await_end(engine, KEY, jobs).phase is Phase.SUCCEEDED


def test_nobody_lets_go_what_is_to_be_canceled(engine: SlurmCompute, jobs: SlurmBench) -> None:
    """A job whose submitter died before it let it go never runs once it is canceled."""
    with pytest.raises(UnavailableError):
        evolve(engine, runner=Dying(engine.runner, "scontrol", False)).submit(jobs.succeeds(KEY))
    engine.cancel(KEY)
    status = engine.status([KEY])[KEY]
    assert (status.phase, status.started_at) == (Phase.CANCELED, None)


@pytest.mark.parametrize("hold", ["hold", "uhold"])
def test_operator_holds_in_slurm(
    engine: SlurmCompute, jobs: SlurmBench, slurm: Cluster, hold: str
) -> None:
    """What somebody holds in Slurm waits until somebody there lets it go; a look does not."""
    slurm.set_node("state=drain", "reason=so that it waits")
    try:
        number = engine.submit(jobs.succeeds(KEY))
        # Slurm notes within a second or so that it waits for its turn.
        since = ["squeue", "-h", "-j", number, "-O", "AccrueTime"]
        _until(jobs, lambda: b"N/A" not in engine.runner.run(since).output)
        engine.runner.run(["scontrol", hold, number])
    finally:
        slurm.set_node("state=resume")
    for _ in range(3):
        status = engine.status([KEY])[KEY]
        assert (status.phase, status.message[:14]) == (Phase.QUEUED, "Slurm: JobHeld")
    assert engine.submit(jobs.succeeds(KEY)) == number
    assert engine.status([KEY])[KEY].phase is Phase.QUEUED
    engine.runner.run(["scontrol", "release", number])
    assert await_end(engine, KEY, jobs).phase is Phase.SUCCEEDED


def test_late_submitter(engine: SlurmCompute, jobs: SlurmBench) -> None:
    """One that stalls between its look and its sbatch adds no second run."""
    gate, stalled = threading.Event(), threading.Event()

    @frozen
    class Stalling(Runner):
        """Waits before the sbatch that counts."""

        runner: Runner

        def run(self, arguments: Sequence[str], *, given: bytes = b"") -> Finished:
            if "sbatch" in arguments and "--test-only" not in arguments:
                stalled.set()
                gate.wait(60)
            return self.runner.run(arguments, given=given)

    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(evolve(engine, runner=Stalling(engine.runner)).submit, jobs.succeeds(KEY))
        stalled.wait(60)
        name = engine.submit(jobs.succeeds(KEY))
        await_end(engine, KEY, jobs)
        gate.set()

        assert late.result() == name
    assert jobs.starts(KEY) == 1


def test_time_limit(engine: SlurmCompute, jobs: SlurmBench) -> None:
    """What is asked for is what Slurm is told: minutes, rounded up, and memory."""
    needs = Resources(cpus=2, memory_gb=0.2, time_limit=timedelta(seconds=61))
    number = engine.submit(evolve(jobs.runs_on(KEY), resources=needs))

    told = engine.runner.run(["scontrol", "show", "job", "--oneliner", number]).output.decode()

    assert "TimeLimit=00:02:00" in told
    assert "CPUs/Task=2" in told
    assert "MinMemoryNode=205M" in told
    assert "Requeue=0" in told


def test_no_shell_reads_arguments(engine: SlurmCompute, tmp_path: Path, jobs: SlurmBench) -> None:
    """Arguments and variables reach the program as they are, whatever a shell would make of them."""
    nasty = "$(touch pwned) `id` ; rm -rf / \"'\\\n* é"
    job = Job(
        key=KEY,
        arguments=(
            "python3",
            "-c",
            "import os, sys; print(ascii([sys.argv[1], os.environ['NOTE']]))",
            nasty,
        ),
        directory=str(tmp_path),
        resources=SMALL,
        environment={"NOTE": nasty},
    )
    engine.submit(job)

    await_end(engine, KEY, jobs)

    assert engine.log(KEY).text.strip() == ascii([nasty, nasty])
    assert not list(tmp_path.iterdir())


def test_missing_program(engine: SlurmCompute, jobs: SlurmBench) -> None:
    """A program that the nodes do not have is exit code 127, and the message says so."""
    engine.submit(Job(key=KEY, arguments=("no-such-program",), directory="/", resources=SMALL))

    status = await_end(engine, KEY, jobs)

    assert (status.phase, status.exit_code) == (Phase.FAILED, 127)
    assert "no-such-program" in status.message


def test_secrets_stay_here(
    slurm: Cluster, engine: SlurmCompute, jobs: SlurmBench, tmp_path: Path
) -> None:
    """Nothing of the monitor's environment but harmless names reaches a job."""
    runner = LocalRunner(environment={**slurm.environment, "AWS_SECRET_ACCESS_KEY": "s3cret"})
    compute = evolve(engine, runner=runner)
    compute.submit(Job(key=KEY, arguments=("env",), directory=str(tmp_path), resources=SMALL))

    await_end(compute, KEY, jobs)

    assert "s3cret" not in compute.log(KEY, limit=1 << 20).text


def test_forgotten_by_slurm(tmp_path: Path) -> None:
    """Where the controller has forgotten a job, its ending is known all the same, and it stays one."""
    with cluster(remembers=2) as short:
        runner = LocalRunner(environment=short.environment)
        compute = SlurmCompute(runner=runner, folder=short.home / "jobs")
        bench = SlurmBench(compute=compute, slurm=short, directory=tmp_path)
        number = compute.submit(bench.fails(KEY, 7, says="no such lane"))
        await_end(compute, KEY, bench)
        _until(bench, lambda: not runner.run(["squeue", "-h", "--states=all"]).output)

        status = compute.status([KEY])[KEY]

        assert (status.phase, status.exit_code, status.job) == (Phase.FAILED, 7, number)
        assert compute.submit(bench.succeeds(KEY)) == number
        compute.cancel(KEY)
        assert compute.status([KEY])[KEY] == status
        assert bench.starts(KEY) == 1


def test_many_at_once(engine: SlurmCompute, jobs: SlurmBench) -> None:
    """Jobs of many keys, submitted by many threads, each run once; one look tells of all."""
    keys = [f"ws-{number}/1" for number in range(THREADS)]
    with ThreadPoolExecutor(THREADS) as pool:
        names = list(pool.map(lambda key: engine.submit(jobs.succeeds(key)), keys))

    _until(jobs, lambda: all(status.ended for status in engine.status(keys).values()))

    assert {key: status.job for key, status in engine.status(keys).items()} == dict(
        zip(keys, names, strict=True)
    )
    assert [jobs.starts(key) for key in keys] == [1] * THREADS


def _until(bench: Bench, holds: Callable[[], bool]) -> None:
    for _ in range(3000):
        if holds():
            return
        bench.pause()
    raise AssertionError("it never came to that")


def test_nodes_that_are_away(engine: SlurmCompute, jobs: SlurmBench, slurm: Cluster) -> None:
    """What could run on a node that is down waits for it; what no node is made for is refused."""
    slurm.set_node("state=down", "reason=broken")
    try:
        engine.submit(jobs.succeeds(KEY))
        with pytest.raises(RejectedError, match="node configuration"):
            engine.submit(jobs.impossible("ws-2/1"))
        assert engine.status([KEY, "ws-2/1"])[KEY].phase is Phase.QUEUED
    finally:
        slurm.set_node("state=resume")
    assert await_end(engine, KEY, jobs).phase is Phase.SUCCEEDED


def test_controller_that_has_just_started(
    engine: SlurmCompute, jobs: SlurmBench, slurm: Cluster
) -> None:
    """A controller that has not heard of its nodes yet refuses nothing for good."""
    for number in range(1, 4):
        slurm.stop_controller()
        slurm.start_controller()
        engine.submit(jobs.succeeds(f"ws-1/{number}"))
    for number in range(1, 4):
        assert await_end(engine, f"ws-1/{number}", jobs).phase is Phase.SUCCEEDED


def test_operator_cancels_in_slurm(engine: SlurmCompute, jobs: SlurmBench) -> None:
    """A job that somebody cancels with scancel is canceled."""
    number = engine.submit(jobs.runs_on(KEY))
    await_running(engine, KEY, jobs)

    engine.runner.run(["scancel", number])

    assert await_end(engine, KEY, jobs).phase is Phase.CANCELED
