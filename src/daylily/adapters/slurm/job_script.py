#!/usr/bin/env python3
"""
What Slurm runs for a job: standard library only, for the Python 3.6 of old clusters.

The order is appended as JSON; the pipeline is started from an argument vector, and no shell reads it.
Whoever comes second for one key does not start it again, and ends as the first one ended: Slurm may
have forgotten a job that ended long ago.
"""

import json
import os
import subprocess
import sys
import time
from typing import Any, Dict  # noqa: UP035

VANISHED = 75
"""EX_TEMPFAIL: another job had this key, and nothing tells how it ended."""
NOT_FOUND = 127


def main(order: Dict[str, Any]) -> int:  # noqa: UP006
    """Run the order's command unless it has been run; return its exit code."""
    base = order["base"]
    try:
        os.mkdir(base + ".claim")  # noqa: PTH102
    except FileExistsError:
        return _recorded(base + ".exit")
    started = time.time()
    code = _run(order)
    facts = {"key": order["key"], "exit_code": code, "started_at": started, "ended_at": time.time()}
    facts["job"] = os.environ.get("SLURM_JOB_ID", "")
    partial = base + ".exit.partial"
    with open(partial, "w") as file:  # noqa: PTH123
        file.write(json.dumps(facts) + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, base + ".exit")  # noqa: PTH105
    return code


def _run(order: Dict[str, Any]) -> int:  # noqa: UP006
    directory = order["directory"] if os.path.isdir(order["directory"]) else None  # noqa: PTH112
    environment = dict(os.environ, **order["environment"])
    try:
        code = subprocess.call(
            order["arguments"], cwd=directory, env=environment, stdin=subprocess.DEVNULL
        )
    except OSError as error:
        sys.stderr.write("cannot be started: {}\n".format(error))  # noqa: UP032
        return NOT_FOUND
    return 128 - code if code < 0 else code


def _recorded(path: str) -> int:
    try:
        with open(path) as file:  # noqa: PTH123
            return int(json.loads(file.read())["exit_code"])
    except (OSError, ValueError, KeyError):
        return VANISHED
