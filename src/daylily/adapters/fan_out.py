"""One channel made of several."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

from attrs import define, field

from daylily.domain.errors import InvalidInputError, UnavailableError
from daylily.domain.events import Event, EventKind
from daylily.ports.notifier import Notifier

REMEMBERED: Final = 10_000
"""Events that some channels have taken and others have not."""

_log = logging.getLogger(__name__)


@define
class FanOutNotifier:
    """
    A Notifier that tells all of its channels.

    Each is tried whatever becomes of the others, and the event stays owed until all have taken it.
    When it is sent again, channels that have taken it are left in peace: as far as this process
    remembers, which saves repeats and decides nothing.

    Args:
        channels: By the names that people know them by.
    """

    channels: Mapping[str, Notifier]
    _taken: OrderedDict[str, set[str]] = field(init=False, factory=OrderedDict)
    _mutex: threading.Lock = field(init=False, factory=threading.Lock, repr=False, eq=False)

    @property
    def kinds(self) -> frozenset[EventKind]:
        """What one of them passes on."""
        return frozenset[EventKind]().union(*(channel.kinds for channel in self.channels.values()))

    def send(self, event: Event) -> None:
        """See Notifier.send."""
        taken = self._known(event.event_id)
        down: dict[str, UnavailableError] = {}
        refused: dict[str, InvalidInputError] = {}
        for name, channel in self.channels.items():
            if name in taken:
                continue
            try:
                channel.send(event)
            except UnavailableError as error:
                down[name] = error
                continue
            except InvalidInputError as error:
                # It never will take this one: to ask again with the others is of no use.
                _log.error("%s does not take %s: %s", name, event.event_id, error)
                refused[name] = error
            taken.add(name)
        if down:
            self._remember(event.event_id, taken)
            raise UnavailableError("; ".join(f"{name}: {error}" for name, error in down.items()))
        self._forget(event.event_id)
        if len(refused) == len(self.channels):
            raise InvalidInputError(fault for error in refused.values() for fault in error.faults)

    def _known(self, event_id: str) -> set[str]:
        with self._mutex:
            return set(self._taken.get(event_id, ()))

    def _remember(self, event_id: str, taken: set[str]) -> None:
        with self._mutex:
            self._taken.setdefault(event_id, set()).update(taken)
            self._taken.move_to_end(event_id)
            while len(self._taken) > REMEMBERED:
                self._taken.popitem(last=False)

    def _forget(self, event_id: str) -> None:
        with self._mutex:
            self._taken.pop(event_id, None)
