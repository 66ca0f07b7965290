"""The channels that tell people."""

from typing import Protocol

from daylily.domain.events import Event, EventKind


class Notifier(Protocol):
    """
    A channel.

    Raises UnavailableError when the channel does not answer; the event is then still owed. The same
    event may be sent more than once, always under the same ``event_id``.
    """

    @property
    def kinds(self) -> frozenset[EventKind]:
        """The kinds of news that it passes on: nobody owes people any other."""

    def send(self, event: Event) -> None:
        """Tell people of an event; return once the channel has taken it, or does not pass it on."""
