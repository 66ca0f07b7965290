"""The subprocess engine when processes are killed: never two starts, never a lost end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from tests.integration.local.local_compute_bench import (
    LocalBench,
    end_all,
    eventually,
    is_alive,
    python_job,
)

from daylily.adapters.local import supervisor
from daylily.adapters.local.compute import VANISHED, SubprocessCompute
from daylily.adapters.local.supervisor import Run, read_facts
from daylily.domain.errors import UnavailableError
from daylily.domain.pipelines import Resources
from daylily.domain.retry import ErrorCategory, category_of
from daylily.ports.compute import JobStatus, Phase
from daylily.testing.contracts.compute import KEY, await_end, await_running

SUBMIT = """
import sys, time
from pathlib import Path
from daylily.adapters.local.compute import SubprocessCompute
from daylily.ports.compute import Job
root, gate, key, *arguments = sys.argv[1:]
compute = SubprocessCompute(root=Path(root))
print("up", flush=True)
while not Path(gate).exists():
    time.sleep(0.001)
print(compute.submit(Job(key=key, arguments=tuple(arguments), directory="")), flush=True)
time.sleep(300)
"""


@pytest.fixture
def compute(tmp_path: Path) -> Iterator[SubprocessCompute]:
    yield SubprocessCompute(root=tmp_path / "jobs", grace=timedelta(seconds=0.3))
    end_all(tmp_path)


@pytest.fixture
def bench(compute: SubprocessCompute, tmp_path: Path) -> LocalBench:
    directory = tmp_path / "workset"
    directory.mkdir()
    return LocalBench(compute=compute, directory=directory)


@pytest.fixture
def crashed(compute: SubprocessCompute) -> SubprocessCompute:
    """The same engine in a process that dies each time just before it starts a supervisor."""
    return evolve(compute, python="/no/such/python")


class Submitters:
    """Processes that submit the same job, all at once, and then hang about."""

    def __init__(self, compute: SubprocessCompute, bench: LocalBench, script: str, number: int) -> None:
        self.gate = bench.directory / "gate"
        arguments = bench.shell(KEY, script).arguments
        vector = [sys.executable, "-c", SUBMIT, str(compute.root), str(self.gate), KEY, *arguments]
        self.processes = [
            subprocess.Popen(vector, stdout=subprocess.PIPE, text=True) for _ in range(number)
        ]

    def submit(self) -> list[str]:
        """Let them submit; return what they were told."""
        assert [self._line(process) for process in self.processes] == ["up\n"] * len(self.processes)
        self.gate.touch()
        return [self._line(process).strip() for process in self.processes]

    @staticmethod
    def _line(process: "subprocess.Popen[str]") -> str:
        assert process.stdout
        return process.stdout.readline()

    def kill(self) -> None:
        for process in self.processes:
            process.kill()
            process.communicate()


def kill_supervisor(compute: SubprocessCompute) -> None:
    kill_by(Run(compute.root / KEY).claim)


def kill_child(compute: SubprocessCompute) -> None:
    kill_by(Run(compute.root / KEY).child)


def kill_by(facts: Path, number: int = signal.SIGKILL) -> None:
    content = read_facts(facts)
    assert content
    os.kill(content["pid"], number)
    if number == signal.SIGKILL:
        eventually(lambda: not is_alive(content["pid"]), "death by KILL")


def is_vanished(status: JobStatus) -> bool:
    failed = (status.phase, status.exit_code) == (Phase.FAILED, None)
    return failed and status.message.startswith(VANISHED)


# The submitter dies


def test_submitter_killed_in_mid_run(compute: SubprocessCompute, bench: LocalBench) -> None:
    """A job outlives the process that submitted it; another one adopts it and sees it end, once."""
    go_on = bench.directory / "go-on"
    submitters = Submitters(
        compute, bench, f"while [ ! -e '{go_on}' ]; do sleep 0.01; done; echo done", 1
    )
    submitters.submit()
    await_running(compute, KEY, bench)

    submitters.kill()

    assert compute.status([KEY])[KEY].phase is Phase.RUNNING
    go_on.touch()
    assert await_end(compute, KEY, bench).phase is Phase.SUCCEEDED
    assert compute.log(KEY).text == "done\n"
    assert bench.starts(KEY) == 1


def test_two_submitters_at_once(compute: SubprocessCompute, bench: LocalBench) -> None:
    """Of processes that submit the same key at once, all are told the same, and it runs once."""
    submitters = Submitters(compute, bench, "sleep 0.2", 4)

    names = submitters.submit()

    assert len(set(names)) == 1
    assert await_end(compute, KEY, bench).phase is Phase.SUCCEEDED
    assert bench.starts(KEY) == 1
    submitters.kill()


def test_many_supervisors_at_once(compute: SubprocessCompute, bench: LocalBench) -> None:
    """Even supervisors started behind the engine's back agree on one; the others just leave."""
    with pytest.raises(UnavailableError):
        evolve(compute, python="/no/such/python").submit(bench.fails(KEY, 4))
    vector = [sys.executable, "-I", "-S", supervisor.__file__, str(compute.root / KEY)]

    rivals = [subprocess.Popen(vector) for _ in range(8)]

    assert [rival.wait() for rival in rivals] == [0] * 8
    assert compute.status([KEY])[KEY].exit_code == 4
    assert bench.starts(KEY) == 1
    assert not list((compute.root / KEY).glob("supervisor-*"))


def test_died_before_the_supervisor(
    compute: SubprocessCompute, crashed: SubprocessCompute, bench: LocalBench
) -> None:
    """A job that was written down but not started is queued, and starts once it is submitted again."""
    with pytest.raises(UnavailableError):
        crashed.submit(bench.succeeds(KEY))
    assert compute.status([KEY])[KEY].phase is Phase.QUEUED
    assert bench.starts(KEY) == 0

    compute.submit(bench.succeeds(KEY))

    assert await_end(compute, KEY, bench).phase is Phase.SUCCEEDED
    assert bench.starts(KEY) == 1


def test_status_starts_what_was_forgotten(
    compute: SubprocessCompute, crashed: SubprocessCompute, bench: LocalBench
) -> None:
    """If nobody submits it again, whoever asks for its status after a while starts it."""
    with pytest.raises(UnavailableError):
        crashed.submit(bench.succeeds(KEY))
    long_ago = time.time() - 11
    os.utime(compute.root / KEY / "job.json", (long_ago, long_ago))

    # A monitor that cannot start it either says so, and still tells of other jobs.
    found = crashed.status([KEY])[KEY]
    assert found.phase is Phase.QUEUED
    assert "/no/such/python" in found.message

    assert await_end(compute, KEY, bench).phase is Phase.SUCCEEDED
    assert bench.starts(KEY) == 1


def test_cancel_of_what_was_forgotten(
    compute: SubprocessCompute, crashed: SubprocessCompute, bench: LocalBench
) -> None:
    """A job canceled while it waits for a supervisor never starts."""
    with pytest.raises(UnavailableError):
        crashed.submit(bench.succeeds(KEY))

    compute.cancel(KEY)

    assert compute.status([KEY])[KEY].phase is Phase.CANCELED
    compute.submit(bench.succeeds(KEY))
    vector = [sys.executable, "-I", "-S", supervisor.__file__, str(compute.root / KEY)]
    subprocess.run(vector, check=True)
    assert compute.status([KEY])[KEY].phase is Phase.CANCELED
    assert bench.starts(KEY) == 0


# The supervisor dies


def test_supervisor_killed(compute: SubprocessCompute, bench: LocalBench) -> None:
    """Without its supervisor a job runs on; when it is gone it has failed, worth another try."""
    go_on = bench.directory / "go-on"
    compute.submit(bench.shell(KEY, f"while [ ! -e '{go_on}' ]; do sleep 0.01; done"))
    await_running(compute, KEY, bench)

    kill_supervisor(compute)

    assert compute.status([KEY])[KEY].phase is Phase.RUNNING
    compute.submit(bench.succeeds(KEY))
    go_on.touch()
    status = await_end(compute, KEY, bench)
    assert is_vanished(status)
    assert category_of(status.exit_code) is ErrorCategory.TRANSIENT
    assert bench.starts(KEY) == 1


def test_both_killed(compute: SubprocessCompute, bench: LocalBench) -> None:
    """A job killed with its supervisor has vanished; that stays, whatever is asked afterwards."""
    compute.submit(bench.runs_on(KEY))
    await_running(compute, KEY, bench)

    kill_supervisor(compute)
    kill_child(compute)

    status = compute.status([KEY])[KEY]
    assert is_vanished(status)
    compute.cancel(KEY)
    compute.submit(bench.runs_on(KEY))
    assert compute.status([KEY]) == {KEY: status}
    assert bench.starts(KEY) == 1


def test_cancel_after_vanishing(compute: SubprocessCompute, bench: LocalBench) -> None:
    """A job that vanished unseen before the cancel came has vanished: it was not canceled."""
    compute.submit(bench.runs_on(KEY))
    await_running(compute, KEY, bench)
    kill_supervisor(compute)
    kill_child(compute)

    compute.cancel(KEY)

    assert is_vanished(compute.status([KEY])[KEY])


def test_cancel_without_supervisor(compute: SubprocessCompute, bench: LocalBench) -> None:
    """A job that lost its supervisor is stopped all the same: TERM, then KILL, children too."""
    compute.submit(bench.stubborn(KEY))
    family = [bench.pid(KEY, "parent"), bench.pid(KEY, "child")]
    kill_supervisor(compute)

    compute.cancel(KEY)

    assert all(map(is_alive, family))
    assert await_end(compute, KEY, bench).phase is Phase.CANCELED
    assert not any(map(is_alive, family))


def test_time_limit_without_supervisor(compute: SubprocessCompute, bench: LocalBench) -> None:
    """A time limit holds for a job that lost its supervisor."""
    job = evolve(bench.stubborn(KEY), resources=Resources(time_limit=timedelta(seconds=1)))
    compute.submit(job)
    family = [bench.pid(KEY, "parent"), bench.pid(KEY, "child")]
    kill_supervisor(compute)
    assert compute.status([KEY])[KEY].phase is Phase.RUNNING

    assert is_vanished(await_end(compute, KEY, bench))
    assert not any(map(is_alive, family))


def test_children_that_outlive_both(compute: SubprocessCompute, bench: LocalBench) -> None:
    """A job has not ended before its last process is gone, with the lock or without."""
    # Python closes descriptors for its children: this one does not hold the lock.
    script = (
        "import os, subprocess, sys, time;"
        "child = subprocess.Popen(['sleep', '300'], start_new_session=True);"
        "open(sys.argv[1], 'w').write(f'{child.pid}\\n'); time.sleep(300)"
    )
    path = bench.directory / "ws-1-1-child.pid"
    compute.submit(python_job(KEY, script, str(path), directory=bench.directory))
    child = bench.pid(KEY, "child")

    kill_supervisor(compute)
    kill_child(compute)

    assert is_alive(child)
    assert compute.status([KEY])[KEY].phase is Phase.RUNNING
    assert is_vanished(await_end(compute, KEY, bench))
    assert not is_alive(child)


def test_supervisor_killed_while_somebody_looks(
    compute: SubprocessCompute, bench: LocalBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look that saw no child yet does not take the job for lost when its supervisor dies then."""
    script = (
        "import os, sys, time; os.closerange(3, 256);"  # as daemons do: the lock is gone with them
        "open(sys.argv[1], 'w').write(f'{os.getpid()}\\n'); time.sleep(300)"
    )
    path = bench.directory / "ws-1-1-job.pid"
    compute.submit(python_job(KEY, script, str(path), directory=bench.directory))
    job = bench.pid(KEY, "job")
    run = Run(compute.root / KEY)

    def read_too_soon(file: Path) -> dict[str, Any] | None:
        if file != run.child or not is_alive(supervising):
            return read_facts(file)
        kill_supervisor(compute)
        return None

    claim = read_facts(run.claim)
    assert claim
    supervising = claim["pid"]
    with monkeypatch.context() as patch:
        patch.setattr(supervisor, "read_facts", read_too_soon)
        assert compute.status([KEY])[KEY].phase is Phase.RUNNING

    assert not is_alive(supervising)
    assert is_alive(job)
    assert compute.status([KEY])[KEY].phase is Phase.RUNNING


def test_children_without_a_head(compute: SubprocessCompute, bench: LocalBench) -> None:
    """What is left of a job that lost both its first process and its supervisor is ended."""
    compute.submit(bench.stubborn(KEY))
    child = bench.pid(KEY, "child")

    kill_supervisor(compute)
    kill_child(compute)

    assert is_vanished(await_end(compute, KEY, bench))
    assert not is_alive(child)


def test_reused_number(compute: SubprocessCompute, bench: LocalBench) -> None:
    """A process that has come by the number of a job's process is left alone."""
    compute.submit(bench.runs_on(KEY))
    await_running(compute, KEY, bench)
    run = Run(compute.root / KEY)
    kill_supervisor(compute)
    innocent = subprocess.Popen(["/bin/sleep", "300"], start_new_session=True)
    child = read_facts(run.child)
    assert child
    run.child.unlink()
    supervisor.write_once(run.child, child | {"pid": innocent.pid})

    compute.cancel(KEY)

    assert await_end(compute, KEY, bench).phase is Phase.CANCELED
    assert not is_alive(child["pid"])
    assert innocent.poll() is None
    innocent.kill()
    innocent.wait()


@pytest.mark.parametrize("proc", [True, False])
def test_processes_told_apart(proc: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """With /proc or with ps, a process is told from others, and its group can be ended."""
    monkeypatch.setattr(supervisor, "_HAS_PROC", proc)
    process = subprocess.Popen(["/bin/sleep", "300"], start_new_session=True)
    first = supervisor.identity(process.pid)

    assert first
    assert supervisor.identity(process.pid) == first
    assert supervisor.processes(b"NO=MARK", process.pid) == {process.pid}
    assert supervisor.processes(b"NO=MARK", None) == set()
    assert supervisor.send(signal.SIGTERM, b"NO=MARK", process.pid)
    eventually(lambda: supervisor.identity(process.pid) is None, "death, though a zombie is left")
    assert process.wait() == -signal.SIGTERM
    assert supervisor.identity(process.pid) is None
    assert not supervisor.send(signal.SIGTERM, b"NO=MARK", process.pid)


# The machine goes down


def test_supervisor_terminated(compute: SubprocessCompute, bench: LocalBench) -> None:
    """A supervisor told to end stops its job and says that it was no fault of the job's."""
    compute.submit(bench.stubborn(KEY))
    family = [bench.pid(KEY, "parent"), bench.pid(KEY, "child")]

    kill_by(Run(compute.root / KEY).claim, signal.SIGTERM)

    status = await_end(compute, KEY, bench)
    assert (status.phase, status.exit_code) == (Phase.FAILED, None)
    assert "shutting down" in status.message
    assert not any(map(is_alive, family))


def test_job_terminated_first(compute: SubprocessCompute, bench: LocalBench) -> None:
    """At a shutdown the job may die first: its exit code then says nothing about it."""
    compute.submit(bench.shell(KEY, "trap 'exit 1' TERM; while :; do sleep 0.01; done"))
    await_running(compute, KEY, bench)
    run = Run(compute.root / KEY)
    child = read_facts(run.child)
    assert child

    # Held while the job dies, the supervisor learns of both at the same moment.
    kill_by(run.claim, signal.SIGSTOP)
    kill_by(run.child, signal.SIGTERM)
    eventually(lambda: not is_alive(child["pid"]), "the job's own end")
    kill_by(run.claim, signal.SIGTERM)
    kill_by(run.claim, signal.SIGCONT)

    status = await_end(compute, KEY, bench)
    assert (status.phase, status.exit_code) == (Phase.FAILED, None)


def test_job_terminated_alone(compute: SubprocessCompute, bench: LocalBench) -> None:
    """A job that somebody ended, while the machine stays up, has its own exit code."""
    compute.submit(bench.runs_on(KEY))
    await_running(compute, KEY, bench)

    kill_by(Run(compute.root / KEY).child, signal.SIGTERM)

    status = await_end(compute, KEY, bench)
    assert (status.phase, status.exit_code) == (Phase.FAILED, 143)


def test_terminal_closed(compute: SubprocessCompute, bench: LocalBench) -> None:
    """A hang-up or a Ctrl-C that reaches the supervisor means nothing to it."""
    go_on = bench.directory / "go-on"
    compute.submit(bench.shell(KEY, f"while [ ! -e '{go_on}' ]; do sleep 0.01; done"))
    await_running(compute, KEY, bench)

    for number in (signal.SIGHUP, signal.SIGINT):
        kill_by(Run(compute.root / KEY).claim, number)

    go_on.touch()
    assert await_end(compute, KEY, bench).phase is Phase.SUCCEEDED
