"""The tasks of a job of SubprocessCompute: what is asked of their runner, and what came of them."""

import math
import os
from collections.abc import Mapping
from typing import Any

from daylily.adapters.local import job_output, supervisor, task_runner
from daylily.adapters.local.supervisor import Run
from daylily.domain.pipelines import Resources
from daylily.ports.compute import Job, Phase, TaskStatus


def order(job: Job, run: Run, python: str, plain: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return what the order of a job with tasks has besides, or else than, that of a plain one.

    Args:
        plain: The order as it would be without tasks.
    """
    at_once = min(len(job.tasks), _room(job.resources))
    limit = plain["time_limit_seconds"]
    rounds = math.ceil(len(job.tasks) / at_once)
    return {
        "arguments": [python, "-I", "-S", "-X", "utf8", task_runner.__file__, str(run.directory)],
        "tasks": [{"name": task.name, "arguments": list(task.arguments)} for task in job.tasks],
        "at_once": at_once,
        "task_limit_seconds": limit,
        # Only a runner that hangs gets there: it sees to the limit of each task itself.
        "time_limit_seconds": (limit + 2 * plain["grace_seconds"] + 60) * rounds,
    }


def _room(needs: Resources) -> int:
    """Return how many such tasks this machine has room for; at least one is run."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    fitting = memory / (max(needs.memory_gb, 0.01) * 1024**3)
    return max(1, min((os.cpu_count() or 1) // max(needs.cpus, 1), int(fitting)))


def statuses(run: Run, ended: Phase | None = None, reason: str = "") -> tuple[TaskStatus, ...]:
    """
    Return how the tasks of a job stand; nothing for a job without tasks.

    Args:
        ended: How the job has ended, if it has: what did not end by itself ended with it.
        reason: Why.
    """
    names = [task["name"] for task in (supervisor.read_facts(run.job) or {}).get("tasks", [])]
    if not names:
        return ()
    told = supervisor.read_list(run.tasks)
    facts = told if len(told) == len(names) else [None] * len(names)
    return tuple(_status(name, each, ended, reason) for name, each in zip(names, facts, strict=True))


def _status(name: str, facts: Mapping[str, Any] | None, ended: Phase | None, reason: str) -> TaskStatus:
    if facts and (code := facts["exit_code"]) == 0:
        return TaskStatus(name=name, phase=Phase.SUCCEEDED, exit_code=code)
    if facts:
        message = job_output.verdict(facts["reason"], job_output.plain(facts["tail"]))
        return TaskStatus(name=name, phase=Phase.FAILED, exit_code=code, message=message)
    if ended is None:
        return TaskStatus(name=name, phase=Phase.QUEUED if facts is None else Phase.RUNNING)
    # Whoever lost the job lost the task with it, and no exit code is to blame the task for.
    lost = Phase.CANCELED if ended is Phase.CANCELED else Phase.FAILED
    return TaskStatus(name=name, phase=lost, message=f"did not end: {reason}" if reason else "")
