"""What a container does: the work, if it was elected for it, and else nothing."""

import io
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field

from daylily.adapters.aws import batch_job
from daylily.adapters.aws.batch_job import INDEX, JOB, Command, Teller, main, perform
from daylily.adapters.aws.batch_records import Elected, Records
from daylily.adapters.memory.object_store import InMemoryObjectStore
from daylily.domain.errors import NotFoundError, UnavailableError
from daylily.domain.retry import INFRASTRUCTURE
from daylily.domain.workset import Progress
from daylily.ports.compute import Job, Task

KEY = "ws-1/1"
AT = datetime(2026, 11, 24, 8, 15, 10, tzinfo=UTC)


@pytest.fixture
def records() -> Records:
    """Return records of nothing."""
    return Records(InMemoryObjectStore(), "batch/")


@define
class Container:
    """Runs what a container runs."""

    records: Records
    output: io.BytesIO = field(factory=io.BytesIO)

    def run(self, job: Job, name: str = "job-1", **environment: str) -> int:
        """Do a job under a name of Batch's; return the exit code."""
        order = self.records.put_order(job)
        told = {"PATH": os.environ["PATH"], JOB: name, **environment}
        return perform(self.records, KEY, order, told, Command(self.output))


def says(text: str, code: int = 0) -> Job:
    """Return a job that writes a line."""
    script = f"import sys; print({text!r}); sys.exit({code})"
    return Job(key=KEY, arguments=(sys.executable, "-c", script), directory="s3://bucket/ws-1/")


def test_the_first_is_elected(records: Records, capfd: pytest.CaptureFixture[str]) -> None:
    """A job that nobody has elected elects itself; a second one ends well, and does nothing."""
    first, second = Container(records), Container(records)

    assert first.run(says("hello", 3)) == 3
    assert second.run(says("hello", 3), "job-2") == 0

    assert first.output.getvalue() == b"hello\n"
    assert second.output.getvalue() == b""
    assert "job-1 is to run, not job-2" in capfd.readouterr().err
    ending = records.ending(KEY)
    assert ending is not None
    assert (ending.exit_code, ending.tail) == (3, "hello\n")


def test_canceled_before(records: Records) -> None:
    """What was canceled before it started does not run."""
    records.elect(KEY, Elected(job="", at=AT))
    container = Container(records)

    assert container.run(says("hello")) == 0
    assert container.output.getvalue() == b""


def test_a_child_does_its_own_task(records: Records) -> None:
    """Each child of an array does the task of its number, and leaves its own ending."""
    tasks = tuple(Task(name=name, arguments=says(name, 5).arguments) for name in "AB")
    container = Container(records)

    code = container.run(Job(key=KEY, tasks=tasks, directory=""), "job-1:1", **{INDEX: "1"})

    assert code == 5
    assert container.output.getvalue() == b"B\n"
    assert records.ending(KEY, 0) is None
    ending = records.ending(KEY, 1)
    assert ending is not None
    assert ending.exit_code == 5


def test_progress_is_passed_on(records: Records, tmp_path: Path) -> None:
    """What a command writes of its progress is in the bucket soon; a task of several says none."""
    script = (
        "import os, sys, time;"
        "file = open(os.environ['DAYLILY_PROGRESS'], 'w');"
        'file.write(\'{"done": 1, "total": 3, "message": "align"}\'); file.close();'
        "exec('while not os.path.exists(sys.argv[1]): time.sleep(0.01)')"
    )
    seen = tmp_path / "seen"
    job = Job(key=KEY, arguments=(sys.executable, "-c", script, str(seen)), directory="")
    order, told = records.put_order(job), {"PATH": os.environ["PATH"], JOB: "job-1"}
    command = Command(io.BytesIO())
    work = threading.Thread(target=perform, args=(records, KEY, order, told, command, 0.01))
    work.start()
    while records.progress(KEY) != Progress(1, 3, "align"):
        assert work.is_alive()
        work.join(0.01)

    seen.touch()

    work.join()
    assert records.ending(KEY)
    tell = "import os, sys; sys.exit('DAYLILY_PROGRESS' in os.environ)"
    task = Task(name="A", arguments=(sys.executable, "-c", tell))
    other = Container(Records(InMemoryObjectStore(), "batch/"))
    assert other.run(Job(key=KEY, tasks=(task,), directory="")) == 0


def test_progress_that_cannot_be_passed_on(tmp_path: Path) -> None:
    """The work goes on without, and what is not news is told once."""
    store = Broken(what="progress")
    teller = Teller(Records(store, "batch/"), KEY, tmp_path / "progress")
    teller.tell()
    (tmp_path / "progress").write_text('{"done": 1, "total": 3}')
    teller.tell()
    assert teller.records.progress(KEY) is None

    store.what = "nothing"
    teller.tell()
    assert teller.records.progress(KEY) == Progress(1, 3)
    store.what = "progress"
    teller.tell()
    assert teller.records.progress(KEY) == Progress(1, 3)


def test_a_stopped_job_tells_nothing(records: Records) -> None:
    """Who stopped it knows why: a job that was told to end leaves that to Batch."""
    command = Command(io.BytesIO())
    order = records.put_order(
        Job(key=KEY, arguments=("sh", "-c", "echo up; exec sleep 60"), directory="")
    )
    environment = {"PATH": os.environ["PATH"], JOB: "job-1"}
    codes: list[int] = []
    work = threading.Thread(
        target=lambda: codes.append(perform(records, KEY, order, environment, command))
    )
    work.start()
    while not command.tail:
        work.join(0.005)

    command.stop()

    work.join()
    assert codes == [143]
    assert records.ending(KEY) is None


def test_batch_stops_its_container(
    records: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TERM, by which Batch stops a container, reaches the command with all that it has started."""
    up = tmp_path / "up"
    script = 'sh -c "trap : TERM; sleep 60" & echo $! > "$1.part"; mv "$1.part" "$1"; wait'
    job = Job(key=KEY, arguments=("sh", "-c", script, "sh", str(up)), directory="")
    order = records.put_order(job)
    monkeypatch.setattr(batch_job, "_records", lambda _: records)
    monkeypatch.setenv(JOB, "job-1")
    before = signal.getsignal(signal.SIGTERM)

    def stop() -> None:
        while not up.exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    stopper = threading.Thread(target=stop)
    stopper.start()
    try:
        code = main(["--records", "s3://b/f", "--key", KEY, "--order", order])
    finally:
        signal.signal(signal.SIGTERM, before)
        stopper.join()

    assert code == 143
    assert records.ending(KEY) is None


def test_stopped_before_it_started(records: Records) -> None:
    """A job that is told to end while it looks around starts nothing."""
    command = Command(io.BytesIO())
    command.stop()

    assert command.run(says("hello").arguments, "", {}) == 143
    assert command.output.getvalue() == b""  # type: ignore[attr-defined]


def test_outside_of_batch(records: Records, capfd: pytest.CaptureFixture[str]) -> None:
    """It is of no use elsewhere, and says so."""
    assert perform(records, KEY, "", {}, Command(io.BytesIO())) == 64
    assert "AWS_BATCH_JOB_ID is not set" in capfd.readouterr().err


@define
class Broken(InMemoryObjectStore):
    """A bucket that does not take what is put there."""

    what: str = ""

    def put(self, key: str, *args: Any, **options: Any) -> Any:
        if self.what in key:
            raise UnavailableError("s3 does not answer")
        return super().put(key, *args, **options)


def test_the_bucket_does_not_answer(capfd: pytest.CaptureFixture[str]) -> None:
    """Then nothing is run, it is worth another try, and the job is not to blame."""
    container = Container(Records(Broken(what="elected"), "batch/"))

    assert container.run(says("hello")) == INFRASTRUCTURE
    assert container.output.getvalue() == b""
    assert "s3 does not answer" in capfd.readouterr().err


def test_the_ending_cannot_be_written(capfd: pytest.CaptureFixture[str]) -> None:
    """The exit code is the command's all the same: Batch tells it too."""
    container = Container(Records(Broken(what="ended"), "batch/"))

    assert container.run(says("hello", 5)) == 5
    assert "cannot be written down" in capfd.readouterr().err


def test_long_lines_and_odd_bytes(records: Records, tmp_path: Path) -> None:
    """What it writes is passed on as it is; the tail of it is text."""
    container = Container(records)
    script = "import sys; sys.stdout.buffer.write(b'\\xff' + b'x' * 10000 + b'\\nend')"

    container.run(Job(key=KEY, arguments=(sys.executable, "-c", script), directory=str(tmp_path)))

    assert container.output.getvalue() == b"\xff" + b"x" * 10000 + b"\nend"
    ending = records.ending(KEY)
    assert ending is not None
    assert ending.tail.endswith("x\nend")


@pytest.mark.parametrize("place", ["", "batch/", "s3://", "s3://bucket", "file:///etc"])
def test_no_place_for_records(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A command line that makes no sense is exit code 64, and says what it should be."""
    assert main(["--records", place, "--key", KEY, "--order", "abc"]) == 64
    assert "is not s3://bucket/folder" in capsys.readouterr().err


def test_an_order_that_is_gone(records: Records, capfd: pytest.CaptureFixture[str]) -> None:
    """Without its order a job does nothing."""
    assert perform(records, KEY, "abc", {JOB: "job-1"}, Command(io.BytesIO())) == INFRASTRUCTURE
    assert "there is no order abc" in capfd.readouterr().err
    with pytest.raises(NotFoundError):
        records.order(KEY, "abc")


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b"null", b'{"job": 1}', b"\xff"])
@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("elected.json", lambda records: records.elected(KEY)),
        ("order-abc.json", lambda records: records.order(KEY, "abc")),
        ("ended.json", lambda records: records.ending(KEY)),
    ],
)
def test_a_damaged_record(
    records: Records, name: str, read: Callable[[Records], object], text: bytes
) -> None:
    """A record that makes no sense tells nothing of any job: it is an outage, and no absence."""
    records.objects.put(f"batch/{KEY}/{name}", text)

    with pytest.raises(UnavailableError):
        read(records)


def test_a_record_is_kept(records: Records) -> None:
    """What was settled first stays, whoever comes later."""
    first = records.elect(KEY, Elected(job="job-1", order="abc", at=AT))

    assert records.elect(KEY, Elected(job="job-2", order="abc", at=AT)) == first
    assert records.elected(KEY) == first
