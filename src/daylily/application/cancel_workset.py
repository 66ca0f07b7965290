"""Cancel a workset, as far as the engine: canceled is recorded only when nothing runs any more."""

import contextlib

from attrs import frozen

from daylily.application.engines import Engines
from daylily.application.ledger import Ledger
from daylily.application.read_worksets import ReadWorksets
from daylily.domain.customers import Principal
from daylily.domain.errors import UnavailableError
from daylily.domain.workset import Workset
from daylily.ports.clock import Clock


@frozen
class CancelWorkset:
    """Ask for a stop. What runs is stopped by the engine; a monitor records it once it is so."""

    read: ReadWorksets
    ledger: Ledger
    engines: Engines
    clock: Clock

    def __call__(
        self, who: Principal, workset_id: str, reason: str = "", *, version: int | None = None
    ) -> Workset:
        """
        Return the workset: canceled, or still running with the cancel pending.

        Args:
            version: The one that the caller has seen; None cancels whatever is stored.

        Raises:
            NotFoundError: There is none that the caller may see.
            IllegalTransitionError: It has ended, or a cancel is pending already.
            StaleVersionError: Another version is stored.
        """
        self.read.get(who, workset_id)
        asked = self.ledger.update(
            workset_id,
            lambda workset: workset.request_cancel(by=who.name, at=self.clock(), reason=reason),
            version=version,
        )
        if asked.cancel:
            # Sooner than the next cycle; should the engine be away, the cycle asks again.
            with contextlib.suppress(UnavailableError):
                self.engines.of(asked.cluster).cancel(asked.attempt_key)
        return asked
