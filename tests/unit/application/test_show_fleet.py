"""How the fleet is, as operators see it."""

from datetime import timedelta

import pytest
from attrs import evolve
from tests.unit.application.lab import ADA, Lab

from daylily.adapters.memory.compute import InMemoryCompute
from daylily.application.engines import Engines
from daylily.application.show_fleet import EngineTold
from daylily.bootstrap import App
from daylily.domain.clusters import Cluster
from daylily.domain.customers import Principal
from daylily.domain.errors import NotAllowedError, UnavailableError
from daylily.domain.lifecycle import State
from daylily.domain.trouble import TroubleKind
from daylily.testing.faults import Blow, FaultInjector
from daylily.testing.samples import a_manifest

ROOT = Principal(name="root", customer_id="local", operator=True)


@pytest.fixture
def lab() -> Lab:
    """A world in memory."""
    return Lab()


def clustered(lab: Lab, *engines: tuple[str, InMemoryCompute]) -> App:
    """Return an App of an installation with clusters."""
    app = lab.app()
    clusters = {Cluster(name=name, max_concurrent=2): engine for name, engine in engines}
    return evolve(app, fleet=evolve(app.fleet, engines=Engines(lab.compute, clusters)))


def test_what_moves_and_what_waits(lab: Lab) -> None:
    """Counts by state, the queue in its order, and an engine that answers."""
    lab.submit("first")
    lab.app().cycle()
    lab.submit("second", priority="low")
    lab.submit("third", priority="urgent")

    fleet = lab.app().fleet(ROOT)

    assert (fleet.counts[State.READY], fleet.counts[State.IN_PROGRESS]) == (2, 1)
    assert [each.name for each in fleet.queue] == ["third", "second"]
    assert fleet.engines == (EngineTold(name=None, running=1, max_concurrent=2),)
    assert (fleet.stuck, fleet.in_error, fleet.whole) == ((), (), True)


def test_what_is_stuck_and_what_has_failed(lab: Lab) -> None:
    """What nobody says anything of, the longest first; and what waits for a person."""
    first, second = lab.submit("first"), lab.submit("second")
    lab.app().cycle()
    lab.compute.end(f"{second.workset_id}/1", exit_code=1, message="no such lane")
    app = lab.app()
    app.cycle()
    lab.compute.go_down()
    app.cycle()
    lab.clock.advance(timedelta(minutes=2))
    app.cycle()

    fleet = app.fleet(ROOT)

    assert [(each.workset.workset_id, each.trouble.kind) for each in fleet.stuck] == [
        (first.workset_id, TroubleKind.UNKNOWN)
    ]
    assert [each.name for each in fleet.in_error] == ["second"]
    assert fleet.engines[0].fault == "the engine does not answer"


def test_each_cluster_is_told_of(lab: Lab) -> None:
    """With what runs there; one that does not answer keeps nobody from hearing of the other."""
    workset = lab.submit()
    lab.app().cycle()
    lab.store.save(evolve(lab.store.get(workset.workset_id), cluster="blue"))
    silent = InMemoryCompute(lab.clock, None)
    silent.go_down()

    app = clustered(lab, ("blue", InMemoryCompute(lab.clock, None)), ("red", silent))

    assert app.fleet(ROOT).engines == (
        EngineTold(name="blue", running=1, max_concurrent=2),
        EngineTold(name="red", running=0, max_concurrent=2, fault="the engine does not answer"),
    )


def test_only_so_much_is_looked_at(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says so, rather than pass over worksets in silence."""
    monkeypatch.setattr("daylily.application.show_fleet.LOOKED_AT", 1)
    for name in ("first", "second"):
        lab.submit(name)
    lab.app().cycle()
    assert not lab.app().fleet(ROOT).whole


def test_a_pipeline_that_is_gone(lab: Lab) -> None:
    """What this installation does not know any more has the time that any pipeline has."""
    workset = lab.submit()
    lab.app().cycle()
    stored = lab.store.get(workset.workset_id)
    lab.store.save(evolve(stored, manifest=a_manifest(pipeline="gone")))
    lab.clock.advance(timedelta(hours=25))
    (stuck,) = lab.app().fleet(ROOT).stuck
    assert stuck.trouble.kind is TroubleKind.OVERTIME


def test_for_operators_alone(lab: Lab) -> None:
    """Nobody else is told anything; and an outage of the store is an outage."""
    for who in (ADA, evolve(ADA, admin=True)):
        with pytest.raises(NotAllowedError):
            lab.app().fleet(who)
    broken = lab.app(FaultInjector(at=1, blow=Blow.OUTAGE_BEFORE, on="store.queue"))
    with pytest.raises(UnavailableError):
        broken.fleet(ROOT)
