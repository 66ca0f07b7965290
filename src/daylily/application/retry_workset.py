"""Retry a workset that a person has looked at, as a new attempt of the same workset."""

from attrs import frozen

from daylily.application.ledger import Ledger
from daylily.application.read_worksets import ReadWorksets
from daylily.domain.customers import Principal
from daylily.domain.workset import Workset
from daylily.ports.clock import Clock


@frozen
class RetryWorkset:
    """Put a workset that ended in error back into the queue."""

    read: ReadWorksets
    ledger: Ledger
    clock: Clock

    def __call__(self, who: Principal, workset_id: str, reason: str = "") -> Workset:
        """
        Return the workset, ready for its next attempt.

        Raises:
            NotFoundError: There is none that the caller may see.
            IllegalTransitionError: It did not end in ``error`` or ``failed``.
        """
        self.read.get(who, workset_id)
        return self.ledger.update(
            workset_id, lambda workset: workset.retry(by=who.name, at=self.clock(), reason=reason)
        )
