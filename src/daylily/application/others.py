"""What other systems and people have done to a workset, read off its directory."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from attrs import evolve, frozen

from daylily.domain.debts import SendNotice
from daylily.domain.lifecycle import State
from daylily.domain.restoring import shows_cancel
from daylily.domain.sentinels import KnownSentinel, Sentinel, known, state_shown
from daylily.domain.workset import Workset
from daylily.ports.sentinel_store import Folder

LOCK_TIMEOUT: Final = timedelta(hours=1)
"""
How long a ``daylily.lock`` of others counts (contract 3.6). Theirs is followed by ``in_progress``
within a minute: one that stands alone for longer is that of a monitor that has died.
"""

BY_HAND: Final = "somebody at its directory"

_CLAIMS: Final = frozenset({Sentinel.LOCK, Sentinel.READY})
"""Sentinels that are no facts to take over: they say who may, or is about to, do something."""


@frozen(kw_only=True)
class Others:
    """A directory at one moment, as far as it is not our own doing."""

    workset: Workset
    folder: Folder
    at: datetime
    actor: str

    @property
    def foreign(self) -> frozenset[Sentinel]:
        """All sentinels that are not ours."""
        return self.folder.foreign(self.workset.sequence)

    @property
    def passed_over(self) -> frozenset[Sentinel]:
        """Those that say nothing, or nothing any more: taken over before, or a lock that ran out."""
        heard = {each.sentinel for each in self._still_known()}
        if self.lock_counts_until is not None and self.at >= self.lock_counts_until:
            heard.add(Sentinel.LOCK)
        # Whoever takes an ignore away means it, and so does whoever puts one: it always counts.
        return self.foreign & heard - {Sentinel.IGNORE}

    @property
    def news(self) -> frozenset[Sentinel]:
        """Those that are to be heeded."""
        return self.foreign - self.passed_over

    @property
    def lock_counts_until(self) -> datetime | None:
        """When a lock of others that stands there begins to say nothing any more."""
        since = self.folder.locked_at
        return since + LOCK_TIMEOUT if since is not None else None

    @property
    def waits_for(self) -> str | None:
        """What keeps the workset from being launched, for people; None if no lock of others does."""
        since, until = self.folder.locked_at, self.lock_counts_until
        if Sentinel.LOCK not in self.news or since is None or until is None:
            return None
        said = self.folder.sentinels[Sentinel.LOCK].detail
        return (
            f"another system holds {Sentinel.LOCK} since {_shown(since)}{said and f' ({said[:200]})'};"
            f" it counts no more from {_shown(until)} on"
        )

    def remembered(self) -> Workset:
        """Return the workset without memory of sentinels that have gone or changed since."""
        return evolve(self.workset, known=self._still_known())

    def step(self, *, hands: bool = False) -> Workset | None:
        """
        Return the workset after what others have done to it; None if that is nothing new.

        Args:
            hands: Whether somebody who takes ``daylily.error`` away may have it tried again.
        """
        workset = self.workset
        steps: tuple[tuple[bool, Callable[[], Workset | None]], ...] = (
            (workset.state is State.READY, self._adopted),
            (workset.state is State.RETRYING, self._set_aside),
            (workset.foreign_run, self._followed),
            (workset.running is not None and workset.cancel is None, self._stopped),
            (workset.held, self._let_go),
            (hands and workset.state in {State.ERROR, State.FAILED}, self._tried_again),
        )
        return next((step() for holds, step in steps if holds), None)

    def _adopted(self) -> Workset | None:
        shown = state_shown(self.news - _CLAIMS)
        return self.adopt(self.workset, shown) if shown else None

    def _set_aside(self) -> Workset | None:
        # What else there is to be taken over is, when its wait is over.
        shown = state_shown(self.news - _CLAIMS)
        return self.adopt(self.workset, shown) if shown is State.IGNORED else None

    def _followed(self) -> Workset | None:
        """Look what has become of another system's run."""
        shown = state_shown(self.news - _CLAIMS)
        if shown is not None and shown is not State.IN_PROGRESS:
            return self.adopt(self.workset, shown)
        began = Sentinel.IN_PROGRESS in {each.sentinel for each in self.workset.known}
        if not began or Sentinel.IN_PROGRESS in self.folder.sentinels or self._claimed:
            return None  # it goes on; or it was handed over, and we show it ourselves
        ready = Sentinel.READY in self.folder.sentinels
        return self.workset.run_gone(at=self.at, actor=self.actor, ready=ready)

    def _stopped(self) -> Workset | None:
        if Sentinel.IGNORE not in self.foreign:
            return None
        reason, ignore = self._found(Sentinel.IGNORE), self.folder.sentinels[Sentinel.IGNORE]
        if ignore.ours and shows_cancel(ignore):
            # We have canceled it, and a store that was put back has forgotten that.
            return self.workset.request_cancel(by=self.actor, at=self.at, reason=reason)
        # One of ours is nobody's to take away: what it holds waits until somebody says so.
        known = () if ignore.ours else self._known_by(Sentinel.IGNORE)
        return self.workset.request_hold(by=BY_HAND, at=self.at, reason=reason, known=known)

    def _let_go(self) -> Workset | None:
        """Put back what an ignore has held, or take over what has been done to it meanwhile."""
        if Sentinel.IGNORE in self.foreign or not self.folder.names:
            return None
        reason = f"{Sentinel.IGNORE} is gone"
        free = self.workset.unignore(by=BY_HAND, at=self.at, reason=reason)
        shown = state_shown(self.news - _CLAIMS)
        if shown:
            return self.adopt(free, shown)
        return None if self._claimed else free

    def _tried_again(self) -> Workset | None:
        """See whether somebody has taken the error away so that it is tried again, or has done so."""
        workset = self.workset
        if any(not isinstance(debt, SendNotice) for debt in workset.debts):
            return None  # its own error may not stand there yet
        if Sentinel.COMPLETE in self.news:
            return self.adopt(self._retried("another system has run it since"), State.COMPLETE)
        if self._is_covered:
            return None
        if Sentinel.IN_PROGRESS in self.news:
            return self.adopt(self._retried("another system runs it again"), State.IN_PROGRESS)
        if Sentinel.READY in self.foreign and not self._claimed:
            return self._retried(f"{Sentinel.ERROR} is gone, and {Sentinel.READY} stands there")
        return None

    @property
    def retry_awaits_lock(self) -> bool:
        """Whether somebody wants it tried again, which waits for what becomes of a lock of others."""
        ended = self.workset.state in {State.ERROR, State.FAILED}
        return ended and not self._is_covered and Sentinel.READY in self.foreign and self._claimed

    @property
    def _is_covered(self) -> bool:
        """Whether what stands there keeps it from being tried again."""
        return bool(self.folder.sentinels.keys() & {Sentinel.ERROR, Sentinel.IGNORE})

    @property
    def _claimed(self) -> bool:
        """Whether another system is about to run it."""
        return Sentinel.LOCK in self.news

    def _retried(self, reason: str) -> Workset:
        return self.workset.retry(by=BY_HAND, at=self.at, reason=reason)

    def adopt(self, workset: Workset, shown: State) -> Workset:
        """
        Return *workset* after what stands there has been taken over.

        Args:
            shown: A state that one of the sentinels there stands for.
        """
        sentinel = next(each for each in Sentinel if state_shown({each}) is shown)
        return workset.adopt(
            shown,
            at=self.at,
            reason=self._found(sentinel),
            actor=self.actor,
            known=self._known_by(sentinel),
        )

    def _found(self, sentinel: Sentinel) -> str:
        detail = self.folder.sentinels[sentinel].detail
        return f"{sentinel} found: {detail}" if detail else f"{sentinel} found"

    def _known_by(self, sentinel: Sentinel) -> tuple[KnownSentinel, ...]:
        """Return what says nothing new once *sentinel* has been taken over."""
        order = list(Sentinel)
        # An ignore hides what else there is: that is for later.
        hidden = order[:1] if sentinel is Sentinel.IGNORE else order[order.index(sentinel) :]
        taken = known(self.foreign & set(hidden), self.folder.sentinels)
        kept = self._still_known()
        if sentinel is Sentinel.IGNORE and self.workset.foreign_run:
            # An old monitor heeds no ignore once it runs: its run is news again when the ignore goes.
            kept = tuple(each for each in kept if each.sentinel is not Sentinel.IN_PROGRESS)
        return tuple(sorted({*kept, *taken}))

    def _still_known(self) -> tuple[KnownSentinel, ...]:
        bodies = self.folder.sentinels
        return tuple(
            each
            for each in self.workset.known
            if each.sentinel in bodies and known([each.sentinel], bodies) == (each,)
        )


def _shown(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
