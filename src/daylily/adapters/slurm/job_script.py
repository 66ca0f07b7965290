#!/usr/bin/env python3
"""
What Slurm runs for a job, or for one task of it: standard library only, for the Python 3.6 of old
clusters.

The order is appended as JSON; the pipeline is started from an argument vector, and no shell reads it.
Whoever comes second for one key does not start it again, and ends as the first one ended: Slurm may
have forgotten a job that ended long ago.

Of a job with tasks, each runs on its own, perhaps on another node, and all write to one log: line by
line, after the task's name.
"""

import collections
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any, Dict, Tuple  # noqa: UP035

VANISHED = 187
"""INFRASTRUCTURE of ``daylily.domain.retry``: another job had this key, and went without a word."""
NOT_FOUND = 127
LAST_WORD = 2.0
"""Seconds to wait, after a task has ended, for its children to finish what they say."""
LONGEST_LINE = 65536
TAIL_LINES = 20

_terminated = []  # type: Any


def main(order: Dict[str, Any]) -> int:  # noqa: UP006
    """Run the order's command, or that of our task, unless it has been run; return its exit code."""
    base = order["base"]
    facts = {"key": order["key"]}
    if order.get("tasks"):
        index = int(os.environ["SLURM_ARRAY_TASK_ID"])
        task = order["tasks"][index]
        base = "{}.{}".format(base, index)  # noqa: UP032
        order = dict(order, arguments=task["arguments"], name=task["name"])
        facts["task"] = index
    else:
        # Each task would have its own word on it, and they would write over one another's.
        told = {"DAYLILY_ATTEMPT": order["key"], "DAYLILY_PROGRESS": base + ".progress"}
        order = dict(order, environment=dict(order["environment"], **told))
    try:
        os.mkdir(base + ".claim")  # noqa: PTH102
    except FileExistsError:
        return _recorded(base + ".exit")
    # Slurm tells all processes of the job to end, and kills what is left as soon as this one is gone:
    # the pipeline is to have the time to tidy up.
    signal.signal(signal.SIGTERM, lambda number, _: _terminated.append(number))
    started = time.time()
    code, tail = _run(order)
    if _terminated:
        return code  # Slurm alone knows whether it was canceled or out of time
    facts.update(exit_code=code, started_at=started, ended_at=time.time(), tail=tail)
    facts["job"] = os.environ.get("SLURM_ARRAY_JOB_ID") or os.environ.get("SLURM_JOB_ID", "")
    partial = base + ".exit.partial"
    with open(partial, "w") as file:  # noqa: PTH123
        file.write(json.dumps(facts) + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, base + ".exit")  # noqa: PTH105
    return code


def _run(order: Dict[str, Any]) -> Tuple[int, str]:  # noqa: UP006
    """Run a command; return its exit code and, for a task, the last lines that it wrote."""
    directory = order["directory"] if os.path.isdir(order["directory"]) else None  # noqa: PTH112
    environment = dict(os.environ, **order["environment"])
    name = order.get("name")
    tail = collections.deque(maxlen=TAIL_LINES)  # type: collections.deque[bytes]
    try:
        process = subprocess.Popen(
            order["arguments"],
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if name else None,
            stderr=subprocess.STDOUT if name else None,
        )
    except OSError as error:
        complaint = "cannot be started: {}".format(error)  # noqa: UP032
        sys.stderr.write("{}{}\n".format(name + ": " if name else "", complaint))
        return NOT_FOUND, complaint
    if name:
        reader = threading.Thread(target=_pass_on, args=(process.stdout, name.encode(), tail))
        reader.daemon = True
        reader.start()
    code = process.wait()
    if name:
        reader.join(LAST_WORD)
    said = b"".join(list(tail)).decode(errors="replace")
    return (128 - code if code < 0 else code), said


def _pass_on(output: Any, name: bytes, tail: "collections.deque[bytes]") -> None:
    for line in iter(lambda: output.readline(LONGEST_LINE), b""):
        tail.append(line)
        _append(name + b": " + line.rstrip(b"\n") + b"\n")


def _append(line: bytes) -> None:
    # Over NFS, what two nodes append at once would overwrite one another without the lock.
    try:
        fcntl.lockf(1, fcntl.LOCK_EX)
        locked = True
    except OSError:
        locked = False
    try:
        while line:
            line = line[os.write(1, line) :]
    except OSError:
        pass  # a full disk loses words, and not the work
    finally:
        if locked:
            fcntl.lockf(1, fcntl.LOCK_UN)


def _recorded(path: str) -> int:
    try:
        with open(path) as file:  # noqa: PTH123
            return int(json.loads(file.read())["exit_code"])
    except (OSError, ValueError, KeyError):
        return VANISHED
