"""Change how urgent a workset is, once it has been submitted."""

from attrs import frozen

from daylily.application.estimate_cost import EstimateCost
from daylily.application.ledger import Ledger
from daylily.application.read_worksets import ReadWorksets
from daylily.domain.customers import Principal
from daylily.domain.lifecycle import Priority
from daylily.domain.workset import Workset
from daylily.ports.clock import Clock


@frozen
class ChangePriority:
    """Move a workset up or down the queue; what it is said to cost changes with it."""

    read: ReadWorksets
    ledger: Ledger
    estimate: EstimateCost
    clock: Clock

    def __call__(
        self, who: Principal, workset_id: str, priority: Priority, *, version: int | None = None
    ) -> Workset:
        """
        Return the workset with its new priority.

        Args:
            version: The one that the caller has seen; None takes whatever is stored.

        Raises:
            NotFoundError: There is none that the caller may see.
            IllegalTransitionError: It is being launched, runs, or is over.
            StaleVersionError: Another version is stored.
        """
        self.read.get(who, workset_id)
        return self.ledger.update(
            workset_id,
            lambda workset: workset.prioritised(
                priority,
                by=who.name,
                at=self.clock(),
                estimate=self.estimate.of(workset.manifest, priority),
            ),
            version=version,
        )
