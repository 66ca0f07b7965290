"""Documents kept in a dict."""

import threading

from attrs import define, evolve, field

from daylily.adapters.documents import after_key, clash, page_of_documents, stale, unknown
from daylily.ports.clock import Clock
from daylily.ports.documents import Document
from daylily.ports.paging import Page

_Place = tuple[str, str, str]


@define
class InMemoryDocumentStore:
    """Documents that last as long as the process; safe to share between threads."""

    clock: Clock
    _documents: dict[_Place, Document] = field(init=False, factory=dict, repr=False)
    _mutex: threading.Lock = field(init=False, factory=threading.Lock, repr=False)

    def add(self, document: Document) -> Document:
        """See DocumentStore.add."""
        with self._mutex:
            there = self._documents.get(_place(document))
            if there is not None and not there.expired(self.clock()):
                raise clash(document)
            return self._store(document, 0 if there is None else there.version)

    def get(self, kind: str, partition: str, key: str) -> Document:
        """See DocumentStore.get."""
        found = self._documents.get((kind, partition, key))
        if found is None or found.expired(self.clock()):
            raise unknown(kind, key)
        return found

    def replace(self, document: Document) -> Document:
        """See DocumentStore.replace."""
        with self._mutex:
            there = self.get(document.kind, document.partition, document.key)
            if there.version != document.version:
                raise stale(document)
            return self._store(document, there.version)

    def list(
        self,
        kind: str,
        partition: str,
        *,
        after: str | None = None,
        limit: int = 100,
        newest_first: bool = False,
    ) -> Page[Document]:
        """See DocumentStore.list."""
        last, now = after_key(after, limit=limit, newest_first=newest_first), self.clock()
        with self._mutex:
            found = [
                document
                for place, document in self._documents.items()
                if place[:2] == (kind, partition) and not document.expired(now)
            ]
        found.sort(key=lambda each: each.key, reverse=newest_first)
        if last is not None:
            found = [each for each in found if (each.key < last if newest_first else each.key > last)]
        return page_of_documents(found, limit, newest_first=newest_first)

    def _store(self, document: Document, version: int) -> Document:
        stored = evolve(document, version=version + 1)
        self._documents[_place(document)] = stored
        return stored


def _place(document: Document) -> _Place:
    return document.kind, document.partition, document.key
