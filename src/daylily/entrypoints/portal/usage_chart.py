"""Where months stand in a drawing of them: what was said to be spent, and what was, side by side."""

from collections.abc import Sequence
from typing import Final

from attrs import frozen

from daylily.entrypoints.views import MonthView

WIDTH: Final = 720
HEIGHT: Final = 220
LEFT: Final = 62
"""Room for amounts."""
FLOOR: Final = HEIGHT - 30
_TOP: Final = 12
_LABELS: Final = 12
_STEPS: Final = (1, 2, 5)


@frozen(kw_only=True)
class Bar:
    """One bar."""

    kind: str
    """``said`` or ``cost``."""
    month: str
    amount: float
    x: float
    y: float
    width: float
    height: float


@frozen
class Mark:
    """A word beside an axis, and where it stands."""

    at: float
    text: str


@frozen(kw_only=True)
class Chart:
    """All of a drawing; the template turns it into SVG."""

    bars: tuple[Bar, ...]
    lines: tuple[Mark, ...]
    labels: tuple[Mark, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    floor: int = FLOOR

    @classmethod
    def of(cls, months: Sequence[MonthView]) -> "Chart":
        """Return the drawing of months, the earliest first."""
        told = [*reversed(months)]
        amounts = [(each.estimated_cost_usd, each.recorded_cost_usd) for each in told]
        most = top_of(max(max(pair) for pair in amounts))
        wide = (WIDTH - LEFT) / len(told)
        bars = []
        for number, (month, pair) in enumerate(zip(told, amounts, strict=True)):
            for index, (kind, amount) in enumerate(zip(("said", "cost"), pair, strict=True)):
                height = round(amount / most * (FLOOR - _TOP), 1)
                bars.append(
                    Bar(
                        kind=kind,
                        month=month.month,
                        amount=amount,
                        x=round(LEFT + wide * (number + 0.14 + 0.38 * index), 1),
                        y=round(FLOOR - height, 1),
                        width=round(wide * 0.34, 1),
                        height=height,
                    )
                )
        every = -(-len(told) // _LABELS)
        return cls(
            bars=tuple(bars),
            lines=tuple(
                Mark(FLOOR - share * (FLOOR - _TOP) / 4, f"${most * share / 4:,.0f}")
                for share in range(5)
            ),
            labels=tuple(
                Mark(round(LEFT + wide * (number + 0.5), 1), told[number].month[2:])
                for number in range(0, len(told), every)
            ),
        )


def top_of(largest: float) -> int:
    """
    Return a round amount above the largest, which four lines share out evenly.

    >>> top_of(0), top_of(3.5), top_of(7.47), top_of(1234)
    (4, 4, 8, 2000)
    """
    power = 1
    while True:
        for step in _STEPS:
            if 4 * step * power >= largest:
                return 4 * step * power
        power *= 10
