"""SQLiteStateStore, held to the contract of its port."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from daylily.adapters.local.state_store import SQLiteStateStore
from daylily.ports.state_store import StateStore
from daylily.testing.contracts.outages import BrokenStateStoreContract
from daylily.testing.contracts.state_store import StateStoreContract


class TestSQLiteStateStore(StateStoreContract):
    """The contract, on a file."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[StateStore]:
        """Return an empty store."""
        with SQLiteStateStore(tmp_path / "state.db") as store:
            yield store


class TestBrokenSQLiteStateStore(BrokenStateStoreContract):
    """What it owes when its file is gone."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[StateStore]:
        """Return a store whose file has been removed."""
        with SQLiteStateStore(tmp_path / "state.db") as store:
            (tmp_path / "state.db").unlink()
            yield store
