"""
Line and bar plots as inline SVG.

pygal, which comes with sequali, draws richer plots, but fixes its colours in each picture and brings
a script: these follow the page's colours in light and dark, and a page of them needs nothing from
elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from attrs import frozen

WIDTH: Final = 420
HEIGHT: Final = 250
LEFT, RIGHT, TOP, BOTTOM = 54, 20, 12, 46

Points = Sequence[tuple[float, float]]


@frozen
class Series:
    """
    One mate in a plot.

    *style* is its CSS class (r1, r2); *band*, of (x, low, high), is shaded around a line.
    """

    name: str
    style: str
    points: Points
    band: Sequence[tuple[float, float, float]] = ()


@frozen
class Plot:
    """What is drawn, with the sentence that says the same to who cannot see it."""

    title: str
    description: str
    x_label: str
    y_label: str
    series: Sequence[Series]
    x_range: tuple[float, float]
    y_max: float
    bar_width: float | None = None

    def x(self, value: float) -> float:
        """Return the place of *value* on the horizontal axis."""
        low, high = self.x_range
        return LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """Return the place of *value* on the vertical axis, which starts at 0."""
        return HEIGHT - BOTTOM - min(value / self.y_max, 1.0) * (HEIGHT - TOP - BOTTOM)

    def svg(self, key: str) -> str:
        """Return the plot as an SVG element; *key* sets its ids apart from the others on the page."""
        marks = self._bars if self.bar_width else self._lines
        return (
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="{key}-t {key}-d">'
            f'<title id="{key}-t">{escape(self.title)}</title>'
            f'<desc id="{key}-d">{escape(self.description)}</desc>'
            f"{''.join(self._axes())}{''.join(marks())}</svg>"
        )

    def _axes(self) -> Iterable[str]:
        right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
        for tick in ticks(0, self.y_max, 5):
            at = self.y(tick)
            style = "grid" if tick else "axis"
            yield f'<line class="{style}" x1="{LEFT}" x2="{right}" y1="{at:.1f}" y2="{at:.1f}"/>'
            yield f'<text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{_number(tick)}</text>'
        for tick in ticks(*self.x_range, 6):
            at = self.x(tick)
            yield f'<line class="axis" x1="{at:.1f}" x2="{at:.1f}" y1="{bottom}" y2="{bottom + 4}"/>'
            yield f'<text x="{at:.1f}" y="{bottom + 18}" text-anchor="middle">{_number(tick)}</text>'
        middle_x, middle_y = (LEFT + right) / 2, (TOP + bottom) / 2
        yield (
            f'<text x="{middle_x}" y="{HEIGHT - 6}" text-anchor="middle">{escape(self.x_label)}</text>'
            f'<text transform="rotate(-90)" x="{-middle_y}" y="14" text-anchor="middle">'
            f"{escape(self.y_label)}</text>"
        )

    def _bars(self) -> Iterable[str]:
        slot = self.bar_width or 1.0
        wide = slot * 0.9 / len(self.series)
        for number, series in enumerate(self.series):
            for at, height in series.points:
                left = self.x(at - slot * 0.45 + number * wide)
                right = self.x(at - slot * 0.45 + (number + 1) * wide)
                yield (
                    f'<rect class="{series.style}" x="{left:.1f}" y="{self.y(height):.1f}" '
                    f'width="{max(right - left, 0.5):.1f}" height="{self.y(0) - self.y(height):.1f}"/>'
                )

    def _lines(self) -> Iterable[str]:
        for series in self.series:
            if series.band:
                edge = [(at, high) for at, _, high in series.band]
                edge += [(at, low) for at, low, _ in reversed(series.band)]
                yield f'<polygon class="band {series.style}" points="{self._places(edge)}"/>'
        for series in self.series:
            yield f'<polyline class="{series.style}" points="{self._places(series.points)}"/>'

    def _places(self, points: Points) -> str:
        return " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in points)


def ticks(low: float, high: float, about: int) -> list[float]:
    """
    Return round numbers from *low* to *high*, some *about* of them.

    >>> ticks(0, 100, 5)
    [0, 20, 40, 60, 80, 100]
    >>> ticks(0.5, 151.5, 6)
    [20, 40, 60, 80, 100, 120, 140]
    """
    rough = (high - low) / about
    power = 10 ** math.floor(math.log10(rough))
    step = min((power * nice for nice in (1, 2, 5, 10)), key=lambda s: abs(s - rough))
    return [
        round(step * n, 6) for n in range(math.ceil(low / step), math.floor(high / step + 1e-9) + 1)
    ]


def round_up(value: float) -> float:
    """
    Return the end of an axis that reaches *value*.

    >>> [round_up(value) for value in (0, 3.2, 41, 99, 100)]
    [1, 4, 50, 100, 100]
    """
    if value <= 0:
        return 1
    power: float = 10 ** math.floor(math.log10(value))
    return next(power * nice for nice in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if power * nice >= value)


def _number(value: float) -> str:
    return f"{value / 1000:g}k" if value >= 10_000 else f"{value:g}"
