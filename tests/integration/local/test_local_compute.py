"""The subprocess engine on real processes: the contract, and what it adds to it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
from attrs import evolve
from tests.integration.local.local_compute_bench import (
    LocalBench,
    end_all,
    eventually,
    is_alive,
    kin,
    python_job,
)

from daylily.adapters.local import supervisor
from daylily.adapters.local.compute import SubprocessCompute
from daylily.domain.errors import InvalidInputError, RejectedError, UnavailableError
from daylily.domain.pipelines import Resources
from daylily.domain.workset import Progress
from daylily.ports.compute import Compute, Job, JobStatus, Phase
from daylily.testing.contracts.compute import KEY, Bench, ComputeContract, await_end, await_running


@pytest.fixture
def compute(tmp_path: Path) -> Iterator[SubprocessCompute]:
    yield SubprocessCompute(root=tmp_path / "jobs", grace=timedelta(seconds=0.3))
    end_all(tmp_path)


@pytest.fixture
def bench(compute: SubprocessCompute, tmp_path: Path) -> LocalBench:
    directory = tmp_path / "workset"
    directory.mkdir()
    return LocalBench(compute=compute, directory=directory)


class TestSubprocessCompute(ComputeContract):
    """The subprocess engine keeps every promise of the port."""

    @pytest.fixture
    def compute(self, tmp_path: Path) -> Iterator[Compute]:
        yield SubprocessCompute(root=tmp_path / "jobs")
        end_all(tmp_path)

    @pytest.fixture
    def bench(self, compute: Compute, tmp_path: Path) -> Bench:
        assert isinstance(compute, SubprocessCompute)
        directory = tmp_path / "workset"
        directory.mkdir()
        return LocalBench(compute=compute, directory=directory)


def run(compute: SubprocessCompute, bench: LocalBench, job: Job) -> JobStatus:
    """Run a job to its end."""
    compute.submit(job)
    return await_end(compute, job.key, bench)


# What reaches the job


def test_arguments_arrive_unchanged(compute: SubprocessCompute, bench: LocalBench) -> None:
    """No shell reads an argument: blanks, quotes, dollars, line ends and stray bytes are just text."""
    weird = [
        "",
        " a  b ",
        "'\"`",
        "$(touch pwned)",
        "; rm -rf x",
        "a\nb\r\t",
        "*",
        "-n",
        "\udcff",
        "\\",
        "é人",
    ]
    script = "import json, sys; print(json.dumps(sys.argv[1:]))"

    run(compute, bench, python_job(KEY, script, *weird, directory=bench.directory))

    assert json.loads(compute.log(KEY).text) == weird
    assert not list(bench.directory.iterdir())


def test_environment(tmp_path: Path, compute: SubprocessCompute, bench: LocalBench) -> None:
    """A job sees its own variables and harmless ones of the server, and none that may be a secret."""
    server = {
        "PATH": "/usr/bin:/bin", "HOME": "/home/lab", "LANG": "C.UTF-8", "TMPDIR": "/scratch",
        "AWS_SECRET_ACCESS_KEY": "s3cret", "LINEAR_API_KEY": "s3cret", "DAYLILY_TOKEN_KEY": "s3cret",
        "DAYLILY_API_TOKENS": "s3cret", "PYTHONPATH": "s3cret",
    }  # fmt: skip
    careful = evolve(compute, environment=server)
    script = "import json, os; print(json.dumps(dict(os.environ)))"
    job = python_job(KEY, script, directory=bench.directory)

    run(careful, bench, evolve(job, environment={"SAMPLE": "HG002", "LANG": "de_DE.UTF-8"}))

    seen = json.loads(compute.log(KEY).text)
    assert seen.pop("LC_CTYPE", "C.UTF-8") == "C.UTF-8"  # set by Python itself, for the C locale
    assert seen == {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": "/home/lab",
        "TMPDIR": "/scratch",
        "LANG": "de_DE.UTF-8",
        "SAMPLE": "HG002",
        "DAYLILY_ATTEMPT": KEY,
        "DAYLILY_PROGRESS": str(tmp_path / "jobs/ws-1/1/progress.json"),
    }


def test_no_input_and_own_group(compute: SubprocessCompute, bench: LocalBench) -> None:
    """A job reads nothing, leads a session of its own, and starts in its directory."""
    script = "import os, sys; print(repr(sys.stdin.read()), os.getsid(0) == os.getpid(), os.getcwd())"

    run(compute, bench, python_job(KEY, script, directory=bench.directory))

    assert compute.log(KEY).text == f"'' True {bench.directory}\n"


@pytest.mark.parametrize("directory", ["s3://bucket/worksets/ws-1", "worksets/ws-1", "/no/such/place"])
def test_directory_elsewhere(compute: SubprocessCompute, bench: LocalBench, directory: str) -> None:
    """A job whose directory is not of this machine starts in its run directory."""
    run(compute, bench, evolve(bench.shell(KEY, "pwd"), directory=directory))

    assert compute.log(KEY).text == f"{compute.root / KEY}\n"


def test_job_inherits_nothing_but_its_lock(compute: SubprocessCompute, bench: LocalBench) -> None:
    """Of open files a job has its three streams and the claim, and no signal is ignored or blocked."""
    script = """
import json, os, signal
links = []
for number in os.listdir("/proc/self/fd"):
    try:
        links.append(os.readlink(f"/proc/self/fd/{number}").rpartition("/")[2])
    except FileNotFoundError:  # the listing's own
        pass
print(json.dumps(sorted(links)))
usual = [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGCHLD, signal.SIGPIPE]
print([one.name for one in usual if signal.getsignal(one) == signal.SIG_IGN])
print(signal.pthread_sigmask(signal.SIG_BLOCK, []))
"""

    run(compute, bench, python_job(KEY, script, directory=bench.directory))

    files, ignored, blocked = compute.log(KEY).text.splitlines()
    claim, *streams = sorted(json.loads(files), key=lambda name: not name.startswith("supervisor-"))
    assert claim.startswith("supervisor-")
    assert streams == ["log", "log", "null"]
    # Python ignores SIGPIPE by itself.
    assert (ignored, blocked) == ("['SIGPIPE']", "set()")


# What cannot run


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        ((), {}),
        (("",), {}),
        (("no-such-program-here",), {}),
        (("/no/such/program",), {}),
        (("./missing",), {}),
        (("/etc/passwd",), {}),
        (("/usr",), {}),
        (("sh",), {"PATH": "/nowhere"}),
        (("sh", "-c", "a\0b"), {}),
        (("sh",), {"A=B": "x"}),
        (("sh",), {"": "x"}),
        (("sh",), {"A": "x\0"}),
    ],
)
def test_rejected(
    compute: SubprocessCompute,
    bench: LocalBench,
    arguments: tuple[str, ...],
    environment: dict[str, str],
) -> None:
    """What can never run is refused, and leaves nothing on disk."""
    job = Job(key=KEY, arguments=arguments, directory=str(bench.directory), environment=environment)

    with pytest.raises(RejectedError):
        compute.submit(job)

    assert not list(compute.root.iterdir())


def test_program_beside_the_job(compute: SubprocessCompute, bench: LocalBench) -> None:
    """A program may be given relative to the job's directory."""
    program = bench.directory / "step.sh"
    program.write_text("#!/bin/sh\necho here\n")
    program.chmod(0o755)

    run(compute, bench, Job(key=KEY, arguments=("./step.sh",), directory=str(bench.directory)))

    assert compute.log(KEY).text == "here\n"


def test_program_that_does_not_start(compute: SubprocessCompute, bench: LocalBench) -> None:
    """A file that is executable but no program fails with exit code 126 and says why."""
    program = bench.directory / "step"
    program.write_bytes(b"\x7fnot a program")
    program.chmod(0o755)

    status = run(compute, bench, Job(key=KEY, arguments=(str(program),), directory=""))

    assert (status.phase, status.exit_code) == (Phase.FAILED, 126)
    assert "could not be started" in status.message


@pytest.mark.parametrize("key", ["../x/1", "aaa/../1", "aaa/bbb/1", "aaa/1/..", "/etc/1", "aaa/."])
def test_keys_do_not_escape(compute: SubprocessCompute, bench: LocalBench, key: str) -> None:
    """A key that would lead elsewhere is refused before anything is touched."""
    with pytest.raises(InvalidInputError):
        compute.submit(bench.succeeds(key))
    with pytest.raises(InvalidInputError):
        compute.cancel(key)

    assert not list(compute.root.iterdir())


# How it ends


def test_time_limit(compute: SubprocessCompute, bench: LocalBench) -> None:
    """A job over its time limit is stopped, TERM or no TERM, and the message says so."""
    limit = Resources(time_limit=timedelta(seconds=0.4))

    status = run(compute, bench, evolve(bench.stubborn(KEY), resources=limit))

    assert (status.phase, status.exit_code) == (Phase.FAILED, 124)
    assert status.message.startswith("time limit of 0:00:00.400000 reached")
    assert not is_alive(bench.pid(KEY, "parent"))
    assert not is_alive(bench.pid(KEY, "child"))


def test_message_is_fit_for_people(compute: SubprocessCompute, bench: LocalBench) -> None:
    """
    The message has the last 20 lines, without colours, control characters or broken text.

    The very last is told first, and once.
    """
    script = r"for i in $(seq 1 30); do printf 'line %d\n' $i; done; "
    script += r"printf '\033[31mred\033[0m \007\377 10%%\r 99%%\n' >&2; exit 9"

    status = run(compute, bench, bench.shell(KEY, script))

    lines = status.message.split("\n")
    assert lines[:2] == ["exit code 9: 99%", "line 12"]
    assert lines[-1] == "line 30"
    assert len(lines) == 20


def test_killed_by_a_signal(compute: SubprocessCompute, bench: LocalBench) -> None:
    """A job killed by a signal has 128 and its number as exit code, as shells have it."""
    status = run(compute, bench, bench.shell(KEY, "kill -KILL $$"))

    assert (status.phase, status.exit_code) == (Phase.FAILED, 137)
    assert "SIGKILL" in status.message


def test_children_may_finish_their_words(compute: SubprocessCompute, bench: LocalBench) -> None:
    """What a child writes just after the job's first process has ended is not lost."""
    status = run(compute, bench, bench.shell(KEY, "(sleep 0.05; echo late) & exit 0"))

    assert status.phase is Phase.SUCCEEDED
    assert compute.log(KEY).text == "late\n"


def test_what_a_job_leaves_behind(compute: SubprocessCompute, bench: LocalBench) -> None:
    """Once a job has ended nothing of it runs, not even what left its process group."""
    script = "setsid sleep 300 & sleep 300 & trap '' TERM; sleep 300 & exit 0"

    status = run(compute, bench, bench.shell(KEY, script))

    assert (status.phase, status.exit_code) == (Phase.SUCCEEDED, 0)
    marks = [process for process in psutil.process_iter(["environ"]) if _has_mark(process, compute)]
    assert marks == []


def _has_mark(process: psutil.Process, compute: SubprocessCompute) -> bool:
    progress = (process.info["environ"] or {}).get("DAYLILY_PROGRESS", "")
    return progress.startswith(str(compute.root)) and is_alive(process.pid)


def test_cancel_of_the_stubborn(compute: SubprocessCompute, bench: LocalBench) -> None:
    """A job that ignores TERM is killed after the grace, with its children."""
    compute.submit(bench.stubborn(KEY))
    family = [bench.pid(KEY, "parent"), bench.pid(KEY, "child")]
    assert all(map(is_alive, family))

    compute.cancel(KEY)

    assert await_end(compute, KEY, bench).phase is Phase.CANCELED
    assert not any(map(is_alive, family))


def test_cancel_races_the_end(compute: SubprocessCompute, bench: LocalBench) -> None:
    """Whichever comes first, cancel or end: the outcome is one of the two, and stays."""
    keys = [f"ws-{number}/1" for number in range(100, 120)]

    def race(key: str) -> None:
        compute.submit(bench.shell(key, "sleep 0.02"))
        compute.cancel(key)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(race, keys))
    for key in keys:
        await_end(compute, key, bench)

    first = compute.status(keys)
    assert {status.phase for status in first.values()} <= {Phase.SUCCEEDED, Phase.CANCELED}
    for key in keys:
        compute.cancel(key)
    assert compute.status(keys) == first


# Progress and log


def test_progress(compute: SubprocessCompute, bench: LocalBench) -> None:
    """What a job writes to the file named by DAYLILY_PROGRESS is its progress."""
    script = (
        'echo \'{"done": 2, "total": 8, "message": "HG002"}\' > "$DAYLILY_PROGRESS"; exec sleep 300'
    )
    compute.submit(bench.shell(KEY, script))

    def told() -> bool:
        return compute.status([KEY])[KEY].progress == Progress(2, 8, "HG002")

    eventually(told, "progress")


GARBAGE = [
    b"", b"{", b'{"done": 1, "tot', b"\xff\xfe", b"null", b"[1, 2]", b'{"done": 1}',
    b'{"done": "1", "total": 2}', b'{"done": true, "total": 2}', b'{"done": -1, "total": 2}',
    b'{"done": 1.5, "total": 2}', b'{"done": 1, "total": 2, "message": 3}', b"[" * 60000,
    b'{"done": 1, "total": ' + b"9" * 5000 + b"}", b'{"done": 1, "total": 1e999}',
    b" " * 10**6 + b'{"done": 1, "total": 2}',
]  # fmt: skip


def test_garbage_progress(compute: SubprocessCompute, bench: LocalBench) -> None:
    """Progress that makes no sense is no progress; the job's status is told all the same."""
    compute.submit(bench.runs_on(KEY))
    await_running(compute, KEY, bench)
    path = compute.root / KEY / "progress.json"

    for content in GARBAGE:
        path.write_bytes(content)
        status = compute.status([KEY])[KEY]
        assert (status.phase, status.progress) == (Phase.RUNNING, None), content[:40]

    path.unlink()
    os.mkfifo(path)
    assert compute.status([KEY])[KEY].progress is None
    path.unlink()
    path.mkdir()
    assert compute.status([KEY])[KEY].progress is None


def test_log_holds_back_half_a_character(compute: SubprocessCompute, bench: LocalBench) -> None:
    """Of a character that is only half written, nothing is shown until the rest is there."""
    go_on = bench.directory / "go-on"
    script = r"""printf 'a\303'; while [ ! -e "$1" ]; do sleep 0.01; done; printf '\251b\303'"""
    compute.submit(bench.shell(KEY, script, str(go_on)))
    eventually(lambda: compute.log(KEY).text == "a", "the first letter")
    first = compute.log(KEY)
    assert (first.offset, first.ended) == (1, False)

    go_on.touch()
    await_end(compute, KEY, bench)

    # What never became a character is replaced, so that the end is reached.
    rest = compute.log(KEY, offset=first.offset)
    assert (rest.text, rest.offset, rest.ended) == ("\u00e9b\ufffd", 5, True)


def test_both_streams_in_order(compute: SubprocessCompute, bench: LocalBench) -> None:
    """Standard output and error are one log, in the order of writing."""
    run(compute, bench, bench.shell(KEY, "echo 1; echo 2 >&2; echo 3; echo 4 >&2"))

    assert compute.log(KEY).text == "1\n2\n3\n4\n"


# Outages and resources


def test_root_that_is_no_directory(tmp_path: Path) -> None:
    """A root that cannot be is told at once."""
    (tmp_path / "file").touch()

    with pytest.raises(UnavailableError):
        SubprocessCompute(root=tmp_path / "file" / "jobs")


def test_many_jobs_leave_nothing(tmp_path: Path, compute: SubprocessCompute, bench: LocalBench) -> None:
    """After 200 jobs there is no zombie, no open file and no process more than before."""
    me = psutil.Process()
    before, older = me.num_fds(), set(me.children())
    keys = [f"ws-{number}/1" for number in range(100, 300)]

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda key: compute.submit(bench.succeeds(key)), keys))

    def all_ended() -> bool:
        found = compute.status(keys)
        return len(found) == len(keys) and all(status.ended for status in found.values())

    eventually(all_ended, "the end of all jobs")
    assert {status.phase for status in compute.status(keys).values()} == {Phase.SUCCEEDED}
    assert [key for key in keys if bench.starts(key) != 1] == []
    eventually(lambda: not kin(tmp_path), "the end of all supervisors")
    eventually(lambda: not set(me.children()) - older, "the reaping of all children")
    assert me.num_fds() == before


def test_supervisor_needs_only_the_standard_library() -> None:
    """The supervisor imports nothing that could be missing or slow, and nothing of Daylily."""
    script = (
        "import runpy, sys; runpy.run_path(sys.argv[1], run_name='x');"
        "print([m for m in sys.modules if m.partition('.')[0] not in sys.stdlib_module_names])"
    )

    vector = [sys.executable, "-I", "-S", "-c", script, supervisor.__file__]
    done = subprocess.run(vector, capture_output=True, text=True, check=True)

    assert done.stdout == "['__main__']\n"
