"""Lock a workset for somebody who runs it by other means than our engines, and give it back."""

from datetime import datetime, timedelta

from attrs import frozen

from daylily.application.ledger import Ledger
from daylily.application.settle_launch import SettleLaunch
from daylily.application.sync_workset import SyncWorkset
from daylily.domain.errors import LockHeldError, UnavailableError
from daylily.domain.lifecycle import State
from daylily.domain.sentinels import Sentinel
from daylily.domain.workset import Workset
from daylily.ports.clock import Clock


@frozen
class LockWorkset:
    """
    Keep monitors from a workset, for a while, so that *owner* can begin to run it.

    Once the lock has run out, any monitor may launch the workset: who has begun says so in time
    (``TellState``), and needs no lock after that.
    """

    ledger: Ledger
    sync: SyncWorkset
    settle: SettleLaunch
    clock: Clock

    def __call__(self, workset_id: str, owner: str, timeout: timedelta) -> Workset:
        """
        Return the workset, locked; its owner may renew.

        Raises:
            NotFoundError: There is no such workset.
            LockHeldError: Another owner or another system has it.
            ConcurrentUpdateError: Somebody was faster.
            IllegalTransitionError: No workset in its state can be locked, or a cancel is pending.
            UnavailableError: A store does not answer, or the engine that has to be asked what became
                of a launch; then nobody is left with the lock.
        """
        workset = self.ledger.store.get(workset_id)
        # Whether it can be had at all, before anything else is asked.
        seized = workset.lock_for(owner, at=self.clock(), timeout=timeout)
        if seized.lock and seized.lock.inherited:
            # Whoever held it may have been about to launch it. Also where we have seized it before, and
            # did not live, or get an answer, to settle that.
            workset = self.settle(self.ledger.store.save(seized), owner, f"wanted by {owner}")
            if workset.state is not State.READY:
                raise LockHeldError(f"{workset_id} was launched by {seized.attempt_key}")
        found = self.sync(workset)
        if found.waits_for_others:
            raise LockHeldError(f"another system has its hand on {workset_id}")
        at = self.clock()
        paid = self.ledger.commit(found.workset.lock_for(owner, at=at, timeout=timeout))
        # A lock that its directory does not show keeps no monitor of old away.
        if paid.directory_in_debt:
            self._back_off(paid.workset, "the directory cannot be written")
            raise UnavailableError(f"the directory of {workset_id} cannot be written")
        if Sentinel.LOCK in paid.refused - found.passed_over:
            self._back_off(paid.workset, "another system holds daylily.lock")
            raise LockHeldError(f"another system holds daylily.lock of {workset_id}")
        return self.ledger.conclude(paid)

    def release(self, workset_id: str, owner: str, *, directory: bool = True) -> Workset:
        """
        Give the lock back: the workset is ready again.

        Raises:
            NotFoundError: There is no such workset.
            LockHeldError: The lock is not, or no longer, that of *owner*.
        """

        return self.ledger.update(
            workset_id,
            lambda workset: released(workset, owner, at=self.clock(), reason=f"released by {owner}"),
            directory=directory,
        )

    def _back_off(self, locked: Workset, reason: str) -> None:
        self.ledger.rest(locked.release(locked.fence, at=self.clock(), reason=reason))


def released(workset: Workset, owner: str, *, at: datetime, reason: str) -> Workset:
    """
    Return the workset without the lock of *owner*.

    Raises:
        LockHeldError: The lock is not, or no longer, theirs.
    """
    if workset.lock is None or workset.lock.owner != owner:
        raise LockHeldError(f"{workset.workset_id} is not locked by {owner}")
    return workset.release(workset.lock.token, at=at, reason=reason)
