"""Leave alone for a while what came to nothing: for speed alone, and forgotten with the process."""

import threading
from datetime import datetime, timedelta
from typing import Final

from attrs import define, field, frozen

FIRST: Final = timedelta(seconds=5)
LONGEST: Final = timedelta(minutes=10)


def within(length: timedelta, since: datetime, at: datetime) -> bool:
    """
    Tell whether less than *length* has passed.

    Where *since* is to come, the clock has been put back: who waited for it to catch up might wait
    for days.
    """
    return timedelta(0) <= at - since < length


@frozen
class _Rest:
    until: datetime
    length: timedelta


@define
class Resting:
    """
    Whose turn is not yet: each failure in a row doubles the rest.

    Without it, a directory that cannot be written, or a channel that is down, would be tried again
    in every cycle, for every workset, and leave its traces in each history.

    Threads may share it: a monitor launches several at once.

    Args:
        longest: How long a rest may become.
    """

    longest: timedelta = LONGEST
    _rests: dict[str, _Rest] = field(init=False, factory=dict)
    _mutex: threading.Lock = field(init=False, factory=threading.Lock, repr=False, eq=False)

    def over(self, name: str, at: datetime) -> bool:
        """Tell whether it is the turn of *name* again; also where the clock has been put back."""
        rest = self._rests.get(name)
        return rest is None or not within(rest.length, rest.until - rest.length, at)

    def begin(self, name: str, at: datetime) -> None:
        """Note that *name* came to nothing."""
        with self._mutex:
            last = self._rests.get(name)
            length = min(last.length * 2, self.longest) if last else min(FIRST, self.longest)
            # Those that nobody asked about for long have found their way without us.
            self._rests = {key: rest for key, rest in self._rests.items() if at - rest.until < LONGEST}
            self._rests[name] = _Rest(at + length, length)

    def end(self, name: str) -> None:
        """Note that *name* came to something."""
        with self._mutex:
            self._rests.pop(name, None)
