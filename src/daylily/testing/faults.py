"""Faults on demand: whichever call to a port you name dies, or meets an outage."""

import threading
from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar, cast

from attrs import define, field

from daylily.domain.errors import UnavailableError

T = TypeVar("T")


class Killed(BaseException):
    """
    The process died here.

    No Exception, so that nothing in the code under test lives to handle it.
    """


class Blow(StrEnum):
    """What befalls a call."""

    DIES_BEFORE = "dies before"
    DIES_AFTER = "dies after"
    OUTAGE_BEFORE = "outage before"
    """Nothing has happened, and the caller is told UnavailableError."""
    OUTAGE_AFTER = "outage after"
    """It has happened, and yet the caller is told UnavailableError: the hardest to get right."""

    @property
    def deadly(self) -> bool:
        """Whether the process dies of it."""
        return self in {Blow.DIES_BEFORE, Blow.DIES_AFTER}


@define
class FaultInjector:
    """
    Strikes the *at*th call, counted over all ports it has wrapped.

    A process that has died makes no more calls: after a deadly blow every further one dies too. To
    find out how many calls there are, run without a blow and look at ``calls``.

    Args:
        at: Number of the call to strike, from 1; None only counts.
        blow: What befalls it.
        length: How many calls in a row an outage lasts.
        on: Count only calls of this name (``port.method``), for *at* and *length*.

    >>> class Greeter:
    ...     def greet(self, name: str) -> str:
    ...         return f"hello {name}"
    >>> faults = FaultInjector(at=2, blow=Blow.OUTAGE_BEFORE)
    >>> greeter = faults.wrap(Greeter(), "greeter")
    >>> greeter.greet("ada")
    'hello ada'
    >>> greeter.greet("bob")
    Traceback (most recent call last):
    ...
    daylily.domain.errors.UnavailableError: greeter.greet: outage before
    """

    at: int | None = None
    blow: Blow = Blow.DIES_BEFORE
    length: int = 1
    on: str | None = field(default=None, kw_only=True)
    calls: list[str] = field(init=False, factory=list)
    """Names of all calls so far, as ``port.method``."""
    dead: bool = field(init=False, default=False)
    """Whether the process has died."""
    _mutex: threading.Lock = field(init=False, factory=threading.Lock, repr=False, eq=False)

    def wrap(self, port: T, name: str) -> T:
        """
        Return a stand-in for *port* whose method calls are counted and may be struck.

        Args:
            port: Any object; attributes that are not methods are handed through.
            name: What to call it in ``calls``.
        """
        return cast(T, _Struck(port, name, self))

    @property
    def struck(self) -> bool:
        """Whether the blow has fallen."""
        return self.at is not None and self._counted() >= self.at

    def call(self, name: str, method: Callable[..., object], *args: object, **named: object) -> object:
        """
        Make a call, unless the blow keeps it from being made.

        Raises:
            Killed: The process dies, or is dead already.
            UnavailableError: It is the turn of an outage.
        """
        with self._mutex:
            if self.dead:
                raise Killed(f"{name}: dead already")
            self.calls.append(name)
            falls = self.on in {None, name} and self._falls(self._counted())
        if not falls:
            return method(*args, **named)
        if self.blow in {Blow.DIES_AFTER, Blow.OUTAGE_AFTER}:
            method(*args, **named)
        if self.blow.deadly:
            self.dead = True
            raise Killed(f"{name}: {self.blow}")
        raise UnavailableError(f"{name}: {self.blow}")

    def _counted(self) -> int:
        return len(self.calls) if self.on is None else self.calls.count(self.on)

    def _falls(self, number: int) -> bool:
        if self.at is None:
            return False
        return self.at <= number < self.at + (1 if self.blow.deadly else self.length)


class _Struck:
    """Looks like the port it stands for."""

    def __init__(self, port: object, name: str, faults: FaultInjector) -> None:
        self._port, self._name, self._faults = port, name, faults

    def __getattr__(self, attribute: str) -> object:
        found = getattr(self._port, attribute)
        if not callable(found):
            return found
        name = f"{self._name}.{attribute}"
        return lambda *args, **named: self._faults.call(name, found, *args, **named)
