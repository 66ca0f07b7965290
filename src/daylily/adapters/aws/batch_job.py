"""
What runs in a container of AWS Batch: the job that was elected for an attempt does what was ordered.

``python3 -m daylily.adapters.aws.batch_job --records s3://bucket/folder --key ID/ATTEMPT --order NAME``
is the command of every job that Daylily submits. A job that was not elected ends at once, and well. One
that ends by itself says so in the bucket; one that is stopped, or whose machine is, says nothing.
"""

import argparse
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Final, Self

from attrs import define, field

from daylily.adapters.aws.batch_records import PROGRESS_MOST, Elected, Ending, Records
from daylily.adapters.aws.clients import Clients
from daylily.adapters.aws.s3 import S3ObjectStore
from daylily.domain.errors import DaylilyError
from daylily.domain.retry import INFRASTRUCTURE
from daylily.ports.compute import Task

JOB: Final = "AWS_BATCH_JOB_ID"
INDEX: Final = "AWS_BATCH_JOB_ARRAY_INDEX"

_TAIL_LINES: Final = 20
_LONGEST_LINE: Final = 4000
_LAST_WORD: Final = 10.0
"""Seconds for what a command has left running to close its output."""
_USAGE: Final = 64
_STOPPED: Final = 128 + signal.SIGTERM


@define
class Command:
    """
    One command, whose output is passed on and whose last lines are kept.

    Args:
        output: Where what it writes goes.
    """

    output: IO[bytes]
    stopped: bool = field(init=False, default=False)
    tail: deque[bytes] = field(init=False, factory=lambda: deque(maxlen=_TAIL_LINES))
    _process: "subprocess.Popen[bytes] | None" = field(init=False, default=None)

    def run(self, arguments: Sequence[str], directory: str, environment: Mapping[str, str]) -> int:
        """Run it, and return its exit code."""
        if self.stopped:
            return _STOPPED
        try:
            process = subprocess.Popen(
                arguments,
                cwd=directory if os.path.isdir(directory) else None,  # noqa: PTH112
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            self._say(f"cannot be started: {error}\n".encode())
            return 127
        self._process = process
        self._stop_late()
        reader = threading.Thread(target=self._pass_on, args=(process.stdout,), daemon=True)
        reader.start()
        code = process.wait()
        reader.join(_LAST_WORD)
        return 128 - code if code < 0 else code

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Send a signal to all its processes."""
        self.stopped = True
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def _stop_late(self) -> None:
        # The signal may have come between the look and the start.
        if self.stopped:
            self.stop()

    def _pass_on(self, source: IO[bytes]) -> None:
        with source:
            for line in iter(lambda: source.readline(_LONGEST_LINE), b""):
                self._say(line)

    def _say(self, line: bytes) -> None:
        self.tail.append(line)
        self.output.write(line)
        self.output.flush()


@define
class Teller:
    """Passes on what a command writes of its progress, now and then, and whenever it has changed."""

    records: Records
    key: str
    path: Path
    interval: float = 10.0
    _over: threading.Event = field(init=False, factory=threading.Event)
    _told: bytes = field(init=False, default=b"")

    def __enter__(self) -> Self:
        thread = threading.Thread(target=self._tell_on, daemon=True)
        thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def _tell_on(self) -> None:
        while not self._over.wait(self.interval):
            self.tell()

    def tell(self) -> None:
        """Pass on what has been written, if it is news; the work does not depend on it."""
        with suppress(OSError, DaylilyError):
            with self.path.open("rb") as file:
                told = file.read(PROGRESS_MOST)
            if told != self._told:
                self.records.put_progress(self.key, told)
                self._told = told


def perform(
    records: Records,
    key: str,
    order: str,
    environment: Mapping[str, str],
    command: Command,
    interval: float = 10.0,
) -> int:
    """
    Do what was ordered if this job was elected for it; return the exit code.

    Args:
        environment: That of the process, in which Batch tells a job its name.
        interval: Seconds between two looks at how far it is.
    """
    job, _, _ = environment.get(JOB, "").partition(":")
    if not job:
        return _say(f"{JOB} is not set: this is for jobs of AWS Batch", _USAGE)
    index = int(environment[INDEX]) if INDEX in environment else None
    try:
        elected = records.elect(key, Elected(job=job, order=order, at=datetime.now(UTC)))
        if elected.job != job:
            return _say(
                f"{key}: {elected.job or 'none, since it was canceled,'} is to run, not {job}", 0
            )
        ordered = records.order(key, order)
    except DaylilyError as error:
        return _say(f"{key} cannot be run: {error}", INFRASTRUCTURE)
    tasks = ordered.tasks or (Task(name="", arguments=ordered.arguments),)
    arguments = tasks[index or 0].arguments
    ours = {**environment, **ordered.environment, "DAYLILY_ATTEMPT": key}
    started_at = datetime.now(UTC)
    if ordered.tasks:  # each would have its own word on progress, and write over the others'
        code = command.run(arguments, ordered.directory, ours)
    else:
        with TemporaryDirectory(prefix="daylily-") as folder:
            path = Path(folder, "progress.json")
            with Teller(records, key, path, interval):
                told = {**ours, "DAYLILY_PROGRESS": str(path)}
                code = command.run(arguments, ordered.directory, told)
    if command.stopped:
        return code
    ending = Ending(
        exit_code=code,
        started_at=started_at,
        ended_at=datetime.now(UTC),
        tail=b"".join(command.tail).decode(errors="replace"),
    )
    try:
        records.put_ending(key, index, ending)
    except DaylilyError as error:
        # Batch tells the exit code too.
        _say(f"how {key} ended cannot be written down: {error}", code)
    return code


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m daylily.adapters.aws.batch_job", description=__doc__
    )
    parser.add_argument("--records", required=True, help="s3://bucket/folder of the records")
    parser.add_argument("--key", required=True, help="<workset_id>/<attempt>")
    parser.add_argument("--order", required=True, help="which order of that attempt")
    given = parser.parse_args(arguments)
    command = Command(sys.stdout.buffer)
    # Batch sends TERM, and half a minute later KILL.
    signal.signal(signal.SIGTERM, lambda *_: command.stop())
    try:
        records = _records(given.records)
    except (DaylilyError, ValueError) as error:
        return _say(str(error), _USAGE)
    return perform(records, given.key, given.order, os.environ, command)


def _records(location: str) -> Records:
    scheme, _, rest = location.partition("://")
    bucket, _, folder = rest.partition("/")
    if scheme != "s3" or not bucket or not folder:
        raise ValueError(f"{location!r} is not s3://bucket/folder")
    return Records(S3ObjectStore(Clients(threads=2).s3(), bucket), folder.rstrip("/") + "/")


def _say(text: str, code: int) -> int:
    sys.stderr.write(f"{text}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
