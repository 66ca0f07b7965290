"""Where a workset runs: clusters, what they can take, and which of them is best."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Final

from attrs import frozen

from daylily.domain.errors import Fault
from daylily.domain.names import ID_RULE, is_id

IDEAL_UTILISATION: Final = 0.6
"""Share of a cluster's vCPUs in use at which it is neither idle nor crowded."""
LONGEST: Final = timedelta(days=30)
"""The longest time limit that anyone may ask for."""


def time_limit(hours: float) -> timedelta | None:
    """Return so many hours; None where no attempt may run that long, or it is no time at all."""
    if not 0 < hours <= LONGEST / timedelta(hours=1):
        return None
    return timedelta(seconds=max(1, round(hours * 3600)))


@frozen(kw_only=True)
class Requirements:
    """What a workset asks of the place where it runs."""

    cluster: str | None = None
    """It runs there, or waits until it can: never elsewhere."""
    availability_zone: str | None = None
    """It runs in that zone, or waits until it can."""
    time_limit: timedelta | None = None
    """How long an attempt may run; None takes that of the pipeline."""

    def faults(self) -> Iterator[Fault]:
        """Yield what is wrong with it."""
        if self.cluster is not None and not is_id(self.cluster):
            yield Fault("preferred_cluster", f"{self.cluster[:80]!r} is not a name: {ID_RULE}")
        zone = self.availability_zone
        if zone is not None and not is_id(zone):
            yield Fault("availability_zone", f"{zone[:80]!r} is not a zone, such as us-west-2a")
        if self.time_limit is not None and not timedelta(0) < self.time_limit <= LONGEST:
            yield Fault("time_limit_hours", f"is not above 0 and at most {LONGEST.days * 24}")

    @property
    def time_limit_hours(self) -> float | None:
        """The time limit as people write it."""
        return None if self.time_limit is None else self.time_limit / timedelta(hours=1)


@frozen(kw_only=True)
class Cluster:
    """A place where pipelines run, with an engine of its own."""

    name: str
    availability_zone: str | None = None
    max_concurrent: int = 3
    """Worksets that run there at a time."""
    max_vcpus: int | None = None
    """None where that is nobody's to bound."""
    cost_per_vcpu_hour: float = 0.0
    """US dollars."""

    def faults(self) -> Iterator[Fault]:
        """Yield what is wrong with it, each under its key."""
        place = f"clusters.{self.name}"
        if not 1 <= self.max_concurrent <= 100_000:
            yield Fault(f"{place}.max_concurrent", f"{self.max_concurrent} is not from 1 to 100000")
        if self.max_vcpus is not None and self.max_vcpus < 1:
            yield Fault(f"{place}.max_vcpus", f"{self.max_vcpus} is not at least 1")
        if not 0 <= self.cost_per_vcpu_hour <= 1000:
            yield Fault(f"{place}.cost_per_vcpu_hour", "is not from 0 to 1000 US dollars")
        if self.availability_zone is not None and not is_id(self.availability_zone):
            yield Fault(f"{place}.availability_zone", "is not a zone, such as us-west-2a")


@frozen
class Load:
    """What a cluster has to do."""

    worksets: int = 0
    vcpus: int = 0


@frozen
class Placed:
    """A workset can run there now."""

    cluster: Cluster | None
    """None in an installation without clusters."""


class Shortage(StrEnum):
    """What there is not enough of."""

    SLOT = "slot"
    """As many worksets run as may."""
    QUOTA = "quota"
    """As many worksets of the customer run as may."""
    CLUSTER = "cluster"
    """No cluster that would do has room for it, or answers."""


@frozen
class Unplaced:
    """The workset cannot be taken on now."""

    shortage: Shortage
    reason: str
    """What it waits for, in words, for people."""


def score(cluster: Cluster, load: Load) -> float:
    """
    Return how dear and how ill-used a cluster is; the lowest is best.

    ``10 * cost per vCPU-hour + |0.6 - vCPUs used / vCPUs there are|``: the formula of the scheduler
    that this one replaces. A cluster of unbounded size counts as used as it should be.
    """
    used = IDEAL_UTILISATION if cluster.max_vcpus is None else load.vcpus / cluster.max_vcpus
    return 10 * cluster.cost_per_vcpu_hour + abs(IDEAL_UTILISATION - used)


def place(
    requirements: Requirements, vcpus: int, clusters: Mapping[Cluster, Load]
) -> Placed | Unplaced:
    """
    Choose the cluster for a workset.

    Args:
        vcpus: What it needs at a time.
        clusters: Those whose engines answer, and what each has to do.
    """
    wanted, zone = requirements.cluster, requirements.availability_zone
    named = [each for each in clusters if wanted in {None, each.name}]
    if not named:
        which = "any cluster" if wanted is None else f"cluster {wanted}"
        return Unplaced(Shortage.CLUSTER, f"{which} to answer")
    here = [each for each in named if zone in {None, each.availability_zone}]
    if not here:
        return Unplaced(Shortage.CLUSTER, f"a cluster in {zone}")
    large = [each for each in here if each.max_vcpus is None or vcpus <= each.max_vcpus]
    if not large:
        return Unplaced(Shortage.CLUSTER, f"a cluster of {vcpus} vCPUs or more")
    free = [each for each in large if _takes(each, clusters[each], vcpus)]
    if not free:
        return Unplaced(Shortage.CLUSTER, f"room on {' or '.join(each.name for each in large)}")
    return Placed(min(free, key=lambda each: (score(each, clusters[each]), each.name)))


def _takes(cluster: Cluster, load: Load, vcpus: int) -> bool:
    if load.worksets >= cluster.max_concurrent:
        return False
    return cluster.max_vcpus is None or load.vcpus + vcpus <= cluster.max_vcpus
