"""Documents kept in an object store alone: for installations without a database."""

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from itertools import islice

from attrs import evolve, field, frozen

from daylily.adapters.documents import (
    after_key,
    clash,
    damaged_document,
    is_sound,
    page_of_documents,
    readable,
    stale,
    unknown,
)
from daylily.adapters.keys import check_folder
from daylily.adapters.paging import time_key
from daylily.domain.errors import AlreadyExistsError, InvalidInputError, NotFoundError
from daylily.ports.clock import Clock
from daylily.ports.documents import Document
from daylily.ports.object_store import ObjectStore
from daylily.ports.paging import Page, every


@frozen(eq=False)
class ObjectDocumentStore:
    """
    Documents on top of any ObjectStore: one object each, replaced only as it was read.

    Costs: ``add`` 1 call; ``get`` 1; ``replace`` 3; a page 1 for each thousand keys of the partition,
    and 1 for each document on it. What has expired stays until something takes its place.

    Args:
        clock: Tells what has expired.
        folder: Where they are; nothing else may write there.
    """

    objects: ObjectStore
    clock: Clock
    folder: str = field(default="worksets/.daylily/documents/", converter=check_folder)

    def add(self, document: Document) -> Document:
        """See DocumentStore.add."""
        key = self._key(document.kind, document.partition, document.key)
        first = evolve(document, version=1)
        with suppress(AlreadyExistsError):
            self.objects.put(key, _encoded(first), if_absent=True)
            return first
        # The etag first: what is read is then that object, or the replacing refuses.
        etag = self.objects.info(key).etag
        there = self._read(document.kind, document.partition, document.key)
        successor = evolve(document, version=there.version + 1)
        if there.expired(self.clock()) and self.objects.replace(key, _encoded(successor), if_etag=etag):
            return successor
        raise clash(document)

    def get(self, kind: str, partition: str, key: str) -> Document:
        """See DocumentStore.get."""
        found = self._read(kind, partition, key)
        if found.expired(self.clock()):
            raise unknown(kind, key)
        return found

    def replace(self, document: Document) -> Document:
        """See DocumentStore.replace."""
        kind, partition, name = document.kind, document.partition, document.key
        key = self._key(kind, partition, name)
        try:
            etag = self.objects.info(key).etag
        except NotFoundError:
            raise unknown(kind, name) from None
        there = self.get(kind, partition, name)
        replaced = evolve(document, version=document.version + 1)
        if there.version == document.version and self.objects.replace(
            key, _encoded(replaced), if_etag=etag
        ):
            return replaced
        raise stale(document)

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
        last = after_key(after, limit=limit, newest_first=newest_first)
        if not is_sound(kind, partition):
            return Page(())
        found = islice(self._listed(kind, partition, last, newest_first=newest_first), limit + 1)
        return page_of_documents(list(found), limit, newest_first=newest_first)

    def _listed(
        self, kind: str, partition: str, last: str | None, *, newest_first: bool
    ) -> Iterator[Document]:
        # Stores list keys forwards alone, and each in an order of its own where there are folders.
        folder = f"{self.folder}{kind}/{partition}/"
        infos = every(lambda cursor: self.objects.list(folder, cursor=cursor))
        keys = sorted((info.key.removeprefix(folder) for info in infos), reverse=newest_first)
        for key in keys:
            if last is not None and (key >= last if newest_first else key <= last):
                continue
            with suppress(NotFoundError):
                yield from readable([key], lambda key: self.get(kind, partition, key))

    def _read(self, kind: str, partition: str, key: str) -> Document:
        if not is_sound(kind, partition, key):
            raise unknown(kind, key)
        try:
            with self.objects.open(self._key(kind, partition, key)) as stream:
                record = stream.read()
        except NotFoundError:
            raise unknown(kind, key) from None
        try:
            plain = json.loads(record)
            expires_at = plain["expires_at"]
            return Document(
                kind=kind,
                partition=partition,
                key=key,
                body=plain["body"],
                version=plain["version"],
                expires_at=None if expires_at is None else datetime.fromisoformat(expires_at),
            )
        except (KeyError, TypeError, ValueError, AttributeError, InvalidInputError) as error:
            raise damaged_document(kind, key, error) from error

    def _key(self, kind: str, partition: str, key: str) -> str:
        return f"{self.folder}{kind}/{partition}/{key}"


def _encoded(document: Document) -> bytes:
    plain = {
        "body": document.body,
        "version": document.version,
        "expires_at": None if document.expires_at is None else time_key(document.expires_at),
    }
    return json.dumps(plain, separators=(",", ":")).encode()
