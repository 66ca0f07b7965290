"""Telling people: every channel that wants to hear, and none that holds up another."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from attrs import define, field

from daylily.domain.errors import InvalidInputError, ThrottledError, UnavailableError
from daylily.domain.events import Event, EventKind
from daylily.ports.clock import Clock
from daylily.ports.dead_notices import DeadNotice, DeadNotices
from daylily.ports.notifier import Notifier

GIVE_UP: Final = timedelta(hours=24)
"""How long an event is owed to a channel: what is older helps nobody by arriving by itself."""
LONGEST_PATIENCE: Final = timedelta(days=7)
"""The same for a channel that is there, and asks for a pause: it takes what waits once that is over."""
REMEMBERED: Final = 10_000
"""Events that some channels have taken and others have not."""

_log = logging.getLogger(__name__)


@define
class DeliverNotices:
    """
    A Notifier that tells all of its channels.

    Each is tried whatever becomes of the others, and the event stays owed until all have taken it or
    have been given up on: after a day, or at once if a channel says that it never will take this one.
    A channel that asks for a pause (ThrottledError) is not given up on for being slow.
    What was given up on is laid on a list for people to see to. When it is sent again, channels that
    have taken it are left in peace: as far as this process remembers, which saves repeats and decides
    nothing.

    Args:
        channels: By the names that people know them by.
        dead: Where what was given up on is kept.
        clock: Tells how old an event is.
    """

    channels: Mapping[str, Notifier]
    dead: DeadNotices
    clock: Clock
    _taken: OrderedDict[str, set[str]] = field(init=False, factory=OrderedDict)
    _mutex: threading.Lock = field(init=False, factory=threading.Lock, repr=False, eq=False)

    @property
    def kinds(self) -> frozenset[EventKind]:
        """What one of them passes on."""
        return frozenset[EventKind]().union(*(channel.kinds for channel in self.channels.values()))

    def send(self, event: Event) -> None:
        """
        Tell all channels that have not been told.

        Raises:
            UnavailableError: Some did not answer; the event is still owed to them.
        """
        taken = self._known(event.event_id)
        down: dict[str, UnavailableError] = {}
        for name, channel in self.channels.items():
            if name in taken:
                continue
            try:
                channel.send(event)
            except UnavailableError as error:
                patience = LONGEST_PATIENCE if isinstance(error, ThrottledError) else GIVE_UP
                if self.clock() - event.at < patience:
                    down[name] = error
                    continue
                self._give_up(name, event, error)
            except InvalidInputError as error:
                # It never will take this one: to ask again with the others is of no use.
                self._give_up(name, event, error)
            taken.add(name)
        if down:
            self._remember(event.event_id, taken)
            raise UnavailableError("; ".join(f"{name}: {error}" for name, error in down.items()))
        self._forget(event.event_id)

    def _give_up(self, name: str, event: Event, error: Exception) -> None:
        """
        Lay the event on the list.

        Raises:
            UnavailableError: The list does not answer: then the event stays owed.
        """
        _log.error("%s did not take %s: %s", name, event.event_id, error)
        self.dead.lay(DeadNotice(channel=name, event=event, why=str(error), died_at=self.clock()))

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
