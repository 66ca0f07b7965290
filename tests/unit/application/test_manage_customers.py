"""Taking customers on, past HTTP: by whoever imports the library."""

import pytest
from tests.unit.application.lab import Lab

from daylily.domain.customers import Customer, Principal
from daylily.domain.errors import InvalidInputError

OPERATOR = Principal(name="op", customer_id="ops", operator=True)


def test_all_that_is_wrong_is_told_at_once() -> None:
    """A customer of whom something is wrong is not taken on; each fault is named by its place."""
    app = Lab().app()
    before = [each.customer_id for each in app.world.customers.list().items]
    with pytest.raises(InvalidInputError) as refused:
        app.manage.create(OPERATOR, Customer(customer_id="", name="", email="nobody"))
    assert {fault.place for fault in refused.value.faults} == {"customer_name", "email"}
    assert [each.customer_id for each in app.world.customers.list().items] == before
