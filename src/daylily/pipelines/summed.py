#!/usr/bin/env python3
"""
Run a command, then list the checksums of its results.

``python3 -c SOURCE RESULTS [--task NAME --of NUMBER] -- command`` is what an engine runs in place of a
command whose results stay on its disks. Standard library only, for the Python 3.6 of old clusters, and
sent along as source: a machine needs no Daylily to run a lab's own commands.

The list comes last: where ``manifest.sha256`` is, all is there that it lists. Hidden files are left
out, and links, which may lead anywhere. Sums made before an interruption are not made again.
"""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Dict, Iterator, List, Optional, Tuple  # noqa: UP035

MANIFEST = "manifest.sha256"
MADE = ".manifest.sha256.part"
"""Sums so far, one JSON text a line: name, size, time of change, sum."""
TASKS = ".tasks"
"""The folder in which each task of a job leaves its name; the last one lists for all."""
NOT_FOUND, IO_ERROR = 127, 74
CHUNK = 1 << 20
THREADS = 4

_Made = Tuple[int, int, str]  # noqa: UP006
_stopped = []  # type: List[int]


class Stopped(Exception):  # noqa: N818 - no error
    """Somebody asked for an end."""


def main(arguments: List[str]) -> int:  # noqa: UP006
    """Run the command, list its results, and return its exit code."""
    at = arguments.index("--")
    options, command = arguments[:at], arguments[at + 1 :]
    results = options[0]
    # Engines tell all processes of a job: the command ends by itself, and then so do we.
    signal.signal(signal.SIGTERM, lambda number, _: _stopped.append(number))
    code = run(command)
    if _stopped:
        return code
    try:
        if len(options) == 1 or _is_last(results, options[2], int(options[4])):
            write_list(results)
            shutil.rmtree(os.path.join(results, TASKS), ignore_errors=True)  # noqa: PTH118
    except Stopped:
        return 128 + signal.SIGTERM
    except OSError as error:
        sys.stderr.write("checksums of {} cannot be listed: {}\n".format(results, error))  # noqa: UP032
        return code or IO_ERROR
    return code


def run(command: List[str]) -> int:  # noqa: UP006
    """Run a command to its end; return its exit code as a shell would."""
    try:
        code = subprocess.call(command)
    except OSError as error:
        sys.stderr.write("{} cannot be started: {}\n".format(command[0], error))  # noqa: UP032
        return NOT_FOUND
    return 128 - code if code < 0 else code


def _is_last(results: str, task: str, number: int) -> bool:
    """Note that a task has ended; tell whether all have."""
    folder = os.path.join(results, TASKS)  # noqa: PTH118
    os.makedirs(folder, exist_ok=True)  # noqa: PTH103
    open(os.path.join(folder, task), "w").close()  # noqa: PTH118, PTH123
    try:
        return len(os.listdir(folder)) >= number  # noqa: PTH208
    except FileNotFoundError:
        return False  # another came last at the same time, and has done it


def write_list(results: str) -> None:
    """
    Write the list of a folder, which may be one that the command has not made.

    Raises:
        Stopped: Before it was complete; the sums made so far are kept.
    """
    os.makedirs(results, exist_ok=True)  # noqa: PTH103
    path = os.path.join(results, MADE)  # noqa: PTH118
    made = _read(path)
    names = sorted(_files(results))
    sums = {}  # type: Dict[str, str]
    with open(path, "a") as kept, ThreadPoolExecutor(THREADS) as pool:  # noqa: PTH123
        found = pool.map(lambda name: (name, _sum(results, name, made)), names)
        for name, told in found:
            sums[name] = told[2]
            if made.get(name) != told:
                kept.write(json.dumps([name, *told]) + "\n")
                kept.flush()
    listed = "{}.{}".format(path, os.getpid())  # noqa: UP032
    with open(listed, "w", errors="surrogateescape", newline="") as file:  # noqa: PTH123
        file.write("".join(line(name, sums[name]) for name in names))
        file.flush()
        os.fsync(file.fileno())
    os.replace(listed, os.path.join(results, MANIFEST))  # noqa: PTH105, PTH118
    os.unlink(path)  # noqa: PTH108


def line(name: str, digest: str) -> str:
    """Return a line as ``sha256sum`` writes it."""
    escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    return "{}{}  {}\n".format("" if escaped == name else "\\", digest, escaped)


def _files(results: str) -> Iterator[str]:
    for parent, folders, names in os.walk(results):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = os.path.join(parent, name)  # noqa: PTH118
            if not name.startswith(".") and os.path.isfile(path) and not os.path.islink(path):  # noqa: PTH113, PTH114
                found = os.path.relpath(path, results)
                if found != MANIFEST:
                    yield found


def _sum(results: str, name: str, made: Dict[str, _Made]) -> _Made:  # noqa: UP006
    path = os.path.join(results, name)  # noqa: PTH118
    stat = os.stat(path)  # noqa: PTH116
    before = made.get(name)
    if before is not None and before[:2] == (stat.st_size, stat.st_mtime_ns):
        return before
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123
        while not _stopped:
            chunk = file.read(CHUNK)
            if not chunk:
                return stat.st_size, stat.st_mtime_ns, digest.hexdigest()
            digest.update(chunk)
    raise Stopped


def _read(path: str) -> Dict[str, _Made]:  # noqa: UP006
    """Return the sums of a list that was interrupted; its last line may be cut short."""
    made = {}  # type: Dict[str, _Made]
    try:
        with open(path) as file:  # noqa: PTH123
            for each in file:
                told = _parsed(each)
                if told is not None:
                    made[told[0]] = tuple(told[1:])
    except FileNotFoundError:
        pass
    return made


def _parsed(text: str) -> Optional[List[Any]]:  # noqa: UP006, UP045
    try:
        told = json.loads(text)
    except ValueError:
        return None
    return told if isinstance(told, list) and len(told) == 4 else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
