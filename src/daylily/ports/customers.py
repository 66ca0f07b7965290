"""Where customers are kept."""

from typing import Protocol

from daylily.domain.customers import Customer
from daylily.ports.paging import Page


class Customers(Protocol):
    """The customers. Every method raises UnavailableError when they cannot be read."""

    def get(self, customer_id: str) -> Customer:
        """
        Return a customer.

        Raises:
            NotFoundError: There is none of that id.
        """

    def add(self, customer: Customer) -> None:
        """
        Take on a new customer.

        Raises:
            AlreadyExistsError: There is one of that id; it is left as it is.
        """

    def save(self, before: Customer, after: Customer) -> None:
        """
        Put *after* in the place of *before*, which has the same id.

        Raises:
            ConcurrentUpdateError: The stored customer is not *before*.
            NotFoundError: There is none of that id.
        """

    def list(self, *, cursor: str | None = None, limit: int = 100) -> Page[Customer]:
        """Return customers in order of their ids."""
