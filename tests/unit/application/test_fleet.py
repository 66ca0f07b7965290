"""Clusters, limits of customers, and monitors that see to a part or come to an end."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from attrs import evolve
from tests.unit.application.lab import ADA, Lab, Unreadable

from daylily.adapters.memory.compute import InMemoryCompute
from daylily.adapters.memory.customers import InMemoryCustomers
from daylily.application import monitor_cycle
from daylily.application.engines import Engines
from daylily.application.explain_workset import Cause
from daylily.application.poll_worksets import UNKNOWN_AFTER
from daylily.application.room import REMEMBERED
from daylily.application.workers import Workers
from daylily.bootstrap import App, compose
from daylily.config import Settings
from daylily.domain.clusters import Cluster, Requirements
from daylily.domain.customers import Customer
from daylily.domain.errors import NotSetUpError, UnavailableError
from daylily.domain.lifecycle import State
from daylily.domain.workset import Workset
from daylily.testing.faults import Blow, FaultInjector
from daylily.testing.samples import NOON, a_customer, a_workset

MANY = Settings(store="memory", engine="memory", max_concurrent=20)
EAST = Cluster(name="east", max_concurrent=2, availability_zone="us-east-1a", cost_per_vcpu_hour=0.01)
WEST = Cluster(name="west", max_concurrent=3, availability_zone="us-west-2a", cost_per_vcpu_hour=0.05)


class Fleet(Lab):
    """A world with two clusters."""

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.settings = MANY
        self.east = InMemoryCompute(self.clock, duration=None)
        self.west = InMemoryCompute(self.clock, duration=None)

    def monitor(self) -> App:
        """Return a new App that knows the clusters."""
        world = evolve(self.app().world, clusters={EAST: self.east, WEST: self.west})
        return compose(evolve(self.settings, workers=1), world)

    def ask(self, requirements: Requirements, name: str = "trio") -> Workset:
        """Submit a workset that asks something of the place where it runs."""
        workset = self.submit(name)
        return self.store.save(evolve(workset, requirements=requirements))

    def at(self, workset: Workset) -> str | None:
        """Return the cluster at which a workset runs."""
        running = self.get(workset.workset_id).running
        return running.cluster if running else None

    def cause(self, workset: Workset) -> Cause:
        """Return what a workset waits for."""
        return self.monitor().explain(ADA, workset.workset_id).cause


@pytest.fixture
def lab() -> Lab:
    """A world in memory, with many slots."""
    return Lab(settings=MANY)


@pytest.fixture
def fleet() -> Fleet:
    """A world with two clusters."""
    return Fleet()


def allow(lab: Lab, worksets: int, customer_id: str = "acme") -> None:
    """Say how many worksets of a customer may run."""
    lab.customers._customers[customer_id] = evolve(
        a_customer(customer_id), max_concurrent_worksets=worksets
    )


# Clusters


def test_worksets_are_spread_over_clusters(fleet: Fleet) -> None:
    """The cheaper one first, then the other; then they wait."""
    worksets = [fleet.submit(f"number {number}") for number in range(6)]
    monitor = fleet.monitor()
    monitor.cycle()
    assert [fleet.at(each) for each in worksets] == ["east", "east", "west", "west", "west", None]
    assert len(fleet.east.submitted) == 2
    assert fleet.started() == []
    assert fleet.cause(worksets[5]) is Cause.CLUSTER

    fleet.east.end(f"{worksets[0].workset_id}/1")
    monitor.cycle()
    assert fleet.get(worksets[0].workset_id).state is State.COMPLETE
    assert fleet.at(worksets[5]) == "east"
    assert "on east" in monitor.explain(ADA, worksets[5].workset_id).text


def test_a_preferred_cluster_is_kept(fleet: Fleet) -> None:
    """It waits for its own, and others that come later pass it by."""
    asked = [fleet.ask(Requirements(cluster="east"), f"east {number}") for number in range(3)]
    other = fleet.submit("other")
    fleet.monitor().cycle()
    assert [fleet.at(each) for each in asked] == ["east", "east", None]
    assert fleet.at(other) == "west"


def test_why_names_the_engines_that_are_away(fleet: Fleet) -> None:
    """Where none that would do answers; one that is away while another has room keeps nobody."""
    asked, other = fleet.ask(Requirements(cluster="east"), "asked"), fleet.submit("other")
    fleet.east.go_down()
    assert fleet.cause(asked) is Cause.ENGINE_DOWN
    assert fleet.cause(other) is Cause.MONITOR
    fleet.west.go_down()
    assert fleet.cause(other) is Cause.ENGINE_DOWN


def test_the_plan_names_clusters(fleet: Fleet) -> None:
    """Where each would go, or what it would wait for; nothing is done."""
    fleet.submit("first")
    fleet.ask(Requirements(cluster="north"), "second")
    plan = {step.workset.name: step.action for step in fleet.monitor().cycle.plan()}
    assert plan == {"first": "launch on east", "second": "wait for cluster north to answer"}
    assert not fleet.east.submitted


def test_a_cluster_that_is_away_stops_nothing_else(fleet: Fleet) -> None:
    """Its worksets stay as they are; what comes is launched elsewhere."""
    first = fleet.submit("first")
    monitor = fleet.monitor()
    monitor.cycle()
    fleet.east.go_down()
    second = fleet.submit("second")
    report = monitor.cycle()
    assert any(fault.startswith("poll east:") for fault in report.faults)
    assert fleet.at(first) == "east"
    assert fleet.at(second) == "west"

    fleet.east.come_back()
    fleet.east.end(f"{first.workset_id}/1")
    monitor.cycle()
    assert fleet.get(first.workset_id).state is State.COMPLETE


def test_a_launch_in_doubt_closes_its_cluster_alone(fleet: Fleet) -> None:
    """The next ones of the same cycle go to the other, and it is asked again when it is back."""
    worksets = [fleet.submit(f"number {number}") for number in range(3)]
    fleet.east.go_down()
    monitor = fleet.monitor()
    monitor.cycle()
    assert [fleet.get(each.workset_id).state for each in worksets] == [
        State.LOCKED,
        State.IN_PROGRESS,
        State.IN_PROGRESS,
    ]
    assert [fleet.at(each) for each in worksets] == [None, "west", "west"]
    monitor.cycle()
    assert fleet.get(worksets[0].workset_id).state is State.LOCKED
    fleet.east.come_back()
    monitor.cycle()
    assert fleet.at(worksets[0]) == "east"
    assert len(fleet.east.submitted) == 1


def test_who_takes_a_launch_over_asks_the_cluster_it_was_meant_for(fleet: Fleet) -> None:
    """The launcher died with the job submitted to east; by now west would be the better one."""
    workset = fleet.ask(Requirements(), "first")
    first = fleet.monitor()
    fleet.east.go_down()
    first.cycle()
    fleet.east.come_back()
    locked = fleet.get(workset.workset_id)
    assert (locked.state, locked.cluster) == (State.LOCKED, "east")
    for number in range(2):
        fleet.store.save(
            evolve(fleet.submit(f"other {number}"), requirements=Requirements(cluster="east"))
        )
    fleet.clock.advance(fleet.patience())
    fleet.monitor().cycle()
    assert fleet.at(workset) == "east"


def test_a_lock_for_no_cluster_is_let_go(fleet: Fleet) -> None:
    """Somebody locked it by hand and never came back: it is placed like any other."""
    workset = fleet.submit()
    fleet.app().lock(workset.workset_id, "somebody", timeout=timedelta(minutes=5))
    fleet.clock.advance(timedelta(days=1))
    monitor = fleet.monitor()
    monitor.cycle()
    assert fleet.get(workset.workset_id).state is State.READY
    fleet.clock.advance(timedelta(minutes=1))
    monitor.cycle()
    assert fleet.at(workset) == "east"


def test_a_cluster_that_is_no_longer_in_the_settings(fleet: Fleet) -> None:
    """Nothing is known of what runs there, and nothing is made up; logs say so too."""
    workset = fleet.submit()
    fleet.monitor().cycle()
    world = evolve(fleet.app().world, clusters={WEST: fleet.west})
    bereft = compose(evolve(fleet.settings, workers=1), world)
    report = bereft.cycle()
    assert report.faults == ["poll east: cluster east is not among those of the settings"]
    assert fleet.get(workset.workset_id).state is State.IN_PROGRESS
    with pytest.raises(UnavailableError, match="not among those"):
        bereft.read.log(ADA, workset.workset_id)


def test_cancel_reaches_the_cluster(fleet: Fleet) -> None:
    """The engine that has the job is the one that is asked to stop it."""
    workset = fleet.submit()
    monitor = fleet.monitor()
    monitor.cycle()
    monitor.cancel(ADA, workset.workset_id)
    monitor.cycle()
    assert fleet.get(workset.workset_id).state is State.CANCELED


def test_without_clusters_a_wish_for_one_waits(lab: Lab) -> None:
    """Another monitor of the same stores may have it; `why` says so."""
    workset = lab.submit()
    lab.store.save(evolve(workset, requirements=Requirements(cluster="east")))
    lab.app().cycle()
    assert lab.get(workset.workset_id).state is State.READY
    found = lab.app().explain(ADA, workset.workset_id)
    assert found.cause is Cause.CLUSTER
    assert "there are no clusters here" in found.text


def test_engines_by_name() -> None:
    """None is the one without a name."""
    default, east = InMemoryCompute(lambda: NOON), InMemoryCompute(lambda: NOON)
    engines = Engines(default, {EAST: east})
    assert engines.of(None) is default
    assert engines.of("east") is east


def test_a_time_limit_of_its_own(lab: Lab) -> None:
    """What the workset asks for goes to the engine in place of the pipeline's."""
    workset = lab.submit()
    limit = timedelta(minutes=7)
    lab.store.save(evolve(workset, requirements=Requirements(time_limit=limit)))
    lab.app().cycle()
    assert [job.resources.time_limit for job in lab.compute.submitted] == [limit]


def test_a_pipeline_that_nobody_knows_is_no_reason_to_wait(fleet: Fleet) -> None:
    """It is placed like any other, and the launch says what is wrong with it."""
    workset = fleet.submit()
    manifest = evolve(workset.manifest, pipeline="none-such")
    fleet.store.save(evolve(workset, manifest=manifest))
    fleet.monitor().cycle()
    assert fleet.get(workset.workset_id).state is State.ERROR


# Limits of customers


def test_no_more_of_a_customer_run_than_may(lab: Lab) -> None:
    """Others pass by; whoever waits is told why."""
    allow(lab, 2)
    worksets = [lab.submit(f"number {number}") for number in range(4)]
    other = lab.store.add(a_workset("other-1", customer_id="beta", at=lab.clock()))
    app = lab.app()
    app.cycle()
    assert [lab.get(each.workset_id).state for each in worksets] == [
        *[State.IN_PROGRESS] * 2,
        *[State.READY] * 2,
    ]
    assert lab.get(other.workset_id).state is not State.READY
    found = app.explain(ADA, worksets[2].workset_id)
    assert found.cause is Cause.QUOTA
    assert "2 run of 2 that may" in found.text


def test_a_changed_limit_is_heeded(lab: Lab) -> None:
    """Within a minute, in its turn: looks at directories may come first."""
    allow(lab, 1)
    for number in range(3):
        lab.submit(f"number {number}")
    app = lab.app()
    app.cycle()
    allow(lab, 3)
    app.cycle()
    assert len(lab.started()) == 1
    lab.clock.advance(REMEMBERED)
    for _ in range(4):
        app.cycle()
    assert len(lab.started()) == 3


def test_limits_that_cannot_be_read_hold_the_launch(lab: Lab) -> None:
    """An outage is no licence; it is told, and the customers are not asked for each workset."""
    for number in range(9):
        lab.submit(f"number {number}")
    down = FaultInjector(1, Blow.OUTAGE_BEFORE, length=1000, on="customers.get")
    report = lab.app(down).cycle()
    assert lab.started() == []
    assert down.calls.count("customers.get") == monitor_cycle.OUTAGES
    assert len(report.faults) == monitor_cycle.OUTAGES


class NoTable(InMemoryCustomers):
    """Customers of an installation that has none."""

    def get(self, customer_id: str) -> Customer:
        """Say that nobody made the table."""
        raise NotSetUpError("there is no table daylily-worksets-customers")


def test_without_customers_there_are_no_limits(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    """The bridge of the guide knows of none; that is said once."""
    for number in range(2):
        lab.submit(f"number {number}")
    world = evolve(lab.app().world, customers=NoTable())
    app = compose(evolve(lab.settings, workers=1), world)
    app.cycle()
    lab.clock.advance(REMEMBERED)
    lab.submit("third")
    app.cycle()
    assert len(lab.started()) == 3
    assert caplog.text.count("limits are not kept") == 1


# Part of the work, and its end


def test_only_what_is_named(lab: Lab) -> None:
    """By id or by name: others are neither launched, nor polled, nor discovered."""
    named, by_id, other = lab.submit("named"), lab.submit("second"), lab.submit("third")
    cycle = evolve(lab.app().cycle, only=frozenset({"named", by_id.workset_id}))
    lab.drop("dropped-1")
    assert {step.workset.name for step in cycle.plan()} == {"named", "second"}
    cycle()
    assert lab.get(other.workset_id).state is State.READY
    assert lab.started() == [f"{each.workset_id}/1" for each in (named, by_id)]
    assert lab.store.known(["dropped-1"]) == frozenset()


def test_told_to_stop_it_launches_nothing_more(lab: Lab) -> None:
    """What runs is followed all the same."""
    first = lab.submit("first")
    app = lab.app()
    app.cycle()
    lab.compute.end(f"{first.workset_id}/1")
    second = lab.submit("second")
    app.cycle(lambda: True)
    assert lab.get(first.workset_id).state is State.COMPLETE
    assert lab.get(second.workset_id).state is State.READY


def test_told_to_stop_between_launches(lab: Lab) -> None:
    """The one under way is finished."""
    for number in range(3):
        lab.submit(f"number {number}")
    lab.app().cycle(stops_after(2))
    assert len(lab.started()) == 1


def stops_after(times: int) -> Callable[[], bool]:
    """Return what says no so many times, and then yes."""
    answers = iter([False] * times)
    return lambda: next(answers, True)


def test_a_long_queue_is_read_on(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Those at the head wait for a limit of their own: cycles look a part at a time, and find the one
    behind them that can run.
    """
    monkeypatch.setattr(monitor_cycle, "READ_AHEAD", 10)
    lab.settings = evolve(MANY, max_concurrent=5)
    allow(lab, 1)
    for number in range(35):
        lab.submit(f"number {number}")
    lab.clock.advance(timedelta(seconds=1))
    behind = lab.store.add(a_workset("behind-1", customer_id="beta", at=lab.clock()))
    counted = FaultInjector()
    cycle = lab.app(counted).cycle
    reads = []
    for _ in range(4):
        before = counted.calls.count("store.queue")
        cycle()
        reads.append(counted.calls.count("store.queue") - before)
    assert lab.get(behind.workset_id).state is not State.READY
    assert max(reads) <= 2


def test_several_at_once(lab: Lab) -> None:
    """Threads share launches and ends; each workset is seen to once."""
    ids = [lab.submit(f"number {number}").workset_id for number in range(12)]
    cycle = compose(evolve(lab.settings, workers=4), lab.app().world).cycle
    assert cycle.workers == Workers(4)
    cycle()
    assert sorted(lab.started()) == sorted(f"{each}/1" for each in ids)
    for each in ids:
        lab.compute.end(f"{each}/1")
    report = cycle()
    assert {moved.workset_id for moved in report.moved} == set(ids)
    lab.check()


def test_several_launches_in_doubt(lab: Lab) -> None:
    """An engine that is still silent is asked once; when it is back, each of them goes on."""
    for number in range(4):
        lab.submit(f"number {number}")
    counted = FaultInjector()
    cycle = compose(evolve(lab.settings, workers=4), lab.app(counted).world).cycle
    lab.compute.go_down()
    cycle()
    assert len(cycle.doubtful) == 4
    asked = counted.calls.count("compute.submit")
    cycle()
    assert counted.calls.count("compute.submit") == asked + 1
    lab.compute.come_back()
    cycle()
    assert len(lab.started()) == 4


def test_what_is_in_doubt_is_not_launched_once_it_is_canceled(lab: Lab) -> None:
    """Its engine, which has never heard of it, fails to hear of the cancel too, and then is back."""
    workset_id = lab.submit().workset_id
    lab.compute.go_down()
    cycle = lab.app(FaultInjector(1, Blow.OUTAGE_BEFORE, on="compute.cancel")).cycle
    cycle()
    assert [each.workset_id for each in cycle.doubtful] == [workset_id]
    lab.app().cancel(ADA, workset_id)
    lab.compute.come_back()
    cycle()
    assert (lab.started(), cycle.doubtful) == ([], [])
    cycle()
    assert (lab.get(workset_id).state, lab.started()) == (State.CANCELED, [])


def test_a_take_over_that_came_to_nothing_rests(lab: Lab) -> None:
    """Its directory cannot be read: it is not tried in each cycle."""
    workset = lab.submit()
    lab.compute.go_down()
    lab.app().cycle()
    lab.compute.come_back()
    lab.clock.advance(lab.patience())
    shut = lab.app(Unreadable(workset.workset_id))
    assert shut.cycle().faults
    assert shut.cycle().faults == []
    lab.app().cycle()
    assert lab.get(workset.workset_id).state is State.IN_PROGRESS


# Engines that are silent


def test_a_long_silence_is_marked(lab: Lab) -> None:
    """Since when nothing is known; a short silence costs no write, and the first word ends it."""
    workset_id = lab.submit().workset_id
    app = lab.app()
    app.cycle()
    since = lab.clock()
    lab.compute.go_down()
    app.cycle()
    assert lab.get(workset_id).unknown_since is None
    lab.clock.advance(UNKNOWN_AFTER)
    app.cycle()
    marked = lab.get(workset_id)
    assert (marked.state, marked.unknown_since) == (State.IN_PROGRESS, since)
    assert "since 2025-06-02 12:00:00" in app.explain(ADA, workset_id).text
    app.cycle()
    assert lab.get(workset_id).version == marked.version

    lab.compute.come_back()
    app.cycle()
    assert lab.get(workset_id).unknown_since is None
    lab.compute.end(f"{workset_id}/1")
    app.cycle()
    assert lab.get(workset_id).state is State.COMPLETE


def test_a_mark_is_not_worth_a_race(lab: Lab) -> None:
    """A person changed the workset meanwhile: it is marked with the next cycle, if at all."""
    workset_id = lab.submit().workset_id
    app = lab.app()
    app.cycle()
    seen = lab.get(workset_id)
    lab.compute.go_down()
    with pytest.raises(UnavailableError):
        app.cycle.poll([seen])
    app.cancel(ADA, workset_id)
    lab.clock.advance(UNKNOWN_AFTER)
    with pytest.raises(UnavailableError):
        app.cycle.poll([seen])
    assert lab.get(workset_id).unknown_since is None
