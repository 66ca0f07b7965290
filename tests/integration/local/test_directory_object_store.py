"""DirectoryObjectStore, held to the contract of its port."""

from pathlib import Path

import pytest

from daylily.adapters.local.object_store import DirectoryObjectStore
from daylily.ports.object_store import ObjectStore
from daylily.testing.contracts.object_store import ObjectStoreContract


class TestDirectoryObjectStore(ObjectStoreContract):
    """The contract, on a directory."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> ObjectStore:
        """Return an empty store."""
        return DirectoryObjectStore(tmp_path / "files")
