"""Priorities, the order of the queue, errors, events and customers."""

import copy
import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daylily.domain import errors
from daylily.domain.customers import Customer, Principal
from daylily.domain.errors import CursorError, DaylilyError, Fault, InvalidInputError
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
def test_nobody_is_passed_over_for_ever(waiting: list[tuple[Priority, datetime]]) -> None:
    """
    Who comes first is urgent before normal before low, then oldest, whatever time zone a clock was in;
    but what came two days earlier than something one priority above it goes first.
    """

    def at(one: tuple[Priority, datetime]) -> datetime:
        return one[1] + timedelta(days=2) * one[0].rank

    assert [queue_rank(*one) for one in sorted(waiting, key=at)] == sorted(
        queue_rank(*one) for one in waiting
    )


@pytest.mark.parametrize("one", list(Priority))
@pytest.mark.parametrize("two", list(Priority))
def test_urgent_goes_first_within_the_bound(one: Priority, two: Priority) -> None:
    """Of two that came less than two days apart, the more urgent goes first, whichever came first."""
    later = NOON + timedelta(days=2) - timedelta(microseconds=1)
    ranks = queue_rank(one, later), queue_rank(two, NOON)
    assert (ranks[0] < ranks[1]) is (one.rank < two.rank)


def test_rank_of_the_queue() -> None:
    """The text on the wire: when it was submitted, two days later for each priority below urgent."""
    assert queue_rank(Priority.URGENT, NOON) == "2025-06-02T12:00:00.000000Z"
    assert queue_rank(Priority.NORMAL, NOON) == "2025-06-04T12:00:00.000000Z"
    assert queue_rank(Priority.LOW, NOON) == "2025-06-06T12:00:00.000000Z"


def test_rank_at_the_end_of_time() -> None:
    """Nobody's clock can break the queue."""
    end = datetime.max.replace(tzinfo=UTC)
    assert queue_rank(Priority.LOW, end) > queue_rank(Priority.NORMAL, end)


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


def pickled(error: InvalidInputError) -> InvalidInputError:
    """Return what comes out of a pickle of it."""
    again: InvalidInputError = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    return again


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, pickled])
def test_invalid_input_travels(again: Callable[[InvalidInputError], InvalidInputError]) -> None:
    """Between processes, and copied, an error keeps its kind, its faults and its text."""
    error = CursorError([Fault("a", "is bad"), Fault("b", "is worse")])
    same = again(error)
    assert (type(same), same.faults, str(same)) == (CursorError, error.faults, str(error))


def test_everything_raised_on_purpose_has_one_base() -> None:
    """Entrypoints catch DaylilyError, and let bugs keep their tracebacks."""
    raised = [
        value
        for name, value in vars(errors).items()
        if name.endswith("Error") and value.__module__ == errors.__name__
    ]

    assert raised
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
