"""InMemoryNotifier, held to the contract of its port."""

from collections.abc import Sequence

import pytest

from daylily.adapters.memory.notifier import InMemoryNotifier
from daylily.ports.notifier import Notifier
from daylily.testing.contracts.notifier import NotifierContract


class TestInMemoryNotifier(NotifierContract):
    """The contract, on a list."""

    @pytest.fixture
    def notifier(self) -> Notifier:
        """Return a channel that has not been told anything."""
        return InMemoryNotifier()

    def told(self, notifier: Notifier) -> Sequence[str]:
        """Return the ids of what was sent."""
        assert isinstance(notifier, InMemoryNotifier)
        return [event.event_id for event in notifier.sent]
