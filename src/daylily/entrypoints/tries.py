"""Failed tries to sign in."""

import threading
from datetime import datetime, timedelta
from typing import Final

from attrs import define, field

from daylily.domain.errors import TooManyTriesError
from daylily.ports.clock import Clock

TRIES: Final = 10
WINDOW: Final = timedelta(minutes=5)
MOST_ADDRESSES: Final = 10_000


@define
class Tries:
    """Counts failed tries to sign in, by address, so that nobody can guess for long."""

    clock: Clock
    _failed: dict[str, list[datetime]] = field(init=False, factory=dict)
    _mutex: threading.Lock = field(init=False, factory=threading.Lock, repr=False)

    def check(self, address: str) -> None:
        """
        Let through an address that has not failed too often of late.

        Raises:
            TooManyTriesError: It has.
        """
        with self._mutex:
            if len(self._recent(address)) >= TRIES:
                minutes = int(WINDOW.total_seconds() // 60)
                raise TooManyTriesError(f"too many failed tries; wait {minutes} minutes")

    def failed(self, address: str) -> None:
        """Note a failed try."""
        with self._mutex:
            recent = [*self._recent(address), self.clock()]
            # Nobody may fill our memory with addresses either.
            if len(self._failed) >= MOST_ADDRESSES:
                self._failed.clear()
            self._failed[address] = recent

    def _recent(self, address: str) -> list[datetime]:
        since = self.clock() - WINDOW
        return [at for at in self._failed.get(address, ()) if at > since]
