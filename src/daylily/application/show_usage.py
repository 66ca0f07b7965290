"""Tell what a customer uses: storage, worksets, what they were said to cost and what they have cost."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from attrs import define, field, frozen

from daylily.application.places import Places
from daylily.application.workers import Workers
from daylily.domain.customers import Customer, Principal
from daylily.domain.errors import NotFoundError
from daylily.domain.lifecycle import State
from daylily.domain.workset import Workset
from daylily.ports.clock import Clock
from daylily.ports.customers import Customers
from daylily.ports.object_store import ObjectStore
from daylily.ports.paging import every
from daylily.ports.state_store import Filter, StateStore

REMEMBERED: Final = timedelta(minutes=1)
"""For how long sizes are not counted anew: a listing of each directory is not for every glance."""
_PAGE: Final = 1000
_YEAR: Final = 12


@define
class Month:
    """What was submitted in a month of UTC."""

    month: str
    """``2026-05``."""
    worksets: int = 0
    samples: int = 0
    complete: int = 0
    estimated_usd: Decimal = Decimal(0)
    recorded_usd: Decimal = Decimal(0)

    def add(self, workset: Workset) -> None:
        """Count a workset."""
        self.worksets += 1
        self.samples += len(workset.manifest.samples)
        self.complete += State.COMPLETE in {workset.state, workset.archived_from}
        if workset.estimate is not None:
            self.estimated_usd += workset.estimate.total_usd
        self.recorded_usd += workset.recorded_usd or 0


@frozen(kw_only=True)
class Usage:
    """What a customer uses."""

    customer: Customer
    files_bytes: int
    worksets_bytes: int
    """Of the directories of worksets of these months: what was copied for them, and their results."""
    months: tuple[Month, ...]
    """The latest first; each, whether anything was submitted in it or not."""

    @property
    def stored_bytes(self) -> int:
        """All in all."""
        return self.files_bytes + self.worksets_bytes


@frozen(kw_only=True)
class ShowUsage:
    """
    Add up a customer's months.

    Cost: the pages of the customer's worksets of these months, and, once a minute, a listing of their
    files and of each directory.
    """

    store: StateStore
    objects: ObjectStore
    customers: Customers
    places: Places
    clock: Clock
    workers: Workers = Workers()
    _sizes: dict[tuple[str, int], tuple[datetime, int, int]] = field(init=False, factory=dict)

    def __call__(self, who: Principal, customer_id: str, *, months: int = 12) -> Usage:
        """
        Return what the customer uses.

        Args:
            months: How many, the present one included.

        Raises:
            NotFoundError: There is no such customer for the caller.
            UnavailableError: A store does not answer.
        """
        unknown = NotFoundError(f"there is no customer {customer_id}")
        if not who.sees(customer_id):
            raise unknown
        try:
            customer = self.customers.get(customer_id)
        except NotFoundError:
            raise unknown from None
        now = self.clock()
        found = {name: Month(name) for name in _names(now, months)}
        listed = []
        for workset in self._worksets(customer_id, min(found)):
            found[_month(workset.created_at)].add(workset)
            if workset.state is not State.DELETED:
                listed.append(workset.workset_id)
        files, directories = self._bytes(customer_id, months, listed, now)
        return Usage(
            customer=customer,
            files_bytes=files,
            worksets_bytes=directories,
            months=tuple(found.values()),
        )

    def stored(self, customer_id: str) -> int:
        """
        Measure anew, and return how many bytes a customer stores, of which a year counts.

        Raises:
            NotFoundError: There is no such customer.
            UnavailableError: A store does not answer.
        """
        self._sizes.pop((customer_id, _YEAR), None)
        everybody = Principal(name="", customer_id=customer_id)
        return self(everybody, customer_id, months=_YEAR).stored_bytes

    def _worksets(self, customer_id: str, first: str) -> Iterator[Workset]:
        since = datetime.fromisoformat(f"{first}-01T00:00:00+00:00")
        where = Filter(customer_id=customer_id, created_from=since)
        return every(lambda cursor: self.store.list(where, cursor=cursor, limit=_PAGE))

    def _bytes(
        self, customer_id: str, months: int, worksets: list[str], now: datetime
    ) -> tuple[int, int]:
        known = self._sizes.get((customer_id, months))
        if known is not None and now - known[0] < REMEMBERED:
            return known[1:]
        files = self._size(self.places.folder(customer_id))
        folders = [self.places.directory(each) for each in worksets]
        directories = sum(self.workers.each(self._size, folders))
        self._sizes[customer_id, months] = (now, files, directories)
        return files, directories

    def _size(self, folder: str) -> int:
        return sum(each.size for each in every(lambda c: self.objects.list(folder, cursor=c)))


def _month(at: datetime) -> str:
    return f"{at:%Y-%m}"


def _names(now: datetime, months: int) -> Iterator[str]:
    """Yield the names of the latest months."""
    count = now.year * 12 + now.month - 1
    for number in range(count, count - months, -1):
        yield f"{number // 12:04}-{number % 12 + 1:02}"
