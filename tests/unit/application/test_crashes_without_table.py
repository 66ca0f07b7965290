"""Worksets in an object store alone: whatever call a process dies in, the end is the same."""

from datetime import timedelta

import pytest
from attrs import define, evolve, field
from tests.unit.application.crash_scenarios import (
    Ending,
    Scenario,
    completes,
    is_canceled_when_running,
    is_dropped_by_hand,
    perform,
)
from tests.unit.application.lab import Lab, Wrapper

from daylily.adapters.memory.object_store import InMemoryObjectStore
from daylily.adapters.object_state_store import SETTLED, ObjectStateStore
from daylily.bootstrap import App, compose
from daylily.domain.lifecycle import State
from daylily.ports.object_store import ObjectStore
from daylily.ports.state_store import Filter, StateStore
from daylily.testing.faults import Blow, FaultInjector


@define(kw_only=True)
class BucketLab(Lab):
    """A world without a table, in which processes die between the lines of the state store too."""

    records: InMemoryObjectStore = field(init=False)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.records = InMemoryObjectStore(self.clock)
        self.store: StateStore = ObjectStateStore(self.records, self.clock)  # type: ignore[assignment]

    def app(self, *wrappers: Wrapper, owner: str | None = None, ahead: timedelta = timedelta()) -> App:
        """Return a new App, whose calls to the objects of the state store go through *wrappers* too."""
        app = super().app(*wrappers, owner=owner, ahead=ahead)
        records: ObjectStore = self.records
        for wrapper in wrappers:
            records = wrapper.wrap(records, "records")
        world = evolve(app.world, store=ObjectStateStore(records, self.clock))
        return compose(app.settings, world, owner=owner)


@pytest.mark.parametrize("scenario", [completes, is_canceled_when_running, is_dropped_by_hand])
def test_every_death_ends_as_if_there_had_been_none(scenario: Scenario) -> None:
    """
    States, attempts, jobs started, news and sentinels are those of the undisturbed run.

    Nothing is owed, no job has run twice, and what died has left nothing that a count would count.
    """
    counter = FaultInjector()
    undisturbed = perform(scenario, counter, lab=BucketLab())
    assert sum(name.startswith("records.") for name in counter.calls) > len(counter.calls) / 3
    broken: dict[str, str] = {}
    for number, name in enumerate(counter.calls, start=1):
        if not name.startswith("records."):
            continue  # test_crashes.py has those
        lab = BucketLab()
        try:
            ending: Ending | str = perform(scenario, FaultInjector(number, Blow.DIES_BEFORE), lab=lab)
            _check_counts(lab)
        except AssertionError as error:
            ending = str(error).partition("\n")[0]
        if ending != undisturbed:
            broken[f"{number}: {name}"] = f"{ending}"
    assert not broken, "\n".join(f"{call}: {what}" for call, what in broken.items())


def _check_counts(lab: Lab) -> None:
    # Until then a submission that died may be one that is merely slow.
    lab.clock.advance(2 * SETTLED)
    assert lab.store.queue().items == ()
    for state in State:
        listed = lab.store.list(Filter(states=frozenset({state}))).items
        assert lab.store.count([state]) == len(listed)
