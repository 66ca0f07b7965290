"""What became of a launch whose launcher was not heard of again, where nobody is to go on with it."""

from collections.abc import Callable

from attrs import frozen

from daylily.application.engines import Engines
from daylily.application.ledger import Ledger
from daylily.domain.errors import UnavailableError
from daylily.domain.workset import Workset
from daylily.ports.clock import Clock
from daylily.ports.compute import Phase


@frozen
class SettleLaunch:
    """
    Record a launch that took place after all; else see to it that it never does.

    Whoever held the lock before may only be slow: a submit of theirs may be on its way still, and
    would run a workset that has been made ready, and taken by somebody else, in the meantime. So the
    engine is told never to run that key, which is spent by that.

    We may be slow ourselves, and somebody else may have gone on with the launch by the time that the
    engine hears of it. So it is stored first that this attempt is given up. Either that is refused,
    and the engine is not told; or nobody goes on with the attempt any more, and it can be told at any
    time, by us or by whoever takes the lock over after us.
    """

    ledger: Ledger
    engines: Engines
    clock: Clock

    def __call__(
        self,
        locked: Workset,
        actor: str,
        reason: str,
        *,
        spent: Callable[[Workset], Workset] | None = None,
    ) -> Workset:
        """
        Return *locked*, ready for another attempt; or in progress, since the engine has this one: if it
        was given up before, for as long as it takes to stop.

        Args:
            locked: By *actor*, and stored so: else it might be another's launch that is undone.
            spent: Records an attempt that never ran, and now never will; None abandons it.

        Raises:
            ConflictError: Somebody else has gone on with it.
            UnavailableError: The engine or the store does not answer.
        """
        if not locked.gives_up:
            if known := self.known(locked, actor, reason, spent):
                return known
            locked = self.ledger.store.save(locked.giving_up())
        self.engines.of(locked.cluster).cancel(locked.attempt_key)
        if known := self.known(locked, actor, reason, spent):
            return known
        raise UnavailableError(f"the engine says nothing of {locked.attempt_key}, though it was told")

    def known(
        self,
        locked: Workset,
        actor: str,
        reason: str,
        spent: Callable[[Workset], Workset] | None = None,
    ) -> Workset | None:
        """
        Record what the engine knows of the launch; None if it knows nothing.

        Args:
            spent: See above.

        Raises:
            ConflictError: Somebody else has gone on with it.
            UnavailableError: The engine or the store does not answer.
        """
        key = locked.attempt_key
        status = self.engines.of(locked.cluster).status([key]).get(key)
        if status is None:
            return None
        if status.phase is Phase.CANCELED and status.started_at is None:
            return spent(locked) if spent else self._abandon(locked, reason)
        found = locked.launch_found(status.job, at=self.clock(), actor=actor)
        return self.ledger.rest(found)

    def _abandon(self, locked: Workset, reason: str) -> Workset:
        return self.ledger.rest(locked.abandoned(locked.fence, at=self.clock(), reason=reason))
