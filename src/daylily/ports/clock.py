"""Time, chance and names come from outside, so that tests can wind them by hand."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def __call__(self) -> datetime:
        """
        Return the present instant: aware, in UTC.

        It may have been later before, where a machine's clock was ahead and is set right: nobody may
        wait for it to catch up.
        """


class Chance(Protocol):
    """Draws what must not be guessed or must differ between processes."""

    def token(self) -> str:
        """Return 10 lower-case letters and digits that nobody can guess."""

    def jitter(self) -> float:
        """Return a number from 0 to 1."""
