"""Which news go to a channel."""

import pytest

from daylily.domain.audience import EVERYTHING, Audience
from daylily.domain.events import EventKind
from daylily.domain.lifecycle import Priority, State
from daylily.testing.samples import an_event


def test_nothing_said_means_everything() -> None:
    """As it has always been."""
    assert EVERYTHING.hears(an_event())


@pytest.mark.parametrize(
    ("fitting", "other"),
    [
        (Audience(kinds=frozenset({EventKind.COMPLETE})), Audience(kinds=frozenset({EventKind.ERROR}))),
        (Audience(states=frozenset({State.COMPLETE})), Audience(states=frozenset({State.ERROR}))),
        (
            Audience(priorities=frozenset({Priority.NORMAL})),
            Audience(priorities=frozenset({Priority.URGENT})),
        ),
        (Audience(customers=frozenset({"acme"})), Audience(customers=frozenset({"umbrella"}))),
    ],
)
def test_what_is_said_has_to_fit(fitting: Audience, other: Audience) -> None:
    """By each of the four."""
    event = an_event(kind=EventKind.COMPLETE)
    assert fitting.hears(event)
    assert not other.hears(event)


def test_all_of_it_has_to_fit() -> None:
    """One that does not fit is enough."""
    audience = Audience(kinds=frozenset({EventKind.COMPLETE}), customers=frozenset({"umbrella"}))
    assert not audience.hears(an_event(kind=EventKind.COMPLETE))
