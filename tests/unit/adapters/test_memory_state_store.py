"""InMemoryStateStore, held to the contract of its port."""

import pytest

from daylily.adapters.memory.state_store import InMemoryStateStore
from daylily.ports.state_store import StateStore
from daylily.testing.contracts.state_store import StateStoreContract


class TestInMemoryStateStore(StateStoreContract):
    """The contract, on dicts."""

    @pytest.fixture
    def store(self) -> StateStore:
        """Return an empty store."""
        return InMemoryStateStore()
