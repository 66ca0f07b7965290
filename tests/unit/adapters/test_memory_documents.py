"""Documents in memory and on objects in memory, held to the contract of their port."""

import pytest

from daylily.adapters.memory.documents import InMemoryDocumentStore
from daylily.adapters.memory.object_store import InMemoryObjectStore
from daylily.adapters.object_documents import ObjectDocumentStore
from daylily.domain.errors import InvalidInputError, UnavailableError
from daylily.ports.documents import LARGEST_BODY, Document, DocumentStore
from daylily.testing.clock import ManualClock
from daylily.testing.contracts.documents import DocumentStoreContract, a_document


class TestInMemoryDocumentStore(DocumentStoreContract):
    """The contract, on a dict."""

    @pytest.fixture
    def documents(self, clock: ManualClock) -> DocumentStore:
        """Return a store of no documents."""
        return InMemoryDocumentStore(clock)


class TestObjectDocumentStore(DocumentStoreContract):
    """The contract, on objects."""

    @pytest.fixture
    def documents(self, clock: ManualClock) -> DocumentStore:
        """Return a store of no documents."""
        return ObjectDocumentStore(InMemoryObjectStore(), clock)


def test_a_document_has_sound_names() -> None:
    """All that is wrong with a document is told at once, and its body is never shown."""
    with pytest.raises(InvalidInputError) as told:
        Document(kind="Kind", partition="../x", key="", body="\ud800" + "x" * LARGEST_BODY)
    places = [fault.place for fault in told.value.faults]
    assert places == ["kind", "partition", "key", "body", "body"]
    assert "hash" not in repr(a_document(body="hash"))


@pytest.mark.parametrize("record", [b"", b"[]", b"{}", b'{"expires_at":"x","body":"","version":1}'])
def test_a_damaged_record_is_told(record: bytes) -> None:
    """An object that is no record is an outage, not an absence; it hides no other."""
    objects = InMemoryObjectStore()
    objects.put("worksets/.daylily/documents/note/acme/k-1", record)
    documents = ObjectDocumentStore(objects, ManualClock())
    with pytest.raises(UnavailableError, match="document note k-1"):
        documents.get("note", "acme", "k-1")
    sound = documents.add(Document(kind="note", partition="acme", key="k-2", body=""))
    assert documents.list("note", "acme").items == (sound,)
