"""Lock a workset and launch its next attempt."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from attrs import evolve, frozen

from daylily.application.check_seals import CheckSeals
from daylily.application.engines import Engines
from daylily.application.jobs import MakeJob
from daylily.application.ledger import Ledger, Payment
from daylily.application.resting import within
from daylily.application.settle_launch import SettleLaunch
from daylily.application.slots import Slots
from daylily.application.sync_workset import Synced, SyncWorkset
from daylily.domain.errors import ConflictError, InvalidInputError, RejectedError, UnavailableError
from daylily.domain.lifecycle import State
from daylily.domain.retry import ErrorCategory, Failure, RetryPolicy
from daylily.domain.sentinels import KnownSentinel, Sentinel, SentinelBody
from daylily.domain.workset import Workset
from daylily.ports.clock import Chance, Clock
from daylily.ports.sentinel_store import SentinelStore

LAUNCH_WINDOW: Final = timedelta(seconds=20)
"""
How long after its own lock a launcher may still ask the engine. An old monitor waits 30 s after
writing its lock for a sign of ours (contract 2.6); what is slower than this must start again.
"""


class LaunchInDoubtError(UnavailableError):
    """The engine did not answer a submit; ``workset`` is locked, and ready to be submitted again."""

    def __init__(self, workset: Workset, cause: UnavailableError) -> None:
        self.workset = workset
        super().__init__(f"{workset.attempt_key} may have been launched: {cause}")


@frozen
class _Obstacle:
    """What keeps a workset that is locked from being launched."""

    reason: str
    for_good: bool = False
    """Whether no other try can be better."""


@frozen(kw_only=True)
class StartWorkset:
    """
    Take a workset from ``ready`` (or an expired lock) to ``in_progress``.

    The lock, with the attempt's key in it, is stored before the engine is asked. If we die after
    that, whoever takes the expired lock submits under the same key, and the engine has one job. Who
    takes it over and does not go on with it makes nothing ready before the engine has been asked.
    """

    ledger: Ledger
    sentinels: SentinelStore
    sync: SyncWorkset
    engines: Engines
    settle: SettleLaunch
    job: MakeJob
    seals: CheckSeals
    slots: Slots
    policy: RetryPolicy
    clock: Clock
    chance: Chance
    lock_timeout: timedelta

    def __call__(self, workset: Workset, owner: str, cluster: str | None = None) -> Workset:
        """
        Launch *workset* and return it as it stands then: not always ``in_progress``.

        Args:
            cluster: Where, unless it was locked to be launched elsewhere before.

        Raises:
            ConflictError: Another monitor was faster, or the workset is not one to be launched.
            LaunchInDoubtError: The engine did not answer. The workset stays locked until the lock runs
                out, since the engine may have the job; until then, ``resume`` asks it again.
            UnavailableError: Something else did not answer.
        """
        # Before the look: what it passes over, an old monitor may have claimed again just after.
        at = self.clock()
        found = self.sync(workset)
        if found.waits_for_others:
            return self._leave_to_others(found, owner)
        if self.engines.clusters and found.workset.state is State.LOCKED and not found.workset.cluster:
            return self.let_go(found.workset, owner, "locked for no cluster")
        workset = found.workset
        if workset.retry_only and not self.job.partial(workset):
            workset = evolve(workset, retry_only=())
        in_doubt = workset.state is State.LOCKED
        locked = workset.lock_for(owner, at=self.clock(), timeout=self.lock_timeout, cluster=cluster)
        paid = self.ledger.commit(locked)
        with self._tidying_up(workset.workset_id):
            return self._go_on(paid, at, found.passed_over, owner if in_doubt else None)

    def resume(self, locked: Workset) -> Workset:
        """
        Ask the engine again for what was left in doubt, under the lock that is held already.

        Raises:
            ConflictError: Somebody else has gone on with it.
            LaunchInDoubtError: The engine still does not answer.
        """
        with self._tidying_up(locked.workset_id):
            return self._launch(locked)

    @contextmanager
    def _tidying_up(self, workset_id: str) -> Iterator[None]:
        try:
            yield
        except ConflictError:
            # We were so slow that somebody else has gone on: what we posted since is stale.
            self.ledger.retract(workset_id, (Sentinel.LOCK, Sentinel.IN_PROGRESS))
            raise

    def _go_on(
        self, paid: Payment, at: datetime, passed_over: frozenset[Sentinel], heir: str | None
    ) -> Workset:
        """
        Launch what was locked, unless another system is in the way.

        Args:
            at: When its directory was looked at, or before.
            passed_over: What others had there then that means nothing any more.
            heir: Who has taken over a lock whose holder may have launched it; None if nobody had it.
        """
        locked = paid.workset
        if heir is not None and locked.gives_up:
            return self.settle(locked, heir, "it was given up before")
        if heir is not None and (known := self.settle.known(locked, heir, "its launcher was stopped")):
            return known
        obstacle = self._obstacle(paid, at, passed_over)
        if obstacle is None:
            return self._launch(locked, heir)
        if heir is not None:
            return self.settle(locked, heir, obstacle.reason)
        if obstacle.for_good:
            return self._refuse(locked, Failure(ErrorCategory.DATA, obstacle.reason))
        return self.ledger.rest(locked.release(locked.fence, at=self.clock(), reason=obstacle.reason))

    def _obstacle(
        self, paid: Payment, at: datetime, passed_over: frozenset[Sentinel]
    ) -> _Obstacle | None:
        """Show that it is about to be launched, and return what is in the way, if anything is."""
        if paid.missing is not None:
            return _Obstacle(paid.missing, for_good=True)
        if paid.directory_in_debt:
            return _Obstacle("the directory cannot be written")
        if Sentinel.LOCK in paid.refused - passed_over:
            return _Obstacle("another system holds daylily.lock")
        if not self.slots.take(paid.workset):
            customer = paid.workset.customer_id
            return _Obstacle(f"{customer} has as many worksets running as it may")
        if (broken := self.seals(paid.workset)) is not None:
            return _Obstacle(broken, for_good=True)
        if not self._show_in_progress(paid.workset):
            return _Obstacle("another system runs it")
        if not within(LAUNCH_WINDOW, at, self.clock()):
            return _Obstacle("too slow to launch safely")
        return None

    def _leave_to_others(self, found: Synced, owner: str) -> Workset:
        """Let go of a lock that ran out while another system took the workset over."""
        workset = found.workset
        if workset.state is not State.LOCKED:
            if workset.waits_for == found.waits_for:
                return workset
            return self.ledger.store.save(workset.with_wait(found.waits_for))
        return self.let_go(workset, owner, "another system has it")

    def let_go(self, workset: Workset, owner: str, reason: str) -> Workset:
        """
        Make ready again what was locked by a lock that ran out, unless it was launched after all.

        Raises:
            ConflictError: The lock has not run out, or somebody else has gone on with it.
            UnavailableError: The engine or the store does not answer.
        """
        locked = workset.lock_for(owner, at=self.clock(), timeout=self.lock_timeout)
        return self.settle(self.ledger.store.save(locked), owner, reason)

    def _launch(self, locked: Workset, heir: str | None = None) -> Workset:
        token = locked.fence
        try:
            number = self.engines.of(locked.cluster).submit(self.job(locked))
        except UnavailableError as error:
            raise LaunchInDoubtError(locked, error) from error
        except (RejectedError, InvalidInputError) as error:
            failure = Failure(ErrorCategory.CONFIGURATION, f"cannot be launched: {error}")
            return self._turned_down(locked, failure)
        # Who held the lock before may just have given this attempt up.
        if heir is not None and (known := self.settle.known(locked, heir, "it was given up before")):
            return known
        return self.ledger.rest(locked.launched(token, number, at=self.clock()))

    def _turned_down(self, locked: Workset, failure: Failure) -> Workset:
        """Record that no engine runs it, once nobody else can have it run under this key."""
        if locked.lock is None or not locked.lock.inherited:
            return self._refuse(locked, failure)
        # Whoever held the lock before may have had settings by which it can, and be slow: were this
        # attempt over, theirs would run beside the next.
        return self.settle(
            locked,
            locked.lock.owner,
            failure.message,
            spent=lambda never: self._refuse(never, failure),
        )

    def _refuse(self, locked: Workset, failure: Failure) -> Workset:
        return self.ledger.rest(
            locked.launch_failed(
                locked.fence,
                failure,
                at=self.clock(),
                policy=self.policy,
                jitter=self.chance.jitter(),
            )
        )

    def _show_in_progress(self, locked: Workset) -> bool:
        """Post the sentinel that makes an old monitor give up; tell whether ours stands there."""
        body = evolve(locked.sentinel_body(), at=self.clock(), detail=f"launching {locked.attempt_key}")
        if self.sentinels.post(locked.workset_id, Sentinel.IN_PROGRESS, body):
            return True
        # One of ours stands there when a launcher died before us; one of others, unchanged, where a
        # person has had their failed run tried again. Either keeps old monitors away.
        standing = self.sentinels.look(locked.workset_id).sentinels
        body = standing.get(Sentinel.IN_PROGRESS, SentinelBody(None))
        return body.ours or KnownSentinel.of(Sentinel.IN_PROGRESS, body) in locked.known
