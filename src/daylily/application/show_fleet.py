"""Show operators how the fleet is: engines, the queue, and what is stuck."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from attrs import frozen

from daylily.application.engines import Engines
from daylily.domain.customers import Principal
from daylily.domain.errors import InvalidInputError, NotAllowedError, UnavailableError
from daylily.domain.lifecycle import State
from daylily.domain.pipelines import PipelineRegistry, Resources
from daylily.domain.trouble import Trouble, trouble_of
from daylily.domain.workset import Workset
from daylily.ports.clock import Clock
from daylily.ports.paging import every
from daylily.ports.state_store import Filter, StateStore

LOOKED_AT: Final = 2000
"""Worksets of each state that are looked at; an installation with more of them knows where to look."""
QUEUED: Final = 50
"""How much of the queue is shown."""
NOT_WELL: Final = 100
"""How many of those in trouble, or in error, are shown."""

_MOVING: Final = (State.IN_PROGRESS, State.LOCKED, State.RETRYING)
COUNTED: Final = (
    State.READY,
    State.LOCKED,
    State.IN_PROGRESS,
    State.RETRYING,
    State.ERROR,
    State.FAILED,
    State.IGNORED,
)
"""What is over would cost more to count every day."""
_PROBE: Final = "fleet-check/1"


@frozen(kw_only=True)
class EngineTold:
    """Whether an engine answers, and what it has to do."""

    name: str | None
    """None for the one of an installation without clusters."""
    running: int
    max_concurrent: int
    fault: str | None = None
    """What it says, or is said of it, where it does not answer."""


@frozen
class Stuck:
    """A workset, and how it is stuck."""

    workset: Workset
    trouble: Trouble


@frozen(kw_only=True)
class FleetTold:
    """How the fleet is at one moment."""

    at: datetime
    engines: tuple[EngineTold, ...]
    counts: dict[State, int]
    queue: tuple[Workset, ...]
    """Its first ones, the next to run first."""
    stuck: tuple[Stuck, ...]
    """The longest stuck first."""
    in_error: tuple[Workset, ...]
    """Those that wait for a person, the newest first."""
    whole: bool
    """Whether everything that moves was looked at."""


@frozen(kw_only=True)
class ShowFleet:
    """
    Look at all that moves.

    Cost: a count for each state, the pages of what moves, one of the queue, one of what failed, and a
    question to each engine.
    """

    store: StateStore
    engines: Engines
    pipelines: PipelineRegistry
    clock: Clock
    max_concurrent: int

    def __call__(self, who: Principal) -> FleetTold:
        """
        Return how the fleet is.

        Raises:
            NotAllowedError: The caller is no operator.
            UnavailableError: The state store does not answer.
        """
        if not who.operator:
            raise NotAllowedError("this is for the operators of the service")
        now = self.clock()
        moving = {state: tuple(islice(self._all(state), LOOKED_AT + 1)) for state in _MOVING}
        waiting = self.store.queue(limit=QUEUED).items
        # Of a ready one, only what it owes can be amiss: the rest is the queue's to tell.
        found = [each for some in moving.values() for each in some[:LOOKED_AT]] + [*waiting]
        return FleetTold(
            at=now,
            engines=tuple(self._engines(moving[State.IN_PROGRESS])),
            counts={state: self.store.count([state]) for state in COUNTED},
            queue=tuple(waiting),
            stuck=tuple(self._stuck(found, now)[:NOT_WELL]),
            in_error=tuple(islice(self._all(State.ERROR, State.FAILED), NOT_WELL)),
            whole=all(len(some) <= LOOKED_AT for some in moving.values()),
        )

    def _all(self, *states: State) -> Iterator[Workset]:
        where = Filter(states=frozenset(states))
        return every(lambda cursor: self.store.list(where, cursor=cursor, limit=1000))

    def _stuck(self, worksets: list[Workset], now: datetime) -> list[Stuck]:
        found = [
            Stuck(workset, trouble)
            for workset in worksets
            if (trouble := trouble_of(workset, now, self._limit(workset))) is not None
        ]
        return sorted(found, key=lambda each: each.trouble.since)

    def _limit(self, workset: Workset) -> timedelta:
        try:
            return self.pipelines.get(workset.manifest.pipeline).resources.time_limit
        except InvalidInputError:
            return Resources().time_limit

    def _engines(self, running: tuple[Workset, ...]) -> Iterator[EngineTold]:
        ours = [each.cluster for each in running if not each.foreign_run]
        places: list[tuple[str | None, int]] = [
            (each.name, each.max_concurrent) for each in self.engines.clusters
        ]
        for name, most in places or [(None, self.max_concurrent)]:
            fault = None
            try:
                self.engines.of(name).status([_PROBE])
            except UnavailableError as error:
                fault = str(error)
            yield EngineTold(name=name, running=ours.count(name), max_concurrent=most, fault=fault)
