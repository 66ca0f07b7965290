"""
Actors at the same time, and yet the same each time: a scheduler for races.

Actors are threads of which exactly one is awake. Each gives way before every call to a port that was
wrapped; who goes on then is not chance but a ``Schedule``, so that a race can be replayed, drawn by
Hypothesis, or explored without gaps (``explore``).
"""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeVar, cast

from attrs import define, field, frozen

from daylily.domain.errors import DaylilyError
from daylily.testing.clock import ManualClock
from daylily.testing.faults import Killed

T = TypeVar("T")

TIME: Final = "time"
"""The choice to let time pass, until the first of those who wait may go on."""

_PATIENCE: Final = 60.0
"""Seconds for which an actor may be awake; more means that it waits for another one, who sleeps."""


class Schedule(Protocol):
    """Says who goes on."""

    def choose(self, options: tuple[str, ...], current: str | None) -> str:
        """
        Return one of *options*.

        Args:
            options: Those who can go on, in the order in which they were given; ``TIME`` comes last.
            current: Who was awake until now; None at the start, or when it has ended or waits.
        """


@define
class Replay:
    """
    A schedule that follows *prefix*, and then lets everybody run on for as long as they can.

    >>> schedule = Replay(("b",))
    >>> schedule.choose(("a", "b"), None), schedule.choose(("a", "b"), "b")
    ('b', 'b')
    """

    prefix: tuple[str, ...] = ()
    taken: list[str] = field(init=False, factory=list)
    options: list[tuple[str, ...]] = field(init=False, factory=list)
    current: list[str | None] = field(init=False, factory=list)

    def choose(self, options: tuple[str, ...], current: str | None) -> str:
        """See Schedule.choose."""
        if len(self.taken) < len(self.prefix):
            chosen = self.prefix[len(self.taken)]
        else:
            chosen = current or options[0]
        self.taken.append(chosen)
        self.options.append(options)
        self.current.append(current)
        return chosen

    def switches(self, length: int) -> int:
        """Return how many of the first *length* choices took the turn from one who could go on."""
        pairs = zip(self.taken[:length], self.current, strict=False)
        return sum(current is not None and chosen != current for chosen, current in pairs)


@frozen
class Drawn:
    """
    A schedule that asks for numbers, such as Hypothesis draws them.

    Args:
        draw: Given n, returns a number from 0 to n - 1.
    """

    draw: Callable[[int], int]

    def choose(self, options: tuple[str, ...], current: str | None) -> str:
        """See Schedule.choose."""
        return options[self.draw(len(options))]


def explore(
    scenario: Callable[[Schedule], object], *, switches: int = 2, limit: int | None = None
) -> int:
    """
    Run *scenario* under every schedule that takes the turn from somebody at most *switches* times.

    Most races need no more than two such switches, and the number of schedules grows with their
    power; what is left out can be drawn at random. The scenario must do the same under one schedule.

    Args:
        scenario: Builds a world, runs an Interleaving by the schedule given, and checks the outcome.
        switches: The bound; going on when one has ended or waits is free.
        limit: Stop after so many runs; None takes them all.

    Returns:
        How many schedules there were.
    """
    # Those that stray least from everybody running on come first: so a limit cuts off the rarest.
    pending: deque[tuple[str, ...]] = deque([()])
    runs = 0
    while pending and (limit is None or runs < limit):
        schedule = Replay(pending.popleft())
        scenario(schedule)
        runs += 1
        for position in range(len(schedule.prefix), len(schedule.taken)):
            taken, current = schedule.taken[position], schedule.current[position]
            for other in schedule.options[position]:
                cost = schedule.switches(position) + (current is not None and other != current)
                if other != taken and cost <= switches:
                    pending.append((*schedule.taken[:position], other))
    return runs


@frozen
class Outcome:
    """How an actor ended: with what it returned, or the error it raised."""

    result: object = None
    error: DaylilyError | Killed | None = None


@define(eq=False)
class _Actor:
    name: str
    call: Callable[[], object]
    turn: threading.Semaphore = field(factory=lambda: threading.Semaphore(0))
    wakes_at: datetime | None = None
    outcome: Outcome | None = None
    bug: BaseException | None = None


@define(eq=False)
class Interleaving:
    """
    Runs actors by a schedule.

    Args:
        schedule: Says who goes on.
        clock: What actors wait by; it moves only when all who could go on have, or ``TIME`` is chosen.
    """

    schedule: Schedule
    clock: ManualClock = field(factory=ManualClock)
    log: list[str] = field(init=False, factory=list)
    """Every step taken, as ``actor: port.method``."""
    _actors: dict[int, _Actor] = field(init=False, factory=dict)
    _yielded: threading.Semaphore = field(init=False, factory=lambda: threading.Semaphore(0))
    _aborted: bool = field(init=False, default=False)

    def wrap(self, port: T, name: str) -> T:
        """Return a stand-in for *port* before each of whose calls an actor gives way."""
        return cast(T, _Interleaved(port, name, self))

    def pause(self, what: str = "pause") -> None:
        """Give way; whoever is not an actor (a test that prepares its world) goes on at once."""
        actor = self._actors.get(threading.get_ident())
        if actor is None:
            return
        self._yielded.release()
        actor.turn.acquire()
        if self._aborted:
            raise Killed("another actor failed")
        self.log.append(f"{actor.name}: {what}")

    def sleep(self, duration: timedelta) -> None:
        """Give way until *duration* has passed on the clock."""
        actor = self._actors[threading.get_ident()]
        actor.wakes_at = self.clock() + duration
        self.pause(f"slept {duration}")

    def run(self, actors: Mapping[str, Callable[[], object]]) -> Mapping[str, Outcome]:
        """
        Run *actors* to their ends and return how each ended.

        DaylilyErrors and Killed are outcomes; any other error is raised here.

        Raises:
            ValueError: An actor goes by the name of ``TIME``.
        """
        if TIME in actors:
            raise ValueError(f"no actor may be called {TIME!r}")
        cast_ = [_Actor(name, call) for name, call in actors.items()]
        threads = [threading.Thread(target=self._play, args=(actor,), daemon=True) for actor in cast_]
        for thread in threads:
            thread.start()
        try:
            self._direct(cast_)
        finally:
            self._aborted = True
            for actor in cast_:
                actor.turn.release()
            for thread in threads:
                thread.join(_PATIENCE)
        for actor in cast_:
            if actor.bug is not None:
                raise actor.bug
        return {actor.name: actor.outcome or Outcome() for actor in cast_}

    def _play(self, actor: _Actor) -> None:
        self._actors[threading.get_ident()] = actor
        actor.turn.acquire()
        try:
            if not self._aborted:
                actor.outcome = Outcome(actor.call())
        except (DaylilyError, Killed) as error:
            actor.outcome = Outcome(error=error)
        except BaseException as error:  # noqa: BLE001 - raised again where the test can see it
            actor.bug, actor.outcome = error, Outcome()
        finally:
            del self._actors[threading.get_ident()]
            self._yielded.release()

    def _direct(self, actors: list[_Actor]) -> None:
        current: _Actor | None = None
        while left := [actor for actor in actors if actor.outcome is None]:
            ready = [
                actor for actor in left if actor.wakes_at is None or actor.wakes_at <= self.clock()
            ]
            waiting = [actor.wakes_at for actor in left if actor.wakes_at and actor not in ready]
            options = tuple(actor.name for actor in ready) + ((TIME,) if waiting else ())
            awake = current.name if current in ready and current is not None else None
            chosen = self.schedule.choose(options, awake)
            if chosen == TIME:
                self.clock.advance(min(waiting) - self.clock())
                self.log.append(f"{TIME}: {self.clock():%H:%M:%S}")
                continue
            current = next(actor for actor in ready if actor.name == chosen)
            current.wakes_at = None
            current.turn.release()
            if not self._yielded.acquire(timeout=_PATIENCE):
                raise RuntimeError(f"{chosen} neither ends nor gives way")
            if current.bug is not None:
                return


class _Interleaved:
    """Looks like the port it stands for."""

    def __init__(self, port: object, name: str, stage: Interleaving) -> None:
        self._port, self._name, self._stage = port, name, stage

    def __getattr__(self, attribute: str) -> object:
        found = getattr(self._port, attribute)
        if not callable(found):
            return found

        def call(*args: object, **named: object) -> object:
            self._stage.pause(f"{self._name}.{attribute}")
            return found(*args, **named)

        return call
