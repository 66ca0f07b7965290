"""What every Customers owes."""

import pytest
from attrs import evolve

from daylily.domain.errors import (
    AlreadyExistsError,
    ConcurrentUpdateError,
    InvalidInputError,
    NotFoundError,
)
from daylily.ports.customers import Customers
from daylily.ports.paging import every
from daylily.testing.racing import RUNNERS, race
from daylily.testing.samples import a_customer


class CustomersContract:
    """Subclass it and give a fixture ``customers``."""

    @pytest.fixture
    def customers(self) -> Customers:
        """Return a store of no customers."""
        raise NotImplementedError(
            "override the fixture `customers` with one that returns an empty store"
        )

    def test_who_is_added_can_be_read(self, customers: Customers) -> None:
        """A customer reads back equal, whatever its fields hold."""
        customer = evolve(
            a_customer(), name="Ärzte & 試料", email=None, max_concurrent_worksets=1, max_storage_gb=0.5
        )
        customers.add(customer)
        assert customers.get("acme") == customer

    def test_an_unknown_customer_is_not_found(self, customers: Customers) -> None:
        """An id that was never added raises."""
        with pytest.raises(NotFoundError):
            customers.get("acme")

    def test_a_customer_is_added_once(self, customers: Customers) -> None:
        """A second customer of the same id is refused, and the first is left as it is."""
        customers.add(a_customer())
        with pytest.raises(AlreadyExistsError):
            customers.add(evolve(a_customer(), name="Another"))
        assert customers.get("acme") == a_customer()

    def test_one_of_many_adds_wins(self, customers: Customers) -> None:
        """Of 32 threads that add one id, one is told it did, and its customer is the stored one."""
        outcomes = race(lambda n: customers.add(evolve(a_customer(), name=str(n))))
        assert [type(outcome) for outcome in outcomes].count(AlreadyExistsError) == RUNNERS - 1
        assert customers.get("acme").name == str(outcomes.index(None))

    def test_changed_as_it_was_read(self, customers: Customers) -> None:
        """Of two who read the same customer, the second to change it is refused."""
        customers.add(a_customer())
        changed = evolve(a_customer(), name="Acme & Co", email=None, cost_center="42")
        customers.save(a_customer(), changed)
        assert customers.get("acme") == changed
        with pytest.raises(ConcurrentUpdateError):
            customers.save(a_customer(), evolve(a_customer(), max_storage_gb=7.5))
        assert customers.get("acme") == changed
        customers.save(changed, a_customer())
        assert customers.get("acme") == a_customer()

    def test_nobody_to_change(self, customers: Customers) -> None:
        """A customer that was never added cannot be changed."""
        with pytest.raises(NotFoundError):
            customers.save(a_customer(), a_customer())

    def test_one_of_many_changes_wins(self, customers: Customers) -> None:
        """Of 8 threads that change one customer as they read it, one is told it did."""
        customers.add(a_customer())
        outcomes = race(lambda n: customers.save(a_customer(), evolve(a_customer(), name=str(n))), 8)
        assert [type(outcome) for outcome in outcomes].count(ConcurrentUpdateError) == 7
        assert customers.get("acme").name == str(outcomes.index(None))

    @pytest.mark.parametrize("limit", [1, 2, 4, 5, 100])
    def test_listed_in_order_of_ids(self, customers: Customers, limit: int) -> None:
        """Pages are no longer than asked, and together hold every customer once, by id."""
        for name in ("zen", "acme-b", "acme", "Zeta"):
            customers.add(a_customer(name))
        page = customers.list(limit=limit)
        assert len(page.items) == min(limit, 4)

        found = list(every(lambda cursor: customers.list(cursor=cursor, limit=limit)))
        assert found == [a_customer(name) for name in ("Zeta", "acme", "acme-b", "zen")]

    @pytest.mark.parametrize("cursor", ["", "x", "W10", "é"])
    def test_a_cursor_that_is_not_ours_is_refused(self, customers: Customers, cursor: str) -> None:
        """Garbage is the caller's mistake."""
        with pytest.raises(InvalidInputError):
            customers.list(cursor=cursor)
