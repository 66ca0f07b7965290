"""A channel that is told only what it wants to hear."""

from attrs import frozen

from daylily.domain.audience import Audience
from daylily.domain.events import Event, EventKind
from daylily.ports.notifier import Notifier


@frozen
class FilteredNotifier:
    """A Notifier that passes on what its audience hears, and takes the rest without a word."""

    channel: Notifier
    audience: Audience

    @property
    def kinds(self) -> frozenset[EventKind]:
        """Those of the channel that are wanted."""
        return self.channel.kinds & self.audience.wanted

    def send(self, event: Event) -> None:
        """See Notifier.send."""
        if self.audience.hears(event):
            self.channel.send(event)
