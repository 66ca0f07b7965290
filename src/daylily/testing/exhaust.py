"""
Every interleaving there is, up to some kills: not by running each, but each state once.

Two orders of steps that lead to the same state have the same future. So a run is given up as soon as it
comes to a state that was seen before: the same world, and actors that have been told the same so far
(what an actor will do depends on nothing else, as long as it draws nothing by chance). What is left is
finite, and can be counted.
"""

import hashlib
from collections.abc import Callable

from attrs import define, field, frozen

from daylily.testing.faults import Blow
from daylily.testing.interleave import Mishap


class SeenBeforeError(BaseException):
    """The run has come to a state whose future is known. No Exception: nobody is to handle it."""


@frozen
class Move:
    """Whose call comes next, and whether it is the last of that process."""

    actor: str
    blow: Blow | None = None


@define
class Path:
    """
    The Schedule and the Mishaps of one run: follows *prefix*, and then goes where nobody has been.

    Args:
        prefix: The first moves.
        seen: Digests of all states that any run has come to.
        kills: How many processes may die.
    """

    prefix: tuple[Move, ...]
    seen: set[bytes]
    kills: int
    state: Callable[[], bytes] = field(init=False, default=lambda: b"")
    """What the scenario sets: a digest of the world and of what its actors know."""
    branches: list[tuple[Move, ...]] = field(init=False, factory=list)
    """Moves that lead elsewhere, each with all before it."""
    _taken: list[Move] = field(init=False, factory=list)
    _awake: set[str] = field(init=False, factory=set)

    def choose(self, options: tuple[str, ...], current: str | None) -> str:
        """See Schedule.choose."""
        at = len(self._taken)
        if at < len(self.prefix):
            move = self.prefix[at]
        else:
            # Who has not begun is elsewhere than who is about to make its first call.
            state = digest(self.state(), sorted(self._awake))
            if state in self.seen:
                raise SeenBeforeError
            self.seen.add(state)
            move, *others = self._moves(options)
            self.branches += [(*self._taken, other) for other in others]
        self._taken.append(move)
        self._awake.add(move.actor)
        return move.actor

    def befalls(self, actor: str, call: str) -> Mishap | None:
        """See Mishaps.befalls."""
        return self._taken[-1].blow

    def _moves(self, options: tuple[str, ...]) -> list[Move]:
        moves = [Move(name) for name in options]
        if sum(move.blow is not None for move in self._taken) < self.kills:
            # Whoever has not begun has no call to die in.
            # To die after a call is to die before the next one: nobody can tell the difference.
            moves += [Move(name, Blow.DIES_BEFORE) for name in options if name in self._awake]
        return moves


@frozen
class Explored:
    """What there was to explore."""

    states: int
    ends: int
    """Different states in which all actors had ended."""
    runs: int


def explore_all(scenario: Callable[[Path], Callable[[], None]], *, kills: int = 1) -> Explored:
    """
    Come to every state that actors can come to, whichever goes on when and *kills* of them die.

    Args:
        scenario: Builds a world, sets ``state``, and runs an Interleaving by the path; returns a check
            of the outcome, which is made once for each state in which all have ended.
    """
    seen: set[bytes] = set()
    ends: set[bytes] = set()
    pending: list[tuple[Move, ...]] = [()]
    runs = 0
    while pending:
        path = Path(pending.pop(), seen, kills)
        runs += 1
        try:
            check = scenario(path)
        except SeenBeforeError:
            check = None
        pending += path.branches
        if check is not None and (end := path.state()) not in ends:
            ends.add(end)
            check()
    return Explored(len(seen), len(ends), runs)


def digest(*parts: object) -> bytes:
    """Return a digest of what *parts* show of themselves."""
    return hashlib.blake2b("\0".join(map(repr, parts)).encode(), digest_size=16).digest()
