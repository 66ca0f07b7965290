"""Retry a workset that a person has looked at, as a new attempt of the same workset."""

from attrs import frozen

from daylily.application.ledger import Ledger
from daylily.application.read_worksets import ReadWorksets
from daylily.domain.customers import Principal
from daylily.domain.errors import IllegalTransitionError
from daylily.domain.pipelines import PipelineRegistry
from daylily.domain.workset import Workset
from daylily.ports.clock import Clock


@frozen
class RetryWorkset:
    """Put a workset that ended in error back into the queue."""

    read: ReadWorksets
    ledger: Ledger
    pipelines: PipelineRegistry
    clock: Clock

    def __call__(
        self,
        who: Principal,
        workset_id: str,
        reason: str = "",
        *,
        failed_samples: bool = False,
        version: int | None = None,
    ) -> Workset:
        """
        Return the workset, ready for its next attempt.

        Args:
            failed_samples: Whether that is for samples alone that have not come out well.
            version: The one that the caller has seen; None retries whatever is stored.

        Raises:
            NotFoundError: There is none that the caller may see.
            IllegalTransitionError: It did not end in ``error`` or ``failed``; or its samples cannot be
                retried apart from each other.
            StaleVersionError: Another version is stored.
        """
        pipeline = self.read.get(who, workset_id).manifest.pipeline
        if failed_samples and not self.pipelines.partial(pipeline):
            text = f"{pipeline} cannot be run for some samples alone: retry it as a whole"
            raise IllegalTransitionError(f"{workset_id}: {text}")
        return self.ledger.update(
            workset_id,
            lambda workset: workset.retry(
                by=who.name, at=self.clock(), reason=reason, failed_samples=failed_samples
            ),
            version=version,
        )
