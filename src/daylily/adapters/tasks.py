"""What the tasks of a job come to together: one rule for all engines."""

from collections.abc import Iterable, Sequence
from typing import Final

from daylily.domain.workset import Progress
from daylily.ports.compute import Phase, TaskStatus

MOST_TOLD: Final = 20
"""Tasks that a message tells of; the statuses have them all."""

_ENDED: Final = frozenset({Phase.SUCCEEDED, Phase.FAILED, Phase.CANCELED})


def phase_of(tasks: Sequence[TaskStatus]) -> Phase:
    """Return how far a job is whose tasks are so far; one task that was canceled makes it canceled."""
    phases = {task.phase for task in tasks}
    if phases <= {Phase.QUEUED}:
        return Phase.QUEUED
    if not phases <= _ENDED:
        return Phase.RUNNING
    if Phase.CANCELED in phases:
        return Phase.CANCELED
    return Phase.FAILED if Phase.FAILED in phases else Phase.SUCCEEDED


def exit_code_of(tasks: Iterable[TaskStatus]) -> int | None:
    """Return the exit code of the first task that failed, 0 if none did."""
    return next((task.exit_code for task in tasks if task.phase is Phase.FAILED), 0)


def progress_of(tasks: Sequence[TaskStatus]) -> Progress:
    """Return how many tasks have ended."""
    failed = [task.name for task in tasks if task.phase is Phase.FAILED]
    ended = sum(task.phase in _ENDED for task in tasks)
    return Progress(ended, len(tasks), f"{len(failed)} failed" if failed else "")


def message_of(tasks: Sequence[TaskStatus]) -> str:
    """
    Return why a job failed: one line that says it all where it can, then what led up to it.

    >>> fine, bad = (TaskStatus(name="A", phase=Phase.SUCCEEDED),
    ...              TaskStatus(name="B", phase=Phase.FAILED, message="exit code 65: cut short"))
    >>> message_of([fine, bad])
    '1 of 2 tasks failed: B: exit code 65: cut short'
    """
    failed = [task for task in tasks if task.phase is Phase.FAILED]
    told = [f"{task.name}: {task.message.partition(chr(10))[0]}" for task in failed[:MOST_TOLD]]
    if len(failed) > MOST_TOLD:
        told.append(f"and {len(failed) - MOST_TOLD} more")
    led_up = failed[0].message.partition("\n")[2] if failed else ""
    count = f"{len(failed)} of {len(tasks)} tasks failed"
    return "\n".join([f"{count}: {told[0]}", *told[1:], led_up]).rstrip() if told else ""
