"""What people are told: of worksets, and of what works on them."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from attrs import frozen

from daylily.domain.lifecycle import Priority, State


class EventKind(StrEnum):
    """The kinds of news; channels filter by them."""

    REGISTERED = "registered"
    STARTED = "started"
    RETRYING = "retrying"
    COMPLETE = "complete"
    ERROR = "error"
    FAILED = "failed"
    CANCELED = "canceled"
    LOCK_EXPIRED = "lock_expired"
    """A launch went silent, and another monitor took it over."""
    ATTENTION = "attention"
    """Nothing is known of what runs: the engine does not answer."""
    STEP = "step"
    """What runs has come to its next step; channels get it only where they name it."""
    MONITOR_SILENT = "monitor_silent"
    """A monitor has left no sign of life for long. This is of no workset, and so of no customer."""


ALL_NEWS: Final = frozenset(EventKind)
OPT_IN: Final = frozenset({EventKind.STEP})
"""Kinds that are so frequent that a channel gets them only where it names them."""


@frozen(kw_only=True)
class Event:
    """
    One piece of news.

    ``event_id`` is the same however often it is sent, so that a receiver can drop repeats.
    """

    event_id: str
    kind: EventKind
    priority: Priority
    at: datetime
    message: str
    error_details: str | None = None
    workset_id: str | None = None
    customer_id: str | None = None
    """Whose workset it is."""
    state: State | None = None
    """Of the workset."""
    settles: tuple[str, ...] = ()
    """Ids of earlier news that this one settles: of the errors of a workset that is complete now."""
    monitor: str | None = None
    """The name of the one that it is about, where it is about no workset."""

    @property
    def subject(self) -> str:
        """What it is about."""
        return self.workset_id or self.monitor or "daylily"
