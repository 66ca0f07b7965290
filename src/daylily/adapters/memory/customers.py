"""Customers kept in a dict."""

import threading

from attrs import define, field

from daylily.adapters.paging import check_limit, decode_cursor, encode_cursor, page_of
from daylily.domain.customers import Customer
from daylily.domain.errors import AlreadyExistsError, ConcurrentUpdateError, NotFoundError
from daylily.ports.paging import Page


@define
class InMemoryCustomers:
    """Customers that last as long as the process; safe to share between threads."""

    _customers: dict[str, Customer] = field(init=False, factory=dict)
    _mutex: threading.Lock = field(init=False, factory=threading.Lock)

    def get(self, customer_id: str) -> Customer:
        """See Customers.get."""
        try:
            return self._customers[customer_id]
        except KeyError:
            raise NotFoundError(f"there is no customer {customer_id}") from None

    def add(self, customer: Customer) -> None:
        """See Customers.add."""
        with self._mutex:
            if customer.customer_id in self._customers:
                raise AlreadyExistsError(f"there is a customer {customer.customer_id} already")
            self._customers[customer.customer_id] = customer

    def save(self, before: Customer, after: Customer) -> None:
        """See Customers.save."""
        with self._mutex:
            if self.get(before.customer_id) != before:
                raise ConcurrentUpdateError(f"{before.customer_id} has been changed: read it again")
            self._customers[before.customer_id] = after

    def list(self, *, cursor: str | None = None, limit: int = 100) -> Page[Customer]:
        """See Customers.list."""
        check_limit(limit)
        (after,) = decode_cursor("customers", cursor, 1) if cursor is not None else ("",)
        with self._mutex:
            found = [self._customers[each] for each in sorted(self._customers) if each > after]
        return page_of(found, limit, lambda last: encode_cursor("customers", last.customer_id))
