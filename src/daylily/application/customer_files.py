"""What customers keep in their own space: uploads that worksets are made of."""

from typing import BinaryIO

from attrs import evolve, frozen

from daylily.application.places import Places
from daylily.domain.customers import Principal
from daylily.domain.errors import NotFoundError
from daylily.ports.customers import Customers
from daylily.ports.object_store import ObjectInfo, ObjectStore
from daylily.ports.paging import Page


@frozen
class CustomerFiles:
    """A customer's files; keys are relative to the customer's space, which nothing leads out of."""

    objects: ObjectStore
    customers: Customers
    places: Places

    def put(self, who: Principal, customer_id: str, key: str, source: BinaryIO) -> ObjectInfo:
        """
        Store a file, streaming it.

        Raises:
            NotFoundError: There is no such customer for the caller.
            InvalidInputError: *key* is not a relative path.
        """
        self._check(who, customer_id)
        stored = self.objects.put(self.places.file(customer_id, key), source)
        return evolve(stored, key=key)

    def list(
        self, who: Principal, customer_id: str, *, prefix: str = "", cursor: str | None = None
    ) -> Page[ObjectInfo]:
        """
        Return files whose keys start with *prefix*.

        Raises:
            NotFoundError: There is no such customer for the caller.
        """
        self._check(who, customer_id)
        folder = self.places.folder(customer_id)
        page = self.objects.list(folder + prefix, cursor=cursor)
        named = (evolve(info, key=info.key.removeprefix(folder)) for info in page.items)
        return Page(tuple(named), page.cursor)

    def delete(self, who: Principal, customer_id: str, key: str) -> bool:
        """
        Remove a file; return whether it was there.

        Raises:
            NotFoundError: There is no such customer for the caller.
            InvalidInputError: *key* is not a relative path.
        """
        self._check(who, customer_id)
        return self.objects.delete(self.places.file(customer_id, key))

    def _check(self, who: Principal, customer_id: str) -> None:
        if not who.sees(customer_id):
            raise NotFoundError(f"there is no customer {customer_id}")
        self.customers.get(customer_id)
