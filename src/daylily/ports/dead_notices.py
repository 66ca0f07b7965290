"""News that a channel did not take, kept until a person sees to it."""

from datetime import datetime
from typing import Protocol

from attrs import frozen

from daylily.domain.events import Event
from daylily.ports.paging import Page


@frozen(kw_only=True)
class DeadNotice:
    """One piece of news that nobody sends any more by itself."""

    channel: str
    event: Event
    why: str
    """What the channel said last."""
    died_at: datetime


class DeadNotices(Protocol):
    """
    The list of what came to nobody. One event is there once for each channel that did not take it.

    Every method raises UnavailableError when the list does not answer.
    """

    def lay(self, notice: DeadNotice) -> None:
        """Put *notice* on the list; one that is there stays as it is."""

    def list(self, channel: str, *, after: str | None = None, limit: int = 100) -> Page[DeadNotice]:
        """
        Return what *channel* did not take, in the order in which it happened.

        Args:
            after: The cursor of the page before.

        Raises:
            InvalidInputError: The cursor is not of this listing, or the limit is below 1.
        """

    def clear(self, notice: DeadNotice) -> None:
        """Take *notice* off the list; one that is gone already is no fault."""
