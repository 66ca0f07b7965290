"""Leave signs of life of monitors, and read those of all."""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from attrs import define, field, frozen

from daylily.application.resting import within
from daylily.application.turns import Turns
from daylily.domain.errors import DaylilyError, NotFoundError
from daylily.domain.heartbeat import BEAT_EVERY, FORGOTTEN_AFTER, Heard, Heartbeat, fit
from daylily.ports.clock import Clock
from daylily.ports.object_store import ObjectInfo, ObjectStore
from daylily.ports.paging import every

_MOST_BYTES: Final = 10_000

_log = logging.getLogger(__name__)


@frozen(kw_only=True)
class ShowMonitors:
    """
    Return the monitors that have been heard of within a day.

    Cost: a listing, and a read for each monitor.
    """

    objects: ObjectStore
    folder: str
    clock: Clock

    def __call__(self) -> tuple[Heard, ...]:
        """
        Return them in order of their names.

        Raises:
            UnavailableError: The objects cannot be read.
        """
        now = self.clock()
        found = (self.read(info) for info in self.signs())
        return tuple(heard for heard in found if heard is not None and not heard.forgotten(now))

    def signs(self) -> Iterator[ObjectInfo]:
        """Yield what is known of each sign, without reading it."""
        return every(lambda cursor: self.objects.list(self.folder, cursor=cursor))

    def read(self, info: ObjectInfo) -> Heard | None:
        """
        Return what a sign says; None if it is none, or has just been taken away.

        Raises:
            UnavailableError: It cannot be read.
        """
        try:
            with self.objects.open(info.key) as stream:
                beat = Heartbeat.parse(stream.read(_MOST_BYTES))
        except NotFoundError:
            return None  # it has just stopped
        return Heard(beat, info.modified_at) if beat else None


@define(kw_only=True)
class LeaveHeartbeat:
    """
    Leave a small object of one's own, at most once a minute; nothing depends on it.

    Cost: a put a minute, in its turn. Once a day a listing, and the removal of what those have left
    behind who died more than a day ago.
    """

    objects: ObjectStore
    folder: str
    clock: Clock
    name: str
    host: str
    pid: int
    turns: Turns = field(factory=Turns)
    _started_at: datetime = field(init=False)
    _cycles: int = field(init=False, default=0)
    _failures: int = field(init=False, default=0)
    _faults: int = field(init=False, default=0)
    _last_cycle: tuple[datetime, timedelta] | None = field(init=False, default=None)
    _tried_at: datetime | None = field(init=False, default=None)
    _tidied_at: datetime | None = field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        self._started_at = self.clock()

    def cycle_done(self, *, took: timedelta, faults: int, rest: timedelta) -> None:
        """Take note of a cycle that came to its end, and leave a sign if one is due."""
        self._last_cycle = self.clock(), took
        self._failures, self._faults = 0, faults
        self._beat(rest)

    def cycle_failed(self, *, rest: timedelta) -> None:
        """Take note of a cycle that came to nothing, and leave a sign if one is due."""
        self._failures += 1
        self._beat(rest)

    def called_once(self, *, took: timedelta, faults: int, name: str | None = None) -> None:
        """
        Leave a sign of a process that has run a single cycle, in the place of that of its last call.

        Args:
            name: What is called; None for one on this host.
        """
        now = self.clock()
        self._leave(
            Heartbeat(
                name=fit(f"{name or self.host}-once"),
                host=self.host,
                pid=self.pid,
                started_at=self._started_at,
                rest=None,
                cycles=1,
                last_cycle_at=now,
                last_cycle_took=took,
                faults=faults,
            )
        )

    def stopped(self) -> None:
        """Take the sign away: who stops as asked is not silent."""
        if self._tried_at is None:
            return
        try:
            self.objects.delete(self._key(fit(self.name)))
        except DaylilyError as error:
            _log.debug("the sign of life stays behind: %s", error)

    def _beat(self, rest: timedelta) -> None:
        self._cycles += 1
        now = self.clock()
        if self._tried_at is not None and within(BEAT_EVERY, self._tried_at, now):
            self._tidy_if_due(now)
            return
        if not self.turns.take("sign of life", soon=True):
            return
        self._tried_at = now
        last_at, took = self._last_cycle or (None, timedelta())
        self._leave(
            Heartbeat(
                name=fit(self.name),
                host=self.host,
                pid=self.pid,
                started_at=self._started_at,
                rest=rest,
                cycles=self._cycles,
                last_cycle_at=last_at,
                last_cycle_took=took,
                failures=self._failures,
                faults=self._faults,
            )
        )
        self._tidy_if_due(now)

    def _leave(self, beat: Heartbeat) -> None:
        try:
            self.objects.put(self._key(beat.name), beat.render())
        except DaylilyError as error:
            # What it does matters; that it is seen to do it does not.
            _log.debug("no sign of life was left: %s", error)

    def _tidy_if_due(self, now: datetime) -> None:
        if self._tidied_at is not None and within(FORGOTTEN_AFTER, self._tidied_at, now):
            return
        if self.turns.take("old signs of life"):
            self._tidied_at = now
            self._tidy(now)

    def _tidy(self, now: datetime) -> None:
        show = ShowMonitors(objects=self.objects, folder=self.folder, clock=self.clock)
        try:
            for info in show.signs():
                if now - info.modified_at >= FORGOTTEN_AFTER:
                    # Unless it has come back to life since.
                    self.objects.delete(info.key, if_etag=info.etag)
        except DaylilyError as error:
            _log.debug("old signs of life stay behind: %s", error)

    def _key(self, name: str) -> str:
        return f"{self.folder}{name}.json"
