"""Take on customers, look at them, and change what was agreed upon with them."""

import re
from collections.abc import Iterator
from typing import Any, Final

from attrs import evolve, frozen

from daylily.domain.customers import Customer, Principal, Scope
from daylily.domain.errors import Fault, InvalidInputError, NotAllowedError, NotFoundError
from daylily.domain.names import check_id
from daylily.ports.clock import Chance
from daylily.ports.customers import Customers
from daylily.ports.paging import Page

MOST_WORKSETS: Final = 50
LEAST_STORAGE: Final = 100
MOST_STORAGE: Final = 10_000
_LINE: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,100}")
_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}")
_NOT_SLUG: Final = re.compile(r"[^a-z0-9]+")


@frozen(kw_only=True)
class ManageCustomers:
    """
    The customers, as operators see to them.

    A customer is a record and nothing else: no bucket is made for one, so none can turn out to be a
    stranger's, and nothing is left half-made (D-50). Their files are in a folder of the one bucket.
    """

    customers: Customers
    chance: Chance

    def create(self, who: Principal, customer: Customer) -> Customer:
        """
        Take on a customer under a new id, made from the name and some letters of chance.

        Raises:
            NotAllowedError: The caller is no operator.
            InvalidInputError: Something is wrong with it; every fault is listed.
        """
        _only_operators(who)
        if faults := [*faults_of_customer(customer)]:
            raise InvalidInputError(faults)
        slug = _NOT_SLUG.sub("-", customer.name.lower())[:20].strip("-") or "customer"
        made = evolve(customer, customer_id=check_id(f"{slug}-{self.chance.token()}"))
        self.customers.add(made)
        return made

    def get(self, who: Principal, customer_id: str) -> Customer:
        """
        Return a customer.

        Raises:
            NotFoundError: There is no such customer for the caller.
        """
        unknown = NotFoundError(f"there is no customer {customer_id}")
        if not who.sees(customer_id):
            raise unknown
        try:
            return self.customers.get(customer_id)
        except NotFoundError:
            raise unknown from None

    def list(self, who: Principal, *, cursor: str | None = None, limit: int = 100) -> Page[Customer]:
        """
        Return all customers, by id.

        Raises:
            NotAllowedError: The caller is no operator.
        """
        if not who.operator:
            raise NotAllowedError("only operators list customers")
        return self.customers.list(cursor=cursor, limit=limit)

    def change(self, who: Principal, customer_id: str, **changes: Any) -> Customer:
        """
        Change some fields of a customer.

        Raises:
            NotFoundError: There is no such customer for the caller.
            NotAllowedError: The caller is no operator.
            InvalidInputError: Something is wrong with it; every fault is listed.
            ConcurrentUpdateError: Somebody else has just changed it.
        """
        before = self.get(who, customer_id)
        _only_operators(who)
        after = evolve(before, **changes)
        said = {_WIRE.get(name, name) for name in changes}
        # What an installation was set up with may be beyond the bounds; it stays until it is changed.
        faults = [fault for fault in faults_of_customer(after) if fault.place in said]
        if faults:
            raise InvalidInputError(faults)
        if after != before:
            self.customers.save(before, after)
        return after


_WIRE: Final = {"name": "customer_name"}


def faults_of_customer(customer: Customer) -> Iterator[Fault]:
    """Yield what is wrong with a customer, under the names that the wire has for it."""
    if not _LINE.fullmatch(customer.name) or not customer.name.strip():
        yield Fault("customer_name", "must be 1 to 100 printable characters")
    if customer.email is not None and not _EMAIL.fullmatch(customer.email):
        yield Fault("email", f"{customer.email[:80]!r} is not an e-mail address")
    if not 1 <= customer.max_concurrent_worksets <= MOST_WORKSETS:
        yield Fault("max_concurrent_worksets", f"must be from 1 to {MOST_WORKSETS}")
    if not LEAST_STORAGE <= customer.max_storage_gb <= MOST_STORAGE:
        yield Fault("max_storage_gb", f"must be from {LEAST_STORAGE} to {MOST_STORAGE}")
    for place in ("billing_account_id", "cost_center"):
        text = getattr(customer, place)
        if text is not None and not _LINE.fullmatch(text):
            yield Fault(place, "must be 1 to 100 printable characters")


def _only_operators(who: Principal) -> None:
    if not (who.operator and who.scope.covers(Scope.ADMIN)):
        raise NotAllowedError("only operators take on customers and change them")
