"""Bring one workset and its directory together: ours shown there, theirs taken over here."""

from collections.abc import Iterator

from attrs import frozen

from daylily.application.ledger import Ledger
from daylily.domain.lifecycle import State
from daylily.domain.sentinels import Sentinel, projection, state_shown
from daylily.domain.workset import Workset
from daylily.ports.clock import Clock
from daylily.ports.sentinel_store import Folder, SentinelStore


@frozen(kw_only=True)
class Synced:
    """A workset after the look at its directory."""

    workset: Workset
    posted: frozenset[Sentinel] = frozenset()
    withdrawn: frozenset[Sentinel] = frozenset()
    adopted: State | None = None
    foreign: frozenset[Sentinel] = frozenset()
    """What other systems and people have put there."""

    @property
    def waits_for_others(self) -> bool:
        """Whether another system has its hand on the workset, or had the last word."""
        return bool(self.foreign - {Sentinel.READY})


@frozen
class SyncWorkset:
    """
    Mend what differs between a workset and its directory.

    The store is the truth about what we did: sentinels of ours that are missing are posted, stale
    ones withdrawn. What another system did to a workset that we have not launched is a fact, and is
    taken over. Files that are not ours are left alone.
    """

    ledger: Ledger
    sentinels: SentinelStore
    clock: Clock
    actor: str

    def __call__(self, workset: Workset) -> Synced:
        """
        Look at the directory of *workset* and mend it.

        Raises:
            ConcurrentUpdateError: The workset has moved on meanwhile.
            UnavailableError: The directory cannot be read or written.
        """
        folder = self.sentinels.look(workset.workset_id)
        foreign = folder.foreign(workset.sequence)
        if adoptable(workset, foreign):
            shown = state_shown(foreign - {Sentinel.LOCK, Sentinel.READY})
            if shown is not None and shown is not workset.state:
                return self._adopt(workset, folder, shown, foreign)
        posted = frozenset(self._post_missing(workset, folder, foreign))
        if posted:
            # What seems to be missing may be on its way out, by a step taken since *workset* was read.
            self.ledger.retract(workset.workset_id, posted)
        withdrawn = frozenset(self._withdraw_stale(workset, folder, foreign))
        return Synced(workset=workset, posted=posted, withdrawn=withdrawn, foreign=foreign)

    def _adopt(
        self, workset: Workset, folder: Folder, shown: State, foreign: frozenset[Sentinel]
    ) -> Synced:
        sentinel = next(s for s in Sentinel if s in foreign and state_shown({s}) is shown)
        body = folder.sentinels[sentinel]
        reason = f"{sentinel} found: {body.detail}" if body.detail else f"{sentinel} found"
        adopted = workset.adopt(shown, at=self.clock(), reason=reason, actor=self.actor)
        return Synced(workset=self.ledger.rest(adopted), adopted=shown, foreign=foreign)

    def _post_missing(
        self, workset: Workset, folder: Folder, foreign: frozenset[Sentinel]
    ) -> Iterator[Sentinel]:
        """Post what should stand there and does not: somebody's hand, or a store restored from old."""
        owed = {debt for debt in workset.debts if hasattr(debt, "sentinel")}
        if owed or foreign - {Sentinel.READY}:
            return  # the debts will see to it; and what others show is theirs
        for sentinel in Sentinel:
            wanted = sentinel in projection(workset.state, workset.archived_from)
            if wanted and sentinel not in folder.sentinels and not workset.foreign_run:
                self.sentinels.post(workset.workset_id, sentinel, workset.sentinel_body())
                yield sentinel

    def _withdraw_stale(
        self, workset: Workset, folder: Folder, foreign: frozenset[Sentinel]
    ) -> Iterator[Sentinel]:
        """Withdraw sentinels of ours that a slow hand posted after they had been withdrawn."""
        for sentinel in folder.sentinels:
            if sentinel not in workset.posted and sentinel not in foreign:
                self.sentinels.withdraw(workset.workset_id, sentinel, workset.sequence)
                yield sentinel


def adoptable(workset: Workset, foreign: frozenset[Sentinel]) -> bool:
    """Tell whether what others show may be taken over: nothing of ours is on its way."""
    waiting = workset.state in {State.READY, State.RETRYING}
    return bool(foreign) and (waiting or workset.foreign_run)
