"""Whatever call a process dies in, and whatever call meets an outage: the end is the same."""

import functools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.application.crash_scenarios import SCENARIOS, Ending, Scenario, perform

from daylily.testing.faults import Blow, FaultInjector


@pytest.mark.load
@pytest.mark.parametrize("blow", Blow, ids=lambda blow: blow.value.replace(" ", "-"))
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_every_fault_ends_as_if_there_had_been_none(scenario: Scenario, blow: Blow) -> None:
    """
    A fault at any call changes nothing about the end.

    States, attempts, jobs started, news and sentinels are those of the undisturbed run, nothing is
    owed, and no job has run twice.
    """
    counter = FaultInjector()
    undisturbed = perform(scenario, counter)
    assert len(counter.calls) > 20
    broken: dict[str, str] = {}
    for number, name in enumerate(counter.calls, start=1):
        try:
            ending: Ending | str = perform(scenario, FaultInjector(number, blow))
        except AssertionError as error:
            ending = str(error).partition("\n")[0]
        if ending != undisturbed:
            broken[f"{number}: {name}"] = f"{ending}"
    assert not broken, "\n".join(f"{call}: {what}" for call, what in broken.items())


@functools.cache
def _undisturbed(scenario: Scenario) -> Ending:
    return perform(scenario, FaultInjector())


@settings(max_examples=150, deadline=None)
@given(
    scenario=st.sampled_from(SCENARIOS),
    faults=st.lists(
        st.builds(FaultInjector, st.integers(1, 90), st.sampled_from(Blow), length=st.integers(1, 6)),
        min_size=2,
        max_size=4,
    ),
)
def test_several_faults_end_as_if_there_had_been_none(
    scenario: Scenario, faults: list[FaultInjector]
) -> None:
    """Monitors that die one after the other, among longer outages, change nothing about the end."""
    assert perform(scenario, *faults) == _undisturbed(scenario)
