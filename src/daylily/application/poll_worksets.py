"""Ask the engine about running attempts, in one go, and record what has become of them."""

from collections.abc import Sequence
from typing import Final

from attrs import frozen

from daylily.application.ledger import Ledger
from daylily.domain.diagnosis import failure_of
from daylily.domain.errors import ConflictError
from daylily.domain.lifecycle import State
from daylily.domain.retry import ErrorCategory, Failure, RetryPolicy
from daylily.domain.workset import Workset
from daylily.ports.clock import Chance, Clock
from daylily.ports.compute import Compute, JobStatus, Phase

MESSAGE_LENGTH: Final = 4000
"""Characters kept of what an engine says of a failure; the rest is in the log."""


@frozen(kw_only=True)
class PollWorksets:
    """Move each workset that an engine has one step on, if the engine has news of it."""

    ledger: Ledger
    compute: Compute
    policy: RetryPolicy
    clock: Clock
    chance: Chance
    actor: str

    def __call__(self, worksets: Sequence[Workset]) -> tuple[Workset, ...]:
        """
        Return the worksets that have moved.

        Worksets may be running, or locked with a cancel pending.

        Raises:
            UnavailableError: The engine does not answer; that says nothing about any job.
        """
        for workset in worksets:
            if workset.cancel:
                self.compute.cancel(workset.attempt_key)
        known = self.compute.status([workset.attempt_key for workset in worksets])
        moved = []
        for workset in worksets:
            try:
                stepped = self._step(workset, known.get(workset.attempt_key))
            except ConflictError:
                continue  # another monitor has recorded it, or a person changed it: next cycle tells
            if stepped.state is not workset.state:
                moved.append(stepped)
        return tuple(moved)

    def _step(self, workset: Workset, status: JobStatus | None) -> Workset:
        if workset.state is State.LOCKED:
            return self._stop_launch(workset, status)
        if status is None:
            # The engine answers and has no such job: it never will again.
            lost = f"the engine has no record of {workset.attempt_key}"
            return self._fail(workset, failure_of(None, lost))
        match status.phase:
            case Phase.SUCCEEDED:
                return self.ledger.rest(workset.completed(at=self.clock(), actor=self.actor))
            case Phase.FAILED:
                text = status.message[:MESSAGE_LENGTH] or f"exit code {status.exit_code}"
                return self._fail(workset, failure_of(status.exit_code, text))
            case Phase.CANCELED:
                elsewhere = Failure(ErrorCategory.PERMANENT, "canceled at the engine")
                return self._fail(workset, elsewhere)
            case _:
                return self._note_progress(workset, status)

    def _stop_launch(self, workset: Workset, status: JobStatus | None) -> Workset:
        """Settle a cancel that came while a launcher was at work."""
        at = self.clock()
        if status is None or (status.phase is Phase.CANCELED and status.started_at is None):
            return self.ledger.rest(workset.canceled(at=at, actor=self.actor))
        return self.ledger.rest(workset.launch_found(status.job, at=at, actor=self.actor))

    def _fail(self, workset: Workset, failure: Failure) -> Workset:
        return self.ledger.rest(
            workset.failed(
                failure,
                at=self.clock(),
                actor=self.actor,
                policy=self.policy,
                jitter=self.chance.jitter(),
            )
        )

    def _note_progress(self, workset: Workset, status: JobStatus) -> Workset:
        if status.progress is None or status.progress == workset.progress:
            return workset
        return self.ledger.store.save(workset.with_progress(status.progress))
