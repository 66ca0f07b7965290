"""Bring one workset and its directory together: ours shown there, theirs taken over here."""

from collections.abc import Iterator

from attrs import frozen

from daylily.application.ledger import Ledger
from daylily.application.others import Others
from daylily.application.restore_workset import AttemptsLeft
from daylily.domain.lifecycle import State
from daylily.domain.restoring import behind, caught_up, end_forgotten
from daylily.domain.sentinels import Sentinel, projection
from daylily.domain.workset import Workset
from daylily.ports.clock import Clock
from daylily.ports.sentinel_store import SentinelStore


@frozen(kw_only=True)
class Synced:
    """A workset after the look at its directory."""

    workset: Workset
    posted: frozenset[Sentinel] = frozenset()
    withdrawn: frozenset[Sentinel] = frozenset()
    adopted: State | None = None
    """The state it has after a step that others made it take."""
    foreign: frozenset[Sentinel] = frozenset()
    """What other systems and people have put there."""
    passed_over: frozenset[Sentinel] = frozenset()
    """What of this says nothing any more: it has been taken over, or its writer has died."""
    waits_for: str | None = None
    """What keeps it from being launched, in words, where there is something to say."""

    @property
    def waits_for_others(self) -> bool:
        """Whether another system has its hand on the workset, or had the last word."""
        return bool(self.foreign - self.passed_over - {Sentinel.READY})


@frozen
class SyncWorkset:
    """
    Mend what differs between a workset and its directory.

    The store is the truth about what we did: sentinels of ours that are missing are posted, stale
    ones withdrawn. What another system did to a workset that we have not launched is a fact, and is
    taken over; so is a person's ``daylily.ignore``, and its removal. Files that are not ours are left
    alone.

    A store that was put back as it was some time ago knows less than the sentinels of ours that stand
    there: it is told what they say.
    """

    ledger: Ledger
    sentinels: SentinelStore
    attempts: AttemptsLeft
    clock: Clock
    actor: str

    def __call__(self, workset: Workset) -> Synced:
        """
        Look at the directory of *workset* and mend it.

        Raises:
            ConcurrentUpdateError: The workset has moved on meanwhile.
            UnavailableError: The directory cannot be read or written.
        """
        others = self._look(workset)
        if step := self._caught_up(others) or others.step():
            return self._taken(step, others)
        posted = frozenset(self._post_missing(others))
        if posted:
            # What seems to be missing may be on its way out, by a step taken since *workset* was read.
            self.ledger.retract(workset.workset_id, posted)
        return Synced(
            workset=others.remembered(),
            posted=posted,
            withdrawn=frozenset(self._withdraw_stale(others)),
            foreign=others.foreign,
            passed_over=others.passed_over,
            waits_for=others.waits_for,
        )

    def watch(self, workset: Workset) -> Synced:
        """
        Take over what people and other systems have done to the directory, and mend nothing.

        Whoever takes ``daylily.error`` away, and has ``daylily.ready`` stand there, has the workset
        tried again.

        Raises:
            ConcurrentUpdateError: The workset has moved on meanwhile.
            UnavailableError: The directory cannot be read.
        """
        others = self._look(workset)
        if step := self._caught_up(others) or others.step(hands=True):
            return self._taken(step, others)
        return Synced(workset=workset, foreign=others.foreign, passed_over=others.passed_over)

    def ended(self, workset: Workset) -> Workset | None:
        """
        Return a workset as we have left it, if its attempt, which the engine does not know, has ended.

        Raises:
            ConcurrentUpdateError: The workset has moved on meanwhile.
            UnavailableError: The directory cannot be read.
        """
        others = self._look(workset)
        if not end_forgotten(workset, others.folder.sentinels):
            return None
        return self._taken(self._told_anew(others), others).workset

    def _caught_up(self, others: Others) -> Workset | None:
        """Return the workset as we have left it, where the store has forgotten that."""
        return self._told_anew(others) if behind(others.workset, others.folder.sentinels) else None

    def _told_anew(self, others: Others) -> Workset:
        return caught_up(
            others.workset,
            others.folder.sentinels,
            attempts=self.attempts(others.workset.workset_id),
            at=self.clock(),
            actor=self.actor,
        )

    def _look(self, workset: Workset) -> Others:
        folder = self.sentinels.look(workset.workset_id)
        return Others(workset=workset, folder=folder, at=self.clock(), actor=self.actor)

    def _taken(self, step: Workset, others: Others) -> Synced:
        return Synced(
            workset=self.ledger.rest(step),
            adopted=step.state,
            foreign=others.foreign,
            passed_over=others.passed_over,
        )

    def _post_missing(self, others: Others) -> Iterator[Sentinel]:
        """Post what should stand there and does not: somebody's hand, or a store restored from old."""
        workset = others.workset
        owed = {debt for debt in workset.debts if hasattr(debt, "sentinel")}
        if owed or others.news - {Sentinel.READY} or workset.foreign_run or workset.held:
            return  # the debts will see to it; and what others show is theirs
        for sentinel in Sentinel:
            wanted = sentinel in projection(workset.state, workset.archived_from)
            if wanted and sentinel not in others.folder.sentinels:
                self.sentinels.post(workset.workset_id, sentinel, workset.sentinel_body())
                yield sentinel

    def _withdraw_stale(self, others: Others) -> Iterator[Sentinel]:
        """Withdraw sentinels of ours that a slow hand posted after they had been withdrawn."""
        workset = others.workset
        for sentinel in others.folder.sentinels:
            if sentinel not in workset.posted and sentinel not in others.foreign:
                self.sentinels.withdraw(workset.workset_id, sentinel, workset.sequence)
                yield sentinel
