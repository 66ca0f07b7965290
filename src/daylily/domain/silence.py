"""That a monitor has gone silent, as it is noted: once for each silence, whoever notices."""

import json
from datetime import UTC, datetime
from typing import Any, Final, Self

from attrs import evolve, frozen

from daylily.domain.events import Event, EventKind
from daylily.domain.heartbeat import FORGOTTEN_AFTER, fit
from daylily.domain.lifecycle import Priority

KEPT: Final = 7 * FORGOTTEN_AFTER
"""How long news waits for somebody who can tell it: longer than it is owed to any channel."""
_NAME_LENGTH: Final = 64


@frozen(kw_only=True)
class Silence:
    """
    The end of a monitor's signs.

    It is known by its monitor and by the last sign: so all who notice it know the same one, and if the
    monitor is heard again and falls silent again, that is another.
    """

    monitor: str
    """Its name, short enough to be a part of ids."""
    since: datetime
    """When it was last heard."""
    noticed_at: datetime
    alone: bool
    """Whether no other monitor was alive then."""
    told: bool = False

    @classmethod
    def of(cls, name: str, since: datetime, noticed_at: datetime, *, alone: bool = False) -> Self:
        """Return that of a monitor that may be called anything."""
        # The end of a name tells monitors of one host apart.
        monitor = fit(name)[-_NAME_LENGTH:]
        return cls(monitor=monitor, since=since, noticed_at=noticed_at, alone=alone)

    @property
    def key(self) -> str:
        """What it is known by."""
        return f"monitor-{self.monitor}-silent-{self.since.astimezone(UTC):%Y%m%dT%H%M%SZ}"

    @property
    def expires_at(self) -> datetime:
        """When it is of no use any more: once told, when its sign counts for nothing any more."""
        # Clocks of those who look may differ.
        return self.since + 2 * FORGOTTEN_AFTER if self.told else self.noticed_at + KEPT

    def event(self) -> Event:
        """Return the news: urgent where nobody is left who works."""
        since = self.since.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        message = (
            f"monitor {self.monitor} has given no sign of life since {since}: it has died, is cut off"
            " from its bucket, or has been at one cycle for long"
        )
        if self.alone:
            message += "; no other monitor is alive, so nothing is launched or followed"
        return Event(
            event_id=self.key,
            kind=EventKind.MONITOR_SILENT,
            priority=Priority.URGENT if self.alone else Priority.NORMAL,
            at=self.noticed_at,
            message=message,
            monitor=self.monitor,
        )

    def over(self) -> Self:
        """Return it as it stands once people have been told."""
        return evolve(self, told=True)

    def render(self) -> str:
        """Return what to store."""
        return json.dumps(
            {
                "monitor": self.monitor,
                "since": self.since.isoformat(),
                "noticed_at": self.noticed_at.isoformat(),
                "alone": self.alone,
                "told": self.told,
            }
        )

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return what was stored; None if a newer version has stored what this one cannot read."""
        try:
            told = json.loads(text)
            return cls(
                monitor=_text(told["monitor"]),
                since=datetime.fromisoformat(told["since"]),
                noticed_at=datetime.fromisoformat(told["noticed_at"]),
                alone=bool(told["alone"]),
                told=bool(told["told"]),
            )
        except (ValueError, TypeError, LookupError):
            return None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value
