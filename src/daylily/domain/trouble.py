"""What keeps a workset from going on although nobody has said that it should wait."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from attrs import frozen

from daylily.domain.lifecycle import State
from daylily.domain.workset import Workset

PATIENCE: Final = timedelta(minutes=5)
"""How long what is due may be left undone: a monitor that is well takes less."""


class TroubleKind(StrEnum):
    """How a workset is stuck."""

    UNKNOWN = "unknown"
    """The engine says nothing of an attempt that may well run."""
    MISSING = "missing"
    """The engine answers, and has no record of the attempt."""
    LAUNCH = "launch"
    """Whoever was launching it has gone silent."""
    RETRY = "retry"
    """Its retry is due, and nobody starts it."""
    DEBTS = "debts"
    """What a step owes the world is not paid."""
    OVERTIME = "overtime"
    """It has been running for longer than it may."""
    STOPPING = "stopping"
    """It was to be stopped, and has not been for long."""


@frozen(kw_only=True)
class Trouble:
    """How a workset is stuck, and since when."""

    kind: TroubleKind
    since: datetime
    text: str


def trouble_of(workset: Workset, at: datetime, limit: timedelta) -> Trouble | None:
    """
    Return how a workset is stuck, the gravest first; None if it is not, for all that its record tells.

    Args:
        limit: How long an attempt of its pipeline may run, where the workset itself does not say.
    """
    return _at_engine(workset, at, limit) or _overdue(workset, at)


def _at_engine(workset: Workset, at: datetime, limit: timedelta) -> Trouble | None:
    if workset.unknown_since is not None:
        text = "the engine says nothing of it, and it may well run"
        return Trouble(kind=TroubleKind.UNKNOWN, since=workset.unknown_since, text=text)
    if workset.missing_since is not None:
        text = "the engine has no record of it"
        return Trouble(kind=TroubleKind.MISSING, since=workset.missing_since, text=text)
    asked = workset.cancel
    if asked is not None and at - asked.at >= PATIENCE:
        text = f"{asked.by} asked for it to be stopped, and it has not been"
        return Trouble(kind=TroubleKind.STOPPING, since=asked.at, text=text)
    running = workset.running
    allowed = workset.requirements.time_limit or limit
    if running is not None and at - running.started_at >= allowed + PATIENCE:
        hours = allowed / timedelta(hours=1)
        text = f"it may run for {hours:g} h, and its engine has not ended it"
        return Trouble(kind=TroubleKind.OVERTIME, since=running.started_at + allowed, text=text)
    return None


def _overdue(workset: Workset, at: datetime) -> Trouble | None:
    lock = workset.lock
    if lock is not None and at - lock.expires_at >= PATIENCE:
        text = f"{lock.owner} was launching it and has gone silent"
        return Trouble(kind=TroubleKind.LAUNCH, since=lock.expires_at, text=text)
    due = workset.retry_at
    if workset.state is State.RETRYING and due is not None and at - due >= PATIENCE:
        text = "its retry is due, and no monitor has started it"
        return Trouble(kind=TroubleKind.RETRY, since=due, text=text)
    if workset.debts and lock is None and at - workset.updated_at >= PATIENCE:
        text = "what its last step owes the world (sentinels, news) has not been paid"
        return Trouble(kind=TroubleKind.DEBTS, since=workset.updated_at, text=text)
    return None
