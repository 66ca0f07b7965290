"""Random lives, played on InMemoryStateStore."""

from hypothesis import settings

from daylily.adapters.memory.state_store import InMemoryStateStore
from daylily.ports.state_store import StateStore
from daylily.testing.contracts.state_store_machine import StateStoreMachine


class InMemoryStateStoreMachine(StateStoreMachine):
    """The machine, on dicts."""

    def make_store(self) -> StateStore:
        """Return an empty store."""
        return InMemoryStateStore()


TestInMemoryStateStoreMachine = InMemoryStateStoreMachine.TestCase
TestInMemoryStateStoreMachine.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None
)
