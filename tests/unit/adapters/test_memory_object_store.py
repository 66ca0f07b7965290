"""InMemoryObjectStore, held to the contract of its port."""

import pytest

from daylily.adapters.memory.object_store import InMemoryObjectStore
from daylily.ports.object_store import ObjectStore
from daylily.testing.contracts.object_store import ObjectStoreContract


class TestInMemoryObjectStore(ObjectStoreContract):
    """The contract, on a dict."""

    @pytest.fixture
    def store(self) -> ObjectStore:
        """Return an empty store."""
        return InMemoryObjectStore()

    def test_rest_is_told_from_change(self, store: ObjectStore) -> None:
        """While no name comes or goes, the mark stays; a new content is no new name."""
        store.put("w/a", b"x")
        mark = store.changed("w/", None)
        store.put("w/a", b"y")
        assert store.changed("w/", mark) is None
        assert InMemoryObjectStore().changed("w/", mark) is not None
