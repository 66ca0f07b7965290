"""
Figures of a monitor for CloudWatch, in its embedded metric format: a line of JSON for each cycle.

CloudWatch reads figures out of logs, so that a cycle makes no call for them.
"""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from attrs import define, field

from daylily.application.monitor_cycle import CycleReport
from daylily.domain.errors import UnavailableError
from daylily.domain.lifecycle import State
from daylily.entrypoints.figures import Figures, launches, retries

if TYPE_CHECKING:
    from daylily.bootstrap import World
    from daylily.config import Settings
    from daylily.ports.clock import Clock

NAMESPACE: Final = "Daylily/WorksetMonitor"
ASK_EVERY: Final = timedelta(minutes=1)
"""How often the store is asked how much waits, however often a monitor works."""
_SECONDS: Final = frozenset({"CycleSeconds", "OldestReadySeconds"})
_OF_STATE: Final = {
    State.READY: "WorksetsReady",
    State.LOCKED: "WorksetsLocked",
    State.IN_PROGRESS: "WorksetsInProgress",
    State.RETRYING: "WorksetsRetrying",
}


def installation_of(settings: "Settings") -> str:
    """Return what figures of an installation go by: its bucket, or the folder of its home."""
    return settings.bucket or str(settings.home)


@define
class EmbeddedMetrics:
    """
    Writes a line for each cycle.

    Args:
        installation: What tells installations apart: the bucket.
        world: Opens the stores; called once a minute at most.
        clock: Tells the time.
        write: Takes a line. It has to reach the log as it is, with nothing before it.
    """

    _installation: str
    _world: "Callable[[], World]"
    _clock: "Clock"
    _write: Callable[[str], None]
    _given_up: int = field(init=False, default=0)
    _asked_at: datetime | None = field(init=False, default=None)

    def done(self, report: CycleReport, seconds: float) -> None:
        """Tell of a cycle that came to its end, in *seconds*."""
        self._tell(
            {
                "Cycles": 1,
                "CycleSeconds": round(seconds, 3),
                "Moved": len(report.moved),
                "Launches": launches(report),
                "Retries": len(retries(report)),
                "Settled": report.settled,
                "Faults": len(report.faults),
                **self._asked(),
            }
        )

    def failed(self, *, outage: bool) -> None:
        """Tell of a cycle that did not."""
        self._tell({"Cycles": 0, "Outages" if outage else "CyclesFailed": 1})

    def _asked(self) -> dict[str, float]:
        try:
            world = self._world()
            before, self._given_up = self._given_up, world.given_up()
            found: dict[str, float] = {"NoticesDead": self._given_up - before}
            if self._asked_at is not None and self._clock() - self._asked_at < ASK_EVERY:
                return found
            figures = Figures.of(world)
        except UnavailableError:
            return {}  # the next cycle tells of it, or finds it mended
        self._asked_at = self._clock()
        return {
            **found,
            **{name: figures.worksets[state] for state, name in _OF_STATE.items()},
            "OldestReadySeconds": round(figures.oldest_ready.total_seconds(), 3),
            "DebtsOutstanding": figures.debts,
            "EngineUnknown": figures.unknown,
        }

    def _tell(self, values: dict[str, float]) -> None:
        units = {name: "Seconds" if name in _SECONDS else "Count" for name in values}
        directive = {
            "Namespace": NAMESPACE,
            "Dimensions": [["Installation"]],
            "Metrics": [{"Name": name, "Unit": unit} for name, unit in units.items()],
        }
        moment = int(self._clock().timestamp() * 1000)
        metadata = {"Timestamp": moment, "CloudWatchMetrics": [directive]}
        self._write(json.dumps({"_aws": metadata, "Installation": self._installation, **values}))
