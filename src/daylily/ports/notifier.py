"""The channels that tell people."""

from typing import Protocol

from daylily.domain.events import Event


class Notifier(Protocol):
    """
    A channel.

    Raises UnavailableError when the channel does not answer; the event is then still owed. The same
    event may be sent more than once, always under the same ``event_id``.
    """

    def send(self, event: Event) -> None:
        """Tell people of an event; return once the channel has taken it."""
