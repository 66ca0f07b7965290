"""States, priorities, and the one table of what may follow what."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a workset stands; the values are the words on the wire."""

    READY = "ready"
    LOCKED = "locked"
    IN_PROGRESS = "in_progress"
    COMPLETE = "complete"
    ERROR = "error"
    """This attempt failed and a person is needed."""
    RETRYING = "retrying"
    FAILED = "failed"
    """Retries are used up."""
    IGNORED = "ignored"
    CANCELED = "canceled"
    ARCHIVED = "archived"
    DELETED = "deleted"


class Priority(StrEnum):
    """How urgent a workset is, most urgent first."""

    URGENT = "urgent"
    NORMAL = "normal"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for the most urgent; the queue is sorted by it."""
        return _RANK[self]

    @classmethod
    def _missing_(cls, value: object) -> "Priority | None":
        # Portals of old offered "high", and rows say so to this day.
        return cls.URGENT if value == "high" else None


_RANK: Final = {priority: rank for rank, priority in enumerate(Priority)}

LIFECYCLE: Final[Mapping[State, frozenset[State]]] = {
    # ready -> in_progress, complete, error: what another system's monitor did, taken over as a fact
    State.READY: frozenset(
        {
            State.LOCKED,
            State.IN_PROGRESS,
            State.COMPLETE,
            State.ERROR,
            State.IGNORED,
            State.CANCELED,
        }
    ),
    State.LOCKED: frozenset(
        {
            State.READY,
            State.LOCKED,
            State.IN_PROGRESS,
            State.ERROR,
            State.RETRYING,
            State.FAILED,
            State.CANCELED,
        }
    ),
    # in_progress -> ignored: somebody's daylily.ignore has stopped it, and holds it
    State.IN_PROGRESS: frozenset(
        {
            State.COMPLETE,
            State.ERROR,
            State.RETRYING,
            State.FAILED,
            State.IGNORED,
            State.CANCELED,
        }
    ),
    State.RETRYING: frozenset({State.READY, State.IGNORED, State.CANCELED}),
    State.ERROR: frozenset({State.READY, State.IGNORED, State.ARCHIVED}),
    State.FAILED: frozenset({State.READY, State.IGNORED, State.ARCHIVED}),
    State.IGNORED: frozenset({State.READY, State.CANCELED, State.ARCHIVED}),
    State.COMPLETE: frozenset({State.ARCHIVED}),
    State.CANCELED: frozenset({State.ARCHIVED}),
    State.ARCHIVED: frozenset(
        {
            State.COMPLETE,
            State.ERROR,
            State.FAILED,
            State.IGNORED,
            State.CANCELED,
            State.DELETED,
        }
    ),
    State.DELETED: frozenset(),
}

TERMINAL: Final = frozenset(
    {State.COMPLETE, State.ERROR, State.FAILED, State.CANCELED, State.ARCHIVED, State.DELETED}
)
"""States that no monitor moves a workset out of: only a person does, if anyone."""
