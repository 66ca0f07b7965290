"""DirectoryObjectStore, held to the contract of its port."""

from pathlib import Path

import pytest

from daylily.adapters.local.object_store import DirectoryObjectStore
from daylily.ports.object_store import ObjectStore
from daylily.testing.contracts.object_store import ObjectStoreContract
from daylily.testing.contracts.outages import BrokenObjectStoreContract


class TestDirectoryObjectStore(ObjectStoreContract):
    """The contract, on a directory."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> ObjectStore:
        """Return an empty store."""
        return DirectoryObjectStore(tmp_path / "files")


class TestBrokenObjectStore(BrokenObjectStoreContract):
    """What it owes when its directory is gone."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> ObjectStore:
        """Return the store of a directory that has been taken away."""
        store = DirectoryObjectStore(tmp_path / "files")
        (tmp_path / "files").rename(tmp_path / "elsewhere")
        return store
