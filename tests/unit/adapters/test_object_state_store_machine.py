"""Random lives, played on ObjectStateStore."""

from hypothesis import settings

from daylily.adapters.memory.object_store import InMemoryObjectStore
from daylily.adapters.object_state_store import ObjectStateStore
from daylily.ports.state_store import StateStore
from daylily.testing.clock import ManualClock
from daylily.testing.contracts.state_store_machine import StateStoreMachine


class ObjectStateStoreMachine(StateStoreMachine):
    """The machine, on objects in memory."""

    def make_store(self) -> StateStore:
        """Return an empty store."""
        return ObjectStateStore(InMemoryObjectStore(), ManualClock(), ahead=2)


TestObjectStateStoreMachine = ObjectStateStoreMachine.TestCase
TestObjectStateStoreMachine.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
