"""Priorities, the order of the queue, errors, events and customers."""

from datetime import datetime, timedelta, timezone
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daylily.domain import errors
from daylily.domain.customers import Customer, Principal
from daylily.domain.errors import DaylilyError, Fault, InvalidInputError
from daylily.domain.lifecycle import Priority
from daylily.domain.scheduling import queue_rank
from daylily.testing.samples import NOON

ZONES: Final = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
MOMENTS: Final = st.datetimes(
    min_value=(NOON - timedelta(days=20_000)).replace(tzinfo=None),
    max_value=(NOON + timedelta(days=20_000)).replace(tzinfo=None),
    timezones=ZONES,
)
WAITING: Final = st.tuples(st.sampled_from(Priority), MOMENTS)


def test_priorities_rank_by_urgency() -> None:
    """Urgent first; ``high`` of old portals reads as urgent (contract 2.10)."""
    assert sorted(Priority, key=lambda priority: priority.rank) == ["urgent", "normal", "low"]
    assert Priority("high") is Priority.URGENT


@pytest.mark.parametrize("word", ["", "HIGH", "asap"])
def test_unknown_priority(word: str) -> None:
    """Anything else is refused."""
    with pytest.raises(ValueError, match="is not a valid Priority"):
        Priority(word)


@given(st.lists(WAITING))
def test_text_order_is_queue_order(waiting: list[tuple[Priority, datetime]]) -> None:
    """Sorting by rank is sorting by priority, then by age, whatever time zone a clock was in."""
    assert [
        queue_rank(*one) for one in sorted(waiting, key=lambda one: (one[0].rank, one[1]))
    ] == sorted(queue_rank(*one) for one in waiting)


def test_rank_of_the_queue() -> None:
    """The text on the wire (design: the DynamoDB table)."""
    assert queue_rank(Priority.NORMAL, NOON) == "1#2025-06-02T12:00:00.000000Z"


def test_faults_say_where() -> None:
    """A fault of the whole has no place before its message."""
    assert str(Fault("row 3, R1_FQ", "is empty")) == "row 3, R1_FQ: is empty"
    assert str(Fault("", "is no YAML")) == "is no YAML"


def test_invalid_input_tells_all_faults() -> None:
    """One line each, and as values."""
    error = InvalidInputError(iter([Fault("a", "is bad"), Fault("b", "is worse")]))

    assert str(error) == "a: is bad\nb: is worse"
    assert [fault.place for fault in error.faults] == ["a", "b"]
    assert InvalidInputError.of("c", "too").faults == (Fault("c", "too"),)


def test_everything_raised_on_purpose_has_one_base() -> None:
    """Entrypoints catch DaylilyError, and let bugs keep their tracebacks."""
    raised = [
        value
        for name, value in vars(errors).items()
        if name.endswith("Error") and value.__module__ == errors.__name__
    ]

    assert len(raised) == 10
    assert all(issubclass(error, DaylilyError) for error in raised)
    assert all(error.__doc__ for error in raised)


def test_principal_sees_its_own() -> None:
    """Operators see every customer, anybody else one."""
    ada = Principal(name="ada", customer_id="acme")
    root = Principal(name="root", customer_id="acme", operator=True)

    assert (ada.sees("acme"), ada.sees("other")) == (True, False)
    assert root.sees("other")


def test_customers_have_limits() -> None:
    """The defaults of contract 3.9."""
    customer = Customer(customer_id="acme", name="Acme Genomics")

    assert (customer.max_concurrent_worksets, customer.max_storage_gb) == (5, 1000.0)
