"""A channel that keeps what it is told."""

from attrs import define, field

from daylily.domain.events import ALL_NEWS, OPT_IN, Event, EventKind


@define
class InMemoryNotifier:
    """A Notifier for tests and dry runs; safe to share between threads."""

    sent: list[Event] = field(factory=list)
    """Every event taken, in order, repeats and all."""
    kinds: frozenset[EventKind] = ALL_NEWS - OPT_IN
    """See Notifier.kinds."""

    def send(self, event: Event) -> None:
        """See Notifier.send."""
        self.sent.append(event)
