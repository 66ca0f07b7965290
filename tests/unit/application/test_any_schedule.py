"""A fleet under schedules that nobody thought of (``make soak`` for many more)."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from tests.unit.application.fleet import Cast, Fleet, casts

from daylily.testing.scripts import Happening, happenings


@pytest.mark.load
@settings(max_examples=2000)
@given(cast=casts(), happens=happenings())
def test_a_fleet_under_any_schedule(cast: Cast, happens: Mapping[int, Happening]) -> None:
    """
    Whoever is delayed, struck, killed or misled by a stale index, at whichever call to a port.

    Each attempt is launched once, no workset is lost, all end, what is final stays so, store and
    directories agree, people are told of each step once, and no lock is taken from its holder.
    """
    Fleet(cast, happens).perform()


@settings(max_examples=30)
@given(cast=casts(), happens=happenings())
def test_a_fleet_under_some_schedules(cast: Cast, happens: Mapping[int, Happening]) -> None:
    """As before, for ``make test-fast``."""
    Fleet(cast, happens).perform()
