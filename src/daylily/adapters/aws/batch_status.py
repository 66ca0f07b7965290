"""
How jobs stand, from what Batch tells and what they have told themselves.

What a job has told of its own end counts: who stopped it after that came too late, and a machine that
was lost after that took nothing with it. Where it has told nothing, Batch's word counts.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from daylily.adapters.aws.batch_answers import BatchJob
from daylily.adapters.aws.batch_records import Ending
from daylily.adapters.local.job_output import plain, verdict
from daylily.adapters.tasks import exit_code_of, message_of, phase_of, progress_of
from daylily.domain.workset import Progress
from daylily.ports.compute import JobStatus, Phase, TaskStatus

_SUCCEEDED: Final = "SUCCEEDED"
_FAILED: Final = "FAILED"
_GONE: Final = "Batch has no record of it any more"

Tail = Callable[[BatchJob], str]
"""Reads the last lines that a job has written, from where Batch keeps them."""


def under_way(job: BatchJob, total: int) -> JobStatus:
    """
    Return how a job with tasks stands that has not ended.

    Args:
        total: How many tasks it has.
    """
    succeeded, failed = job.counts.get(_SUCCEEDED, 0), job.counts.get(_FAILED, 0)
    phase = job.phase if job.size is None else job.children_phase
    return JobStatus(
        phase=phase,
        job=job.name,
        message=_waiting(job) if phase is Phase.QUEUED else "",
        progress=Progress(succeeded + failed, total, f"{failed} failed" if failed else ""),
        started_at=job.started_at,
    )


def of_one(name: str, job: BatchJob | None, ending: Ending | None, tail: Tail) -> JobStatus:
    """
    Return how a job without tasks stands.

    Args:
        name: What Batch calls it.
        job: What Batch tells; None where it has forgotten.
        ending: What the job has told of its end.
    """
    task = task_of("", job, ending, tail)
    return JobStatus(
        phase=task.phase,
        job=name,
        exit_code=task.exit_code,
        message=_waiting(job) if job is not None and task.phase is Phase.QUEUED else task.message,
        started_at=_started_at(job, ending),
        ended_at=_ended_at(job, ending),
    )


def of_tasks(
    name: str,
    names: Sequence[str],
    parent: BatchJob | None,
    children: Sequence[BatchJob | None],
    endings: Sequence[Ending | None],
    tail: Tail,
) -> JobStatus:
    """
    Return how a job with tasks stands.

    Args:
        name: What Batch calls it.
        names: Of the tasks; *children* and *endings* are theirs.
        parent: What Batch tells of the job itself.
    """
    known = list(zip(names, children, endings, strict=True))
    stopped = parent is not None and parent.stopped
    tasks = tuple(
        TaskStatus(name=task, phase=Phase.CANCELED)
        if stopped and child is None and ending is None  # before it was there
        else task_of(task, child, ending, tail)
        for task, child, ending in known
    )
    phase = phase_of(tasks)
    started = [at for _, child, ending in known if (at := _started_at(child, ending))]
    ended = [at for _, child, ending in known if (at := _ended_at(child, ending))]
    over = phase in {Phase.SUCCEEDED, Phase.FAILED, Phase.CANCELED}
    return JobStatus(
        phase=phase,
        job=name,
        exit_code=exit_code_of(tasks) if phase in {Phase.SUCCEEDED, Phase.FAILED} else None,
        message=message_of(tasks) if phase is Phase.FAILED else "",
        progress=progress_of(tasks),
        tasks=tasks,
        started_at=min(started, default=None),
        ended_at=max(ended, default=_ended_at(parent, None)) if over else None,
    )


def task_of(name: str, job: BatchJob | None, ending: Ending | None, tail: Tail) -> TaskStatus:
    """Return how a job stands by itself, under the name of a task."""
    if ending is not None:
        return _by_its_own_word(name, job, ending)
    if job is None:
        return TaskStatus(name=name, phase=Phase.FAILED, message=_GONE)
    if job.phase is Phase.FAILED:
        exit_code, reason = job.verdict
        message = verdict(reason, plain(tail(job)).rstrip())
        return TaskStatus(name=name, phase=Phase.FAILED, exit_code=exit_code, message=message)
    return TaskStatus(name=name, phase=job.phase, exit_code=0 if job.phase is Phase.SUCCEEDED else None)


def _by_its_own_word(name: str, job: BatchJob | None, ending: Ending) -> TaskStatus:
    code = ending.exit_code
    if code == 0:
        return TaskStatus(name=name, phase=Phase.SUCCEEDED, exit_code=0)
    # Of the same code Batch may know more: that the memory was used up, for one.
    told, reason = job.verdict if job is not None else (None, "")
    message = verdict(reason if told == code else f"exit code {code}", plain(ending.tail).rstrip())
    return TaskStatus(name=name, phase=Phase.FAILED, exit_code=code, message=message)


def _waiting(job: BatchJob) -> str:
    return f"Batch: {job.reason}" if job.reason else ""


def _started_at(job: BatchJob | None, ending: Ending | None) -> datetime | None:
    if ending is not None:
        return ending.started_at
    return job.started_at if job is not None else None


def _ended_at(job: BatchJob | None, ending: Ending | None) -> datetime | None:
    if ending is not None:
        return ending.ended_at
    return job.ended_at if job is not None and job.ended else None
