"""How much a customer may store, and whether there is room for more."""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from attrs import evolve, frozen

from daylily.domain.errors import (
    AlreadyExistsError,
    ConcurrentUpdateError,
    NotFoundError,
    QuotaError,
)
from daylily.ports.clock import Clock
from daylily.ports.customers import Customers
from daylily.ports.documents import Document, DocumentStore, is_name

KIND: Final = "storage"
GB: Final = 1 << 30
TRUSTED: Final = timedelta(days=1)
"""How long a count is gone by, before all is measured again: it does not notice what is removed."""
SOONEST: Final = timedelta(minutes=1)
"""How old a count has to be, for all to be measured again before somebody is refused."""

_KEY: Final = "used"


@frozen
class _Count:
    """What is said to be stored."""

    size: int
    measured_at: datetime
    document: Document

    @classmethod
    def of(cls, document: Document) -> "_Count":
        body = json.loads(document.body)
        return cls(body["bytes"], datetime.fromisoformat(body["measured_at"]), document)


@frozen(kw_only=True)
class StorageQuota:
    """
    Counts what customers store, in one document each that is compared and set.

    What comes is added to the count; what is removed is noticed when all is measured again: once a
    day, and before anybody is refused.

    Args:
        measure: Lists all that a customer stores, and returns its bytes.
        own: The customer that the installation itself is: nothing was agreed upon with it.
    """

    documents: DocumentStore
    customers: Customers
    clock: Clock
    measure: Callable[[str], int]
    own: str

    def bounds(self, customer_id: str) -> bool:
        """Tell whether anything was agreed upon with a customer."""
        return customer_id != self.own and is_name(customer_id)

    def note(self, customer_id: str, size: int) -> None:
        """
        Count what has been stored, of which nobody knew before how large it would be.

        Raises:
            UnavailableError: A store does not answer.
        """
        while self.bounds(customer_id) and size:
            with suppress(AlreadyExistsError, ConcurrentUpdateError):
                count = self._count(customer_id)
                self._store(count, count.size + size, count.measured_at)
                return

    def take(self, customer_id: str, size: int) -> None:
        """
        Count what is about to be stored; of many who do so at once, none goes beyond the limit.

        Args:
            size: Bytes; 0 asks whether there is any room at all.

        Raises:
            QuotaError: There is no room for it.
            NotFoundError: There is no such customer.
            UnavailableError: A store does not answer.
        """
        if not self.bounds(customer_id):
            return
        limit = self.customers.get(customer_id).max_storage_gb
        while True:
            with suppress(AlreadyExistsError, ConcurrentUpdateError):
                count = self._count(customer_id)
                age = self.clock() - count.measured_at
                full = count.size + size > limit * GB or count.size >= limit * GB
                if age >= TRUSTED or (full and age >= SOONEST):
                    self._store(count, self.measure(customer_id), self.clock())
                    continue
                if full:
                    raise QuotaError(
                        f"{customer_id} may store {limit:g} GB, and stores {count.size / GB:.2f}:"
                        f" there is no room for {size / GB:.2f} GB more"
                    )
                if size:
                    self._store(count, count.size + size, count.measured_at)
                return

    def used(self, customer_id: str) -> tuple[int, datetime]:
        """
        Return how many bytes a customer stores, as last counted, and when all was measured.

        Raises:
            NotFoundError: There is no such customer.
            UnavailableError: A store does not answer.
        """
        if not is_name(customer_id):
            return self.measure(customer_id), self.clock()
        while True:
            with suppress(AlreadyExistsError, ConcurrentUpdateError):
                count = self._count(customer_id)
                if self.clock() - count.measured_at < TRUSTED:
                    return count.size, count.measured_at
                self._store(count, self.measure(customer_id), self.clock())

    def _count(self, customer_id: str) -> _Count:
        try:
            return _Count.of(self.documents.get(KIND, customer_id, _KEY))
        except NotFoundError:
            new = Document(
                kind=KIND,
                partition=customer_id,
                key=_KEY,
                body=_body(self.measure(customer_id), self.clock()),
            )
            return _Count.of(self.documents.add(new))

    def _store(self, count: _Count, size: int, measured_at: datetime) -> None:
        self.documents.replace(evolve(count.document, body=_body(size, measured_at)))


def _body(size: int, measured_at: datetime) -> str:
    return json.dumps({"bytes": size, "measured_at": measured_at.isoformat()})
