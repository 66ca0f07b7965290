"""ObjectStateStore and ObjectCustomers on files in directories, held to their ports' contracts."""

from pathlib import Path

import pytest

from daylily.adapters.local.object_store import DirectoryObjectStore
from daylily.adapters.object_customers import ObjectCustomers
from daylily.adapters.object_state_store import ObjectStateStore
from daylily.ports.customers import Customers
from daylily.ports.state_store import StateStore
from daylily.testing.clock import ManualClock
from daylily.testing.contracts.customers import CustomersContract
from daylily.testing.contracts.state_store import StateStoreContract


class TestStateInDirectories(StateStoreContract):
    """The contract."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> StateStore:
        """Return an empty store."""
        return ObjectStateStore(DirectoryObjectStore(tmp_path / "bucket"), ManualClock())


class TestCustomersInDirectories(CustomersContract):
    """The contract."""

    @pytest.fixture
    def customers(self, tmp_path: Path) -> Customers:
        """Return a store of no customers."""
        return ObjectCustomers(DirectoryObjectStore(tmp_path / "bucket"))
