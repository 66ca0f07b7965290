"""A channel that keeps what it is told."""

from attrs import define, field

from daylily.domain.events import Event


@define
class InMemoryNotifier:
    """A Notifier for tests and dry runs; safe to share between threads."""

    sent: list[Event] = field(factory=list)
    """Every event taken, in order, repeats and all."""

    def send(self, event: Event) -> None:
        """See Notifier.send."""
        self.sent.append(event)
