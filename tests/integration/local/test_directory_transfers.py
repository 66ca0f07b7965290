"""Uploads in pieces, in a directory."""

from pathlib import Path

import pytest

from daylily.adapters.local.object_store import DirectoryObjectStore
from daylily.adapters.pieced_transfers import PiecedTransfers
from daylily.ports.object_store import ObjectStore
from daylily.ports.transfers import Transfers
from daylily.testing.clock import ManualClock
from daylily.testing.contracts.transfers import TransfersContract


class TestTransfersInADirectory(TransfersContract):
    """The contract."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> ObjectStore:
        """Return an empty store."""
        return DirectoryObjectStore(tmp_path)

    @pytest.fixture
    def transfers(self, store: ObjectStore) -> Transfers:
        """Return transfers of that store."""
        return PiecedTransfers(store, "files/.daylily/uploads/", ManualClock())
