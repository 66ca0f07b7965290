"""InMemoryCustomers, held to the contract of its port."""

import pytest

from daylily.adapters.memory.customers import InMemoryCustomers
from daylily.ports.customers import Customers
from daylily.testing.contracts.customers import CustomersContract


class TestInMemoryCustomers(CustomersContract):
    """The contract, on a dict."""

    @pytest.fixture
    def customers(self) -> Customers:
        """Return a store of no customers."""
        return InMemoryCustomers()
