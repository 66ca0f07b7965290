"""
Actors at the same time, and yet the same each time: a scheduler for races.

Actors are threads of which exactly one is awake. Each gives way before every call to a port that was
wrapped; who goes on then is not chance but a ``Schedule``, so that a race can be replayed, drawn by
Hypothesis, or explored without gaps (``explore``). What befalls the call itself is up to ``Mishaps``:
it may come late, fail, read an index that lags, or be the last that its process makes.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeVar, cast

from attrs import define, field, frozen

from daylily.domain.errors import DaylilyError, UnavailableError
from daylily.testing.clock import ManualClock
from daylily.testing.faults import Blow, Killed

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


@frozen
class Late:
    """The call comes only after *by*, in which others may go on."""

    by: timedelta


@frozen
class Stale:
    """An index is read that has not seen the last *behind* writes; other calls are as always."""

    behind: int


Mishap = Blow | Late | Stale


class Mishaps(Protocol):
    """Says what befalls calls."""

    def befalls(self, actor: str, call: str) -> Mishap | None:
        """
        Return what befalls a call that *actor* is about to make; None if nothing does.

        Args:
            call: As ``port.method``.
        """


@frozen
class Peace:
    """No mishaps."""

    def befalls(self, actor: str, call: str) -> Mishap | None:
        """See Mishaps.befalls."""
        return None


class Lagging(Protocol):
    """Methods of a port as they answer when its indexes lag."""

    def fall_behind(self, writes: int) -> None:
        """See all writes but the last *writes*, from now on."""


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


def _iterator(numbers: Iterable[int]) -> Iterator[int]:
    return iter(numbers)


@frozen
class Drawn:
    """
    A schedule that follows *numbers*, such as Hypothesis draws them beforehand, each for a choice.

    Args:
        numbers: Any; where they end, everybody runs on for as long as they can.
    """

    numbers: Iterator[int] = field(converter=_iterator)

    def choose(self, options: tuple[str, ...], current: str | None) -> str:
        """See Schedule.choose."""
        number = next(self.numbers, None)
        return current or options[0] if number is None else options[number % len(options)]


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
    dead: bool = False


@define(eq=False)
class Interleaving:
    """
    Runs actors by a schedule.

    Args:
        schedule: Says who goes on.
        clock: What actors wait by; it moves only when all who could go on have, or ``TIME`` is chosen.
        mishaps: Says what befalls the calls of actors.
        private: Names of calls at which nobody gives way: no other actor can tell when they are made.
    """

    schedule: Schedule
    clock: ManualClock = field(factory=ManualClock)
    mishaps: Mishaps = Peace()
    private: frozenset[str] = frozenset()
    log: list[str] = field(init=False, factory=list)
    """Every step taken, as ``actor: port.method``."""
    told: Callable[[str, object], None] = field(init=False, default=lambda actor, what: None)
    """Is called with each actor and what a call of its has brought: a result, or the error."""
    _actors: dict[int, _Actor] = field(init=False, factory=dict)
    _cast: list[_Actor] = field(init=False, factory=list)
    _awake: _Actor | None = field(init=False, default=None)
    _over: threading.Semaphore = field(init=False, factory=lambda: threading.Semaphore(0))
    _broken: BaseException | None = field(init=False, default=None)
    _aborted: bool = field(init=False, default=False)

    def wrap(self, port: T, name: str, lagging: Lagging | None = None) -> T:
        """
        Return a stand-in for *port* before each of whose calls an actor gives way.

        Args:
            lagging: What answers instead, where it has the method, when an index is stale.
        """
        return cast(T, _Interleaved(port, name, self, lagging))

    @property
    def actor(self) -> str | None:
        """The name of the actor that asks; None for whoever is none."""
        actor = self._actors.get(threading.get_ident())
        return actor.name if actor else None

    def revive(self) -> None:
        """Let the actor that asks, whose process has died, go on as another process."""
        self._actors[threading.get_ident()].dead = False

    def pause(self, what: str = "pause") -> None:
        """Give way; whoever is not an actor (a test that prepares its world) goes on at once."""
        actor = self._actors.get(threading.get_ident())
        if actor is None:
            return
        self._give_way(actor)
        if self._aborted:
            raise Killed("another actor failed")
        self.log.append(f"{actor.name}: {what}")

    def sleep(self, duration: timedelta) -> None:
        """Give way until *duration* has passed on the clock."""
        actor = self._actors[threading.get_ident()]
        actor.wakes_at = self.clock() + duration
        self.pause(f"slept {duration}")

    def call(
        self, name: str, method: Callable[[], object], lagging: Callable[[int], object] | None = None
    ) -> object:
        """
        Give way, and make a call then, unless something befalls it.

        Args:
            lagging: Makes it on indexes that lag by a number of writes.

        Raises:
            Killed: The process of the actor dies of it, or is dead already.
            UnavailableError: It is struck by an outage.
        """
        actor = self._actors.get(threading.get_ident())
        if actor is None or (name in self.private and not actor.dead):
            return method()
        self.pause(name)
        if actor.dead:
            raise Killed(f"{name}: dead already")
        try:
            result = self._made(actor, name, method, lagging)
        except BaseException as error:
            self.told(actor.name, error)
            raise
        self.told(actor.name, result)
        return result

    def _made(
        self,
        actor: _Actor,
        name: str,
        method: Callable[[], object],
        lagging: Callable[[int], object] | None,
    ) -> object:
        mishap = self.mishaps.befalls(actor.name, name)
        if mishap is not None:
            self.log[-1] += f" ({mishap})"
        match mishap:
            case None:
                return method()
            case Stale(behind):
                return method() if lagging is None else lagging(behind)
            case Late(by):
                self.sleep(by)
                return method()
        if mishap in {Blow.DIES_AFTER, Blow.OUTAGE_AFTER}:
            method()
        if mishap.deadly:
            actor.dead = True
            raise Killed(f"{name}: {mishap}")
        raise UnavailableError(f"{name}: {mishap}")

    def run(self, actors: Mapping[str, Callable[[], object]]) -> Mapping[str, Outcome]:
        """
        Run *actors* to their ends and return how each ended.

        DaylilyErrors and Killed are outcomes; any other error is raised here.

        Raises:
            ValueError: An actor goes by the name of ``TIME``.
        """
        if TIME in actors:
            raise ValueError(f"no actor may be called {TIME!r}")
        self._cast = [_Actor(name, call) for name, call in actors.items()]
        threads = [
            threading.Thread(target=self._play, args=(actor,), daemon=True) for actor in self._cast
        ]
        for thread in threads:
            thread.start()
        try:
            self._wake(self._choose(None))
            self._await_end()
        finally:
            self._aborted = True
            for actor in self._cast:
                actor.turn.release()
            for thread in threads:
                thread.join(_PATIENCE)
        for actor in self._cast:
            if actor.bug is not None:
                raise actor.bug
        return {actor.name: actor.outcome or Outcome() for actor in self._cast}

    def _await_end(self) -> None:
        steps = -1
        while not self._over.acquire(timeout=_PATIENCE):
            if len(self.log) == steps and self._awake is not None:
                raise RuntimeError(f"{self._awake.name} neither ends nor gives way")
            steps = len(self.log)
        if self._broken is not None:
            raise self._broken

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
            if actor.bug is None and not self._aborted:
                self._wake(self._choose(None))
            else:
                self._over.release()

    def _give_way(self, actor: _Actor) -> None:
        """Let whoever is chosen go on: most often it is the same one, and no thread has to switch."""
        chosen = None if self._aborted else self._choose(actor)
        if chosen is not actor:
            self._wake(chosen)
            actor.turn.acquire()

    def _wake(self, actor: _Actor | None) -> None:
        if actor is None:
            self._over.release()
        else:
            self._awake = actor
            actor.turn.release()

    def _choose(self, awake: _Actor | None) -> _Actor | None:
        """Return who goes on; None if all have ended, or the schedule itself fails."""
        try:
            return self._chosen(awake)
        except BaseException as error:  # noqa: BLE001 - raised again by run
            self._broken = error
            return None

    def _chosen(self, current: _Actor | None) -> _Actor | None:
        while left := [actor for actor in self._cast if actor.outcome is None]:
            now = self.clock()
            ready = [actor for actor in left if actor.wakes_at is None or actor.wakes_at <= now]
            waiting = [actor.wakes_at for actor in left if actor.wakes_at and actor not in ready]
            options = tuple(actor.name for actor in ready) + ((TIME,) if waiting else ())
            awake = current.name if current in ready and current is not None else None
            chosen = self.schedule.choose(options, awake)
            if chosen == TIME:
                self.clock.advance(min(waiting) - now)
                self.log.append(f"{TIME}: {self.clock():%H:%M:%S}")
                continue
            found = next(actor for actor in ready if actor.name == chosen)
            found.wakes_at = None
            return found
        return None


class _Interleaved:
    """Looks like the port it stands for."""

    def __init__(self, port: object, name: str, stage: Interleaving, lagging: Lagging | None) -> None:
        self._port, self._name, self._stage, self._lagging = port, name, stage, lagging

    def __getattr__(self, attribute: str) -> object:
        found = getattr(self._port, attribute)
        if not callable(found):
            return found
        behind = getattr(self._lagging, attribute, None)

        def call(*args: object, **named: object) -> object:
            def stale(writes: int) -> object:
                assert self._lagging is not None
                assert behind is not None
                self._lagging.fall_behind(writes)
                return behind(*args, **named)

            return self._stage.call(
                f"{self._name}.{attribute}",
                lambda: found(*args, **named),
                stale if behind is not None else None,
            )

        return call
