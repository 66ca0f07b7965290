"""What happens among actors, written as a short list: what it does not say goes on undisturbed."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import accumulate
from random import Random
from typing import Final

from attrs import define, field, frozen
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from daylily.testing.faults import Blow
from daylily.testing.interleave import Late, Mishap, Stale


@frozen
class Turn:
    """The *who*th of those who can go on takes the turn, time among them."""

    who: int


Happening = Turn | Mishap

DELAYS: Final = tuple(timedelta(seconds=each) for each in (1, 19, 21, 29, 31, 65, 290, 310, 900, 4000))
"""Just less, and just more, than what anybody here waits for."""

MISHAPS: Final[tuple[Mishap, ...]] = (
    *Blow,
    *map(Late, DELAYS),
    *map(Stale, (1, 2, 4, 8)),
)


@define
class Script:
    """
    Both the Schedule and the Mishaps of an Interleaving.

    >>> script = Script({2: Turn(1), 4: Blow.DIES_BEFORE})
    >>> [script.choose(("a", "b"), "a") for _ in range(3)]
    ['a', 'b', 'a']
    >>> script.choose(("a", "b"), "a"), script.befalls("a", "store.save")
    ('a', <Blow.DIES_BEFORE: 'dies before'>)

    Args:
        happenings: By the number of the choice at which they happen, from 1.
    """

    happenings: Mapping[int, Happening]
    at: int = field(init=False, default=0)

    def choose(self, options: tuple[str, ...], current: str | None) -> str:
        """See Schedule.choose."""
        self.at += 1
        happening = self.happenings.get(self.at)
        if isinstance(happening, Turn):
            return options[happening.who % len(options)]
        return current or options[0]

    def befalls(self, actor: str, call: str) -> Mishap | None:
        """See Mishaps.befalls."""
        happening = self.happenings.get(self.at)
        return None if isinstance(happening, Turn) else happening


_GAPS: Final = (3, 8, 25)
_MOST: Final = 40


def happenings() -> SearchStrategy[Mapping[int, Happening]]:
    """Up to 40 things that happen, densely or at most 25 choices apart; fewer is simpler."""
    turn = st.builds(Turn, st.integers(0, 7))
    happening = st.one_of(turn, turn, st.sampled_from(MISHAPS))

    def listed(gap: int) -> SearchStrategy[list[tuple[int, Happening]]]:
        return st.lists(st.tuples(st.integers(1, gap), happening), max_size=_MOST)

    return (
        st.sampled_from(_GAPS)
        .flatmap(listed)
        .map(lambda pairs: _placed([gap for gap, _ in pairs], [what for _, what in pairs]))
    )


def random_happenings(chance: Random) -> Mapping[int, Happening]:
    """Return the like, drawn by *chance*: cheaper, and not made simpler when it finds something."""
    number, gap = chance.randint(0, _MOST), chance.choice(_GAPS)
    gaps = [chance.randint(1, gap) for _ in range(number)]
    what: list[Happening] = [
        chance.choice(MISHAPS) if chance.random() < 1 / 3 else Turn(chance.randint(0, 7))
        for _ in range(number)
    ]
    return _placed(gaps, what)


def _placed(gaps: list[int], what: list[Happening]) -> Mapping[int, Happening]:
    return dict(zip(accumulate(gaps), what, strict=True))
