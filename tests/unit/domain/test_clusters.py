"""Where a workset runs: promises are kept, and the best of the rest is taken."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daylily.domain.clusters import (
    LONGEST,
    Cluster,
    Load,
    Placed,
    Requirements,
    Shortage,
    Unplaced,
    place,
    score,
)

CHEAP = Cluster(name="cheap", max_vcpus=100, cost_per_vcpu_hour=0.02, availability_zone="us-west-2a")
DEAR = Cluster(name="dear", max_vcpus=100, cost_per_vcpu_hour=0.09, availability_zone="us-west-2b")
ANY = Requirements()


def chosen(requirements: Requirements, clusters: dict[Cluster, Load], vcpus: int = 8) -> str | None:
    """Return the name of the cluster that was chosen; None if none was."""
    found = place(requirements, vcpus, clusters)
    if isinstance(found, Unplaced):
        assert found.shortage is Shortage.CLUSTER
        return None
    assert found.cluster is not None
    return found.cluster.name


@pytest.mark.parametrize(
    ("cost", "used", "expected"),
    [(0.05, 60, 0.5), (0.05, 0, 1.1), (0.0, 100, 0.4), (0.1, 30, 1.3)],
)
def test_score(cost: float, used: int, expected: float) -> None:
    """Ten times the cost, and how far from 60 % the use is (contract 8.1)."""
    cluster = Cluster(name="one", max_vcpus=100, cost_per_vcpu_hour=cost)
    assert score(cluster, Load(1, used)) == pytest.approx(expected)


def test_without_bounds_use_says_nothing() -> None:
    """A cluster of unbounded size is as well used as can be."""
    assert score(Cluster(name="batch", cost_per_vcpu_hour=0.03), Load(7, 500)) == pytest.approx(0.3)


def test_the_cheaper_one_is_taken() -> None:
    """With nothing else to tell them apart."""
    assert chosen(ANY, {DEAR: Load(), CHEAP: Load()}) == "cheap"


def test_equals_go_by_name() -> None:
    """So that every monitor chooses alike."""
    one, two = Cluster(name="a-one"), Cluster(name="b-two")
    assert chosen(ANY, {two: Load(), one: Load()}) == "a-one"


def test_a_preferred_cluster_is_a_promise() -> None:
    """It waits for the one it asked for, though another is free."""
    busy = {CHEAP: Load(), DEAR: Load(worksets=3)}
    assert chosen(Requirements(cluster="dear"), busy) is None
    assert chosen(Requirements(cluster="dear"), {CHEAP: Load(), DEAR: Load(2)}) == "dear"
    assert chosen(Requirements(cluster="none-such"), busy) is None


def test_a_zone_is_a_promise() -> None:
    """It runs where it asked to run, or waits."""
    both = {CHEAP: Load(), DEAR: Load()}
    assert chosen(Requirements(availability_zone="us-west-2b"), both) == "dear"
    assert chosen(Requirements(availability_zone="us-west-2c"), both) is None
    assert chosen(Requirements(cluster="cheap", availability_zone="us-west-2b"), both) is None


def test_what_does_not_fit_waits() -> None:
    """For want of vCPUs now, or of a cluster large enough ever."""
    assert chosen(ANY, {CHEAP: Load(1, 96)}) is None
    assert chosen(ANY, {CHEAP: Load(1, 92)}) == "cheap"
    found = place(ANY, 101, {CHEAP: Load()})
    assert isinstance(found, Unplaced)
    assert "101 vCPUs" in found.reason


@pytest.mark.parametrize(
    ("requirements", "clusters", "reason"),
    [
        (ANY, {}, "any cluster to answer"),
        (Requirements(cluster="dear"), {CHEAP: Load()}, "cluster dear to answer"),
        (Requirements(availability_zone="us-west-2b"), {CHEAP: Load()}, "a cluster in us-west-2b"),
        (ANY, {CHEAP: Load(3), DEAR: Load(3)}, "room on cheap or dear"),
    ],
)
def test_the_reason_is_told(
    requirements: Requirements, clusters: dict[Cluster, Load], reason: str
) -> None:
    """Everyone can see what it waits for."""
    assert place(requirements, 1, clusters) == Unplaced(Shortage.CLUSTER, reason)


@given(
    st.dictionaries(
        st.builds(
            Cluster,
            name=st.sampled_from(["one", "two", "three"]),
            max_concurrent=st.integers(1, 3),
            max_vcpus=st.none() | st.integers(1, 20),
            cost_per_vcpu_hour=st.floats(0, 1),
        ),
        st.builds(Load, st.integers(0, 4), st.integers(0, 20)),
    ),
    st.integers(1, 10),
)
def test_nothing_is_overfilled(clusters: dict[Cluster, Load], vcpus: int) -> None:
    """What is placed fits, and nothing that fits is left unplaced."""
    found = place(ANY, vcpus, clusters)
    fitting = [
        each
        for each, load in clusters.items()
        if load.worksets < each.max_concurrent
        and (each.max_vcpus is None or load.vcpus + vcpus <= each.max_vcpus)
    ]
    if isinstance(found, Placed):
        assert found.cluster in fitting
    else:
        assert not fitting


@pytest.mark.parametrize(
    ("requirements", "place"),
    [
        (Requirements(cluster="../x"), "preferred_cluster"),
        (Requirements(availability_zone="us west"), "availability_zone"),
        (Requirements(time_limit=timedelta(0)), "time_limit_hours"),
        (Requirements(time_limit=LONGEST + timedelta(seconds=1)), "time_limit_hours"),
    ],
)
def test_faults_of_requirements(requirements: Requirements, place: str) -> None:
    """Each is told where it stands; what is sound has none."""
    assert [fault.place for fault in requirements.faults()] == [place]
    sound = Requirements(cluster="one", availability_zone="us-west-2a", time_limit=LONGEST)
    assert list(sound.faults()) == []


@pytest.mark.parametrize(
    ("cluster", "key"),
    [
        (Cluster(name="one", max_concurrent=0), "max_concurrent"),
        (Cluster(name="one", max_vcpus=0), "max_vcpus"),
        (Cluster(name="one", cost_per_vcpu_hour=-0.1), "cost_per_vcpu_hour"),
        (Cluster(name="one", availability_zone="here, there"), "availability_zone"),
    ],
)
def test_faults_of_clusters(cluster: Cluster, key: str) -> None:
    """D-58: a cluster of no vCPUs is refused at the door, before anyone divides by it."""
    assert [fault.place for fault in cluster.faults()] == [f"clusters.one.{key}"]
    assert list(CHEAP.faults()) == []
