"""Runs of the ledger's check, which take as long as they take: one at a time, beside all requests."""

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from enum import StrEnum
from typing import Final

from attrs import define, evolve, field, frozen

from daylily.application.check_ledger import Seen, Tell
from daylily.application.mend_ledger import Mended, Outcome
from daylily.bootstrap import App
from daylily.domain.divergences import Divergence
from daylily.domain.errors import ConflictError, DaylilyError

KEPT: Final = 500
"""Divergences that are shown; of more there is only the number."""

_log = logging.getLogger(__name__)


class Kind(StrEnum):
    """What a run does."""

    CHECK = "check"
    DRY_RUN = "dry-run"
    """Says what would be mended, and mends nothing."""
    REPAIR = "repair"


@frozen(kw_only=True)
class Run:
    """A run, as far as it has come."""

    kind: Kind
    by: str
    began_at: datetime
    directories: int = 0
    worksets: int = 0
    found: tuple[Mended | Divergence, ...] = ()
    number: int = 0
    """How many divergences there are so far."""
    counts: tuple[tuple[str, int], ...] = ()
    """What came of them, where they are mended or would be."""
    ended_at: datetime | None = None
    error: str | None = None
    stopped: bool = False

    @property
    def running(self) -> bool:
        """Whether it goes on."""
        return self.ended_at is None


class _StoppedError(Exception):
    """Somebody asked for an end."""


@define
class LedgerRuns:
    """
    The last run of this process, and the one that goes on.

    It is kept in memory: who asks another process is told of that one's. Nothing depends on it, as a
    check changes nothing, and a repair can be cut short anywhere and begun anew.
    """

    app: App
    _last: Run | None = field(init=False, default=None)
    _stop: threading.Event = field(init=False, factory=threading.Event)
    _mutex: threading.Lock = field(init=False, factory=threading.Lock)
    _thread: threading.Thread | None = field(init=False, default=None)

    @property
    def last(self) -> Run | None:
        """The run that goes on, or else the last one; None if there has been none."""
        return self._last

    def start(self, kind: Kind, by: str) -> None:
        """
        Begin a run.

        Raises:
            ConflictError: One goes on.
        """
        with self._mutex:
            if self._last is not None and self._last.running:
                raise ConflictError(f"a {self._last.kind} of {self._last.by} is under way: wait for it")
            self._stop = threading.Event()
            self._last = Run(kind=kind, by=by, began_at=self.app.world.clock())
            self._thread = threading.Thread(
                # What is left of it at the end of the process is cut short, as it may be anywhere.
                target=self._run, args=(kind, self._stop), name=f"ledger-{kind}", daemon=True
            )  # fmt: skip
            self._thread.start()

    def stop(self) -> None:
        """Have the run that goes on come to an end soon; without one, nothing happens."""
        self._stop.set()

    def wait(self, seconds: float) -> None:
        """Wait for the run that goes on."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self, kind: Kind, stop: threading.Event) -> None:
        error, stopped = None, False
        try:
            for each in self._divergences(kind, self._teller(stop)):
                self._note(each)
                if stop.is_set():
                    raise _StoppedError
        except _StoppedError:
            stopped = True
        except DaylilyError as failed:
            error = str(failed)
        except Exception:  # noqa: BLE001 - logged with its traceback
            _log.exception("the %s of the ledger failed", kind)
            error = "something went wrong here; the log of the service has it"
        self._change(
            lambda run: evolve(run, ended_at=self.app.world.clock(), error=error, stopped=stopped)
        )

    def _divergences(self, kind: Kind, tell: Tell) -> Iterator[Mended | Divergence]:
        if kind is Kind.CHECK:
            yield from self.app.check(tell)
        else:
            yield from self.app.mend(dry_run=kind is Kind.DRY_RUN, tell=tell)

    def _teller(self, stop: threading.Event) -> Tell:
        def tell(seen: Seen) -> None:
            if stop.is_set():
                raise _StoppedError
            self._change(lambda run: evolve(run, directories=seen.directories, worksets=seen.worksets))

        return tell

    def _note(self, each: Mended | Divergence) -> None:
        def noted(run: Run) -> Run:
            counts = dict(run.counts)
            if isinstance(each, Mended):
                counts[each.outcome] = counts.get(each.outcome, 0) + 1
            found = (*run.found, each) if len(run.found) < KEPT else run.found
            return evolve(run, found=found, number=run.number + 1, counts=tuple(counts.items()))

        self._change(noted)

    def _change(self, change: Callable[[Run], Run]) -> None:
        with self._mutex:
            if self._last is not None:
                self._last = change(self._last)


@frozen(kw_only=True)
class Row:
    """A divergence as a page shows it."""

    divergence: Divergence
    outcome: str | None = None
    text: str = ""

    @classmethod
    def of(cls, each: Mended | Divergence) -> "Row":
        """Return the row of what a run has found."""
        if isinstance(each, Divergence):
            return cls(divergence=each)
        failed = each.outcome in {Outcome.FAILED, Outcome.LEFT}
        return cls(divergence=each.divergence, outcome=each.outcome, text=each.text if failed else "")
