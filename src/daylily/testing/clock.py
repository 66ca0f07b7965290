"""A clock that tests wind by hand."""

import threading
from datetime import datetime, timedelta

from attrs import define, field

from daylily.testing.samples import NOON


@define
class ManualClock:
    """
    A ``Clock`` that stands still until it is told to move; safe to share between threads.

    >>> clock = ManualClock()
    >>> clock.advance(timedelta(minutes=5))
    >>> clock() - NOON
    datetime.timedelta(seconds=300)
    """

    _now: datetime = field(default=NOON)
    _mutex: threading.Lock = field(init=False, factory=threading.Lock, repr=False, eq=False)

    def __call__(self) -> datetime:
        """Return the instant to which the clock has been wound."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """
        Let time pass.

        Raises:
            ValueError: *by* is negative: a ``Clock`` never goes back.
        """
        if by < timedelta():
            raise ValueError(f"time does not pass backwards, not even by {-by}")
        with self._mutex:
            self._now += by

    def put_back(self, by: timedelta) -> None:
        """Show a time that has been before, as where a machine's clock was ahead and is set right."""
        with self._mutex:
            self._now -= by
