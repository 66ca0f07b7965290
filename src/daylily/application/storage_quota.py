"""How much a customer may store, and whether there is room for more."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from typing import BinaryIO, Final, cast

from attrs import evolve, field, frozen

from daylily.application.bounded_source import BoundedSource, Holding
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
HELD: Final = timedelta(hours=1)
"""How long room is held for what is on its way, from the last time that more was asked for."""

_KEY: Final = "used"


@frozen
class _Count:
    """What is said to be stored, and what room is held for what is on its way."""

    size: int
    measured_at: datetime
    document: Document
    held: Mapping[str, tuple[int, datetime]] = field(factory=dict)
    """Bytes by holder, and until when: who has died holds nothing for ever."""

    @classmethod
    def of(cls, document: Document, now: datetime) -> "_Count":
        body = json.loads(document.body)
        found = {
            holder: (size, datetime.fromisoformat(until))
            for holder, (size, until) in body.get("held", {}).items()
        }
        held = {holder: (size, until) for holder, (size, until) in found.items() if until > now}
        return cls(body["bytes"], datetime.fromisoformat(body["measured_at"]), document, held)

    @property
    def used(self) -> int:
        """What is stored or on its way."""
        return self.size + sum(size for size, _ in self.held.values())

    @property
    def body(self) -> str:
        """It as a document has it."""
        held = {holder: [size, until.isoformat()] for holder, (size, until) in self.held.items()}
        at = self.measured_at.isoformat()
        return json.dumps({"bytes": self.size, "measured_at": at, "held": held})


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
        limit = self._limit(customer_id)
        while True:
            with suppress(AlreadyExistsError, ConcurrentUpdateError):
                count = self._with_room(customer_id, limit, size)
                if size:
                    self._store(evolve(count, size=count.size + size))
                return

    @contextmanager
    def letting_in(
        self, customer_id: str, source: BinaryIO, *, size: int | None = None, kept: bool = True
    ) -> Iterator[BinaryIO]:
        """
        Yield a source that gives as much as there is room for, and then raises QuotaError.

        Room is held before bytes are handed on, step by step where nobody knows how many there will be:
        of many who come at once, none goes beyond the limit. What has come is counted when the block
        ends well, and nothing of it otherwise.

        Args:
            size: Bytes, where they are known before.
            kept: Whether what has come stays where it is put.

        Raises:
            QuotaError: There is no room for it, or none at all.
            NotFoundError: There is no such customer.
            UnavailableError: A store does not answer.
        """
        if not self.bounds(customer_id):
            yield source
            return
        bounded = BoundedSource(source, partial(self._hold, customer_id))
        bounded.make_room(size or 1, at_least=size or 1)
        came = 0
        try:
            yield cast(BinaryIO, bounded)
            came = bounded.came if kept else 0
        finally:
            self._let_go(customer_id, bounded.holder, came)

    def used(self, customer_id: str) -> tuple[int, datetime]:
        """
        Return how many bytes a customer stores, as last counted, and when all was measured.

        Raises:
            UnavailableError: A store does not answer.
        """
        if not is_name(customer_id):
            return self.measure(customer_id), self.clock()
        while True:
            with suppress(AlreadyExistsError, ConcurrentUpdateError):
                count = self._fresh(customer_id, TRUSTED)
                return count.size, count.measured_at

    def _hold(self, customer_id: str, holder: str, held: int, more: int, at_least: int) -> Holding:
        """
        Hold more room for somebody; return who that is from now on, and how much they hold.

        Args:
            holder: Empty for somebody who holds nothing yet.
            more: Bytes that would be welcome.
            at_least: Bytes that are needed.
        """
        limit = self._limit(customer_id)
        while True:
            with suppress(AlreadyExistsError, ConcurrentUpdateError):
                count = self._with_room(customer_id, limit, at_least)
                # A document has each version once.
                name = holder or str(count.document.version)
                size = held + max(min(more, int(limit * GB) - count.used), at_least)
                until = self.clock() + HELD
                self._store(evolve(count, held={**count.held, name: (size, until)}))
                return Holding(name, size)

    def _let_go(self, customer_id: str, holder: str, came: int) -> None:
        while True:
            with suppress(AlreadyExistsError, ConcurrentUpdateError):
                count = self._count(customer_id)
                others = {name: each for name, each in count.held.items() if name != holder}
                self._store(evolve(count, size=count.size + came, held=others))
                return

    def _limit(self, customer_id: str) -> float:
        return self.customers.get(customer_id).max_storage_gb

    def _with_room(self, customer_id: str, limit: float, size: int) -> _Count:
        """
        Return the count, which has room for *size* more bytes.

        Raises:
            QuotaError: It has not.
            ConcurrentUpdateError: Somebody else has changed it: ask again.
        """
        count = self._fresh(customer_id, TRUSTED)
        if _is_full(count, limit, size):
            count = self._fresh(customer_id, SOONEST)
        if _is_full(count, limit, size):
            raise QuotaError(
                f"{customer_id} may store {limit:g} GB, and stores {count.used / GB:.2f}:"
                f" there is no room for {size / GB:.2f} GB more"
            )
        return count

    def _fresh(self, customer_id: str, trusted: timedelta) -> _Count:
        """Return the count; if it is as old as that, all is measured first."""
        count = self._count(customer_id)
        if self.clock() - count.measured_at < trusted:
            return count
        measured = evolve(count, size=self.measure(customer_id), measured_at=self.clock())
        return evolve(measured, document=self._store(measured))

    def _count(self, customer_id: str) -> _Count:
        now = self.clock()
        try:
            return _Count.of(self.documents.get(KIND, customer_id, _KEY), now)
        except NotFoundError:
            new = Document(kind=KIND, partition=customer_id, key=_KEY, body="")
            first = _Count(self.measure(customer_id), now, new)
            return evolve(first, document=self.documents.add(evolve(new, body=first.body)))

    def _store(self, count: _Count) -> Document:
        return self.documents.replace(evolve(count.document, body=count.body))


def _is_full(count: _Count, limit: float, size: int) -> bool:
    return count.used + size > limit * GB or count.used >= limit * GB
