"""
Runs the tasks of one job of SubprocessCompute: the program that a supervisor starts for such a job.

Like the supervisor it imports nothing but the standard library. Each task leads a session of its own,
so that one that is out of time is ended with all its children and without the others; supervisors find
them all by the job's mark. What tasks write goes to the job's log, line by line, after the task's name.

``tasks.json`` in the run directory is replaced whenever a task starts or ends: a list, in the order of
the tasks, of ``null`` (not started), ``{}`` (running) or ``{"exit_code", "message"}``.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import Any

LAST_WORD = 0.2
"""Seconds to wait, after a task has ended, for its children to finish what they say."""
LONGEST_LINE = 65536
"""Bytes; what is longer is broken."""
TAIL_LINES = 20
TIMED_OUT = 124
TERMINATED = 128 + signal.SIGTERM


class Log:
    """The job's log, which many tasks write to."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()

    def write(self, name: bytes, line: bytes) -> None:
        """Write a line after a name, in one piece."""
        with self._mutex:
            rest = name + b": " + line.rstrip(b"\n") + b"\n"
            while rest:
                rest = rest[os.write(1, rest) :]


class Output(threading.Thread):
    """Passes on what one task writes, and keeps the end of it."""

    def __init__(self, name: str, descriptor: int, log: Log) -> None:
        super().__init__(daemon=True)
        self.task = os.fsencode(name)
        self.descriptor = descriptor
        self.log = log
        self.tail: deque[bytes] = deque(maxlen=TAIL_LINES)

    def run(self) -> None:
        held = b""
        while data := os.read(self.descriptor, LONGEST_LINE):
            *lines, held = (held + data).split(b"\n")
            for line in lines:
                self._line(line)
            if len(held) >= LONGEST_LINE:
                self._line(held)
                held = b""
        if held:
            self._line(held)

    def _line(self, line: bytes) -> None:
        self.tail.append(line)
        # A full disk loses words, and not the work.
        with contextlib.suppress(OSError):
            self.log.write(self.task, line)


class Crew:
    """Runs tasks, some at once."""

    def __init__(self, directory: Path, order: dict[str, Any]) -> None:
        self.path = directory / "tasks.json"
        self.order = order
        self.facts: list[dict[str, Any] | None] = [None] * len(order["tasks"])
        self.log = Log()
        self.stopped = threading.Event()
        self._mutex = threading.RLock()
        self._groups: set[int] = set()

    def run(self) -> int:
        """Run all; return the exit code of the first, in their order, that failed."""
        with ThreadPoolExecutor(self.order["at_once"]) as pool:
            # Waited for in a way that lets signals in.
            waiting = [pool.submit(self._run, index) for index in range(len(self.facts))]
            for each in waiting:
                each.result()
        if self.stopped.is_set():
            return TERMINATED
        codes = (facts["exit_code"] for facts in self.facts if facts)
        return next((code for code in codes if code), 0)

    def stop(self, _number: int, _frame: FrameType | None) -> None:
        """Start nothing more, and tell what runs to end."""
        self.stopped.set()
        with self._mutex:
            for group in self._groups:
                _signal(group, signal.SIGTERM)
        threading.Thread(target=self._kill, daemon=True).start()

    def _kill(self) -> None:
        # The supervisor does so too, where it can find processes outside of the job's group.
        time.sleep(self.order["grace_seconds"])
        with self._mutex:
            for group in self._groups:
                _signal(group, signal.SIGKILL)

    def _run(self, index: int) -> None:
        task = self.order["tasks"][index]
        with self._mutex:
            if self.stopped.is_set():
                return
            try:
                process = self._start(task)
            except OSError as error:
                absent = isinstance(error, FileNotFoundError | NotADirectoryError)
                self._note(index, 127 if absent else 126, f"could not be started: {error}", ())
                return
            self._groups.add(process.pid)
            self._record(index, {})
        assert process.stdout is not None  # noqa: S101
        output = Output(task["name"], process.stdout.fileno(), self.log)
        output.start()
        code, reason = self._await(process)
        output.join(LAST_WORD)
        with self._mutex:
            # Its number is still that of the group as long as anything of the group lives.
            _signal(process.pid, signal.SIGKILL)
            self._groups.discard(process.pid)
            if not self.stopped.is_set():
                self._note(index, code, reason, tuple(output.tail))

    def _start(self, task: dict[str, Any]) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            task["arguments"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "DAYLILY_TASK": task["name"]},
            start_new_session=True,
        )

    def _await(self, process: "subprocess.Popen[bytes]") -> tuple[int, str]:
        limit = self.order["task_limit_seconds"]
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            _signal(process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(self.order["grace_seconds"])
            _signal(process.pid, signal.SIGKILL)
            process.wait()
            return TIMED_OUT, f"time limit of {limit:g} s reached"
        if code < 0:
            hint = ": was the machine short of memory?" if code == -signal.SIGKILL else ""
            return 128 - code, f"killed by signal {-code}{hint}"
        return code, f"exit code {code}" if code else ""

    def _note(self, index: int, code: int, reason: str, tail: tuple[bytes, ...]) -> None:
        said = b"\n".join(tail).decode(errors="replace")
        self._record(index, {"exit_code": code, "reason": reason, "tail": said})

    def _record(self, index: int, facts: dict[str, Any]) -> None:
        with self._mutex:
            self.facts[index] = facts
            part = self.path.with_name(f".{self.path.name}-{os.getpid()}")
            with part.open("w", encoding="utf-8") as file:
                json.dump(self.facts, file)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.path)


def _signal(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def main(arguments: list[str]) -> int:
    """Run the tasks of a run directory."""
    directory = Path(arguments[0])
    crew = Crew(directory, json.loads((directory / "job.json").read_bytes()))
    signal.signal(signal.SIGTERM, crew.stop)
    return crew.run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
