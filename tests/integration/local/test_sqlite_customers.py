"""SQLiteCustomers, held to the contract of its port."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from daylily.adapters.local.customers import SQLiteCustomers
from daylily.adapters.local.state_store import SQLiteStateStore
from daylily.ports.customers import Customers
from daylily.testing.contracts.customers import CustomersContract
from daylily.testing.samples import a_customer, a_workset


class TestSQLiteCustomers(CustomersContract):
    """The contract, on a file."""

    @pytest.fixture
    def customers(self, tmp_path: Path) -> Iterator[Customers]:
        """Return a store of no customers."""
        with SQLiteCustomers(tmp_path / "state.db") as customers:
            yield customers


def test_one_file_holds_customers_and_worksets(tmp_path: Path) -> None:
    """Both stores can share a file, whichever makes it."""
    path = tmp_path / "new" / "state.db"
    with SQLiteCustomers(path) as customers, SQLiteStateStore(path) as worksets:
        customers.add(a_customer())
        worksets.add(a_workset())
    with SQLiteStateStore(path) as worksets, SQLiteCustomers(path) as customers:
        assert customers.get("acme") == a_customer()
        assert worksets.get("ws-1").version == 1
