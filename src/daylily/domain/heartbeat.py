"""The sign of life that a monitor leaves, and what its absence says."""

import json
import re
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Self

from attrs import frozen

BEAT_EVERY: Final = timedelta(minutes=1)
"""How often a monitor leaves a sign, however often it works."""
SILENT_AFTER: Final = 3
"""After so many of its own intervals without a sign a monitor counts as silent."""
FORGOTTEN_AFTER: Final = timedelta(days=1)
"""How old a sign may become before it is removed."""

_UNFIT: Final = re.compile(r"[^A-Za-z0-9_-]+")


class Vitality(StrEnum):
    """How a monitor is."""

    LIVE = "live"
    FAILING = "failing"
    """It lives, and its last cycle came to nothing."""
    SILENT = "silent"
    """It has died, cannot reach the objects, or has been at one cycle for long."""
    ONCE = "once"
    """It runs one cycle whenever somebody calls it (cron, Lambda)."""


@frozen(kw_only=True)
class Heartbeat:
    """What a monitor says of itself."""

    name: str
    host: str
    pid: int
    started_at: datetime
    rest: timedelta | None
    """How long it rests until its next cycle; None for one that is called for each."""
    cycles: int
    """How many it has begun."""
    last_cycle_at: datetime | None = None
    """When one last came to its end."""
    last_cycle_took: timedelta = timedelta()
    failures: int = 0
    """How many in a row have come to nothing since."""
    faults: int = 0
    """How much was wrong in the last one."""

    def render(self) -> bytes:
        """Return what to store."""
        return json.dumps(
            {
                "name": self.name,
                "host": self.host,
                "pid": self.pid,
                "started_at": self.started_at.isoformat(),
                "rest_seconds": None if self.rest is None else self.rest.total_seconds(),
                "cycles": self.cycles,
                "last_cycle_at": self.last_cycle_at.isoformat() if self.last_cycle_at else None,
                "last_cycle_seconds": self.last_cycle_took.total_seconds(),
                "failures": self.failures,
                "faults": self.faults,
            }
        ).encode()

    @classmethod
    def parse(cls, data: bytes) -> Self | None:
        """Return what was stored; None if it makes no sense, whoever wrote it."""
        try:
            told = json.loads(data)
            rest, last = told["rest_seconds"], told["last_cycle_at"]
            return cls(
                name=str(told["name"]),
                host=str(told["host"]),
                pid=int(told["pid"]),
                started_at=_moment(told["started_at"]),
                rest=None if rest is None else timedelta(seconds=rest),
                cycles=int(told["cycles"]),
                last_cycle_at=None if last is None else _moment(last),
                last_cycle_took=timedelta(seconds=told["last_cycle_seconds"]),
                failures=int(told["failures"]),
                faults=int(told["faults"]),
            )
        except (ValueError, TypeError, LookupError, OverflowError, RecursionError):
            return None


def fit(name: str) -> str:
    """Return a name as a part of keys and ids: hosts may be called anything."""
    return _UNFIT.sub("-", name)[:200]


def _moment(text: Any) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(text)
    return at


@frozen
class Heard:
    """A sign of life, and when the store got it."""

    beat: Heartbeat
    at: datetime

    def lag(self, now: datetime) -> timedelta | None:
        """Return how late the next sign is; None where none is due."""
        interval = self.interval
        return None if interval is None else max(now - self.at - interval, timedelta())

    @property
    def interval(self) -> timedelta | None:
        """How long it takes to the next sign, going by the last cycle; None where none is due."""
        if self.beat.rest is None:
            return None
        return BEAT_EVERY + self.beat.rest + self.beat.last_cycle_took

    def vitality(self, now: datetime) -> Vitality:
        """Tell how the monitor is, for all that is known."""
        interval = self.interval
        if interval is None:
            return Vitality.ONCE
        if now - self.at > SILENT_AFTER * interval:
            return Vitality.SILENT
        return Vitality.FAILING if self.beat.failures else Vitality.LIVE

    def forgotten(self, now: datetime) -> bool:
        """Tell whether it is too old to be told of."""
        return now - self.at >= FORGOTTEN_AFTER
