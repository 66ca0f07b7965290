"""Ask the engine about running attempts, in one go, and record what has become of them."""

import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from attrs import field, frozen

from daylily.application.engines import Engines
from daylily.application.ledger import Ledger
from daylily.application.places import Places
from daylily.application.subject import about
from daylily.application.workers import Workers
from daylily.domain.diagnosis import failure_of
from daylily.domain.errors import ConflictError, NotFoundError, UnavailableError
from daylily.domain.lifecycle import State
from daylily.domain.results import SAMPLES, SampleOutcome, read_samples
from daylily.domain.retry import ErrorCategory, Failure, RetryPolicy
from daylily.domain.workset import Workset
from daylily.ports.clock import Chance, Clock
from daylily.ports.compute import JobStatus, Phase
from daylily.ports.object_store import ObjectStore

MESSAGE_LENGTH: Final = 4000
"""Characters kept of what an engine says of a failure; the rest is in the log."""
SAMPLES_BYTES: Final = 8 << 20
"""More than this is no list of the samples of a workset."""
OUTAGES: Final = 3
"""How many stops an engine may fail to hear of before it is told of no more in this cycle."""
UNKNOWN_AFTER: Final = timedelta(minutes=1)
"""How long an engine may be silent before its worksets are marked: shorter silences mean nothing."""

MISSING_FOR: Final = timedelta(minutes=2)
"""
How long an engine has to have had no record of a job before that counts as lost: engines forget jobs
while they start again, and a job that is given up too soon runs twice.
"""

_log = logging.getLogger(__name__)


@frozen(kw_only=True)
class PollWorksets:
    """Move each workset that an engine has one step on, if the engine has news of it."""

    ledger: Ledger
    engines: Engines
    objects: ObjectStore
    places: Places
    policy: RetryPolicy
    clock: Clock
    chance: Chance
    actor: str
    workers: Workers = Workers()
    ended: Callable[[Workset], Workset | None] = lambda _: None
    """Returns the workset as its directory shows it, if that shows that its attempt is over."""
    cost: Callable[[Workset], Decimal | None] = lambda _: None
    """What the ended attempts of a workset have cost, which is noted when one ends."""
    silent: dict[str | None, datetime] = field(init=False, factory=dict)
    """Since when engines have not answered, by cluster; to save time alone."""

    def __call__(
        self,
        worksets: Sequence[Workset],
        cluster: str | None = None,
        *,
        patient: bool = True,
        failed: Callable[[Workset, Exception], object] | None = None,
    ) -> tuple[Workset, ...]:
        """
        Return the worksets that have moved.

        Args:
            worksets: All of one cluster; running, or locked with a cancel pending.
            cluster: Which.
            patient: Whether the record of a job may be missing for a while; not where a person has
                looked already.
            failed: Told what is wrong with one of them, so that it does not keep the others from being
                looked at; None raises it.

        Raises:
            UnavailableError: The engine does not answer; that says nothing about any job. Worksets
                stay as they are, marked since when nothing is known of them once it lasts.
        """
        try:
            known, unheard = self._ask(worksets, cluster)
        except UnavailableError:
            self._mark(worksets, self.silent.setdefault(cluster, self.clock()))
            raise
        self.silent.pop(cluster, None)

        def step(workset: Workset) -> Workset | None:
            status, error = known.get(workset.attempt_key), unheard.get(workset.attempt_key)
            try:
                with about(workset):
                    if error is not None and not (status and status.ended):
                        raise error  # nothing can be said of a stop that was not heard of
                    return self._step(workset, status, patient)
            except ConflictError:
                return None  # another monitor has recorded it, or a person changed it: next cycle tells
            except Exception as error:
                if failed is None:
                    raise
                failed(workset, error)
                return None

        stepped = zip(worksets, self.workers.each(step, worksets), strict=True)
        return tuple(after for before, after in stepped if after and after.state is not before.state)

    def _ask(
        self, worksets: Sequence[Workset], cluster: str | None
    ) -> tuple[Mapping[str, JobStatus], Mapping[str, UnavailableError]]:
        """Return how jobs stand, and of which the engine could not be told that they are to stop."""
        engine = self.engines.of(cluster)
        unheard: dict[str, UnavailableError] = {}
        for workset in worksets:
            key = workset.attempt_key
            if workset.cancel or workset.gives_up:
                try:
                    if len(unheard) < OUTAGES:
                        engine.cancel(key)
                    else:  # where nothing answers, each takes long to fail
                        unheard[key] = next(iter(unheard.values()))
                except UnavailableError as error:
                    # It may be this job alone, of somebody else's account, say: others are asked for.
                    unheard[key] = error
        return engine.status([workset.attempt_key for workset in worksets]), unheard

    def _mark(self, worksets: Sequence[Workset], since: datetime) -> None:
        if self.clock() - since < UNKNOWN_AFTER:
            return
        for workset in worksets:
            if workset.unknown_since is None and workset.missing_since is None:
                with contextlib.suppress(ConflictError):
                    self.ledger.rest(workset.with_unknown(since))

    def _step(self, workset: Workset, status: JobStatus | None, patient: bool) -> Workset:
        if workset.state is State.LOCKED:
            return self._stop_launch(workset, status)
        if status is None:
            return self._missing(workset, patient)
        if status.ended:
            workset = workset.with_samples(self._outcomes(workset, status))
        match status.phase:
            case Phase.SUCCEEDED:
                done = workset.completed(at=self.clock(), actor=self.actor, ended_at=status.ended_at)
                return self._rest(done)
            case Phase.FAILED:
                text = status.message[:MESSAGE_LENGTH] or f"exit code {status.exit_code}"
                return self._fail(workset, failure_of(status.exit_code, text), status.ended_at)
            case Phase.CANCELED if workset.gives_up:
                return self._fail(workset, _given_up(workset), status.ended_at)
            case Phase.CANCELED:
                elsewhere = Failure(ErrorCategory.PERMANENT, "canceled at the engine")
                return self._fail(workset, elsewhere, status.ended_at)
            case _:
                return self._note_progress(workset, status)

    def _missing(self, workset: Workset, patient: bool) -> Workset:
        """Wait whether the record of a job turns up again; if it does not, the job is lost."""
        now = self.clock()
        if workset.cancel is None and not workset.gives_up:
            since = workset.missing_since
            if patient and (since is None or since > now):  # then the clock has been put back
                return self.ledger.store.save(workset.with_missing(now))
            if patient and since is not None and now - since < MISSING_FOR:
                return workset
            # A store that was put back has forgotten how it ended, and an engine in time.
            if (over := self.ended(workset)) is not None:
                return over
            # Should it turn up yet, it must not run beside the one that takes its place. Noted first:
            # we may be slow, and somebody else may see it run on meanwhile.
            workset = self.ledger.store.save(workset.giving_up())
            engine, key = self.engines.of(workset.cluster), workset.attempt_key
            engine.cancel(key)
            if (turned_up := engine.status([key]).get(key)) is not None:
                return self._step(workset, turned_up, patient)
        return self._fail(workset, _given_up(workset))

    def _outcomes(self, workset: Workset, status: JobStatus) -> Sequence[SampleOutcome]:
        """Return what became of samples: by the tasks of the job, or a file of its results."""
        if status.tasks:
            return [
                SampleOutcome.of(task.name, None if task.phase is Phase.SUCCEEDED else task.message)
                for task in status.tasks
                if task.phase in {Phase.SUCCEEDED, Phase.FAILED}
            ]
        attempt = workset.attempts[-1].number
        try:
            with self.objects.open(self.places.results(workset, attempt) + SAMPLES) as stream:
                data = stream.read(SAMPLES_BYTES)
        except NotFoundError:
            return ()
        except UnavailableError as error:
            # How the attempt ended is told all the same: samples without an outcome are run again.
            _log.warning("%s: outcomes of samples cannot be read: %s", workset.workset_id, error)
            return ()
        return read_samples(data, (sample.sample_id for sample in workset.manifest.samples))

    def _stop_launch(self, workset: Workset, status: JobStatus | None) -> Workset:
        """Settle a cancel that came while a launcher was at work."""
        at = self.clock()
        if status is None or (status.phase is Phase.CANCELED and status.started_at is None):
            return self.ledger.rest(workset.canceled(at=at, actor=self.actor))
        return self.ledger.rest(workset.launch_found(status.job, at=at, actor=self.actor))

    def _fail(self, workset: Workset, failure: Failure, ended_at: datetime | None = None) -> Workset:
        return self._rest(
            workset.failed(
                failure,
                at=self.clock(),
                actor=self.actor,
                policy=self.policy,
                jitter=self.chance.jitter(),
                ended_at=ended_at,
            )
        )

    def _rest(self, ended: Workset) -> Workset:
        return self.ledger.rest(ended.with_cost(self.cost(ended)))

    def _note_progress(self, workset: Workset, status: JobStatus) -> Workset:
        progress = status.progress or workset.progress
        silent = workset.unknown_since or workset.missing_since
        if progress == workset.progress and silent is None:
            return workset
        return self.ledger.rest(workset.with_progress(progress, at=self.clock()))


def _given_up(workset: Workset) -> Failure:
    """Return what is wrong with an attempt of which the engine knows nothing: mostly, it is lost."""
    running = workset.running
    if running is not None and running.hearsay:
        text = f"the engine has no record of {workset.attempt_key}, and only the directory tells of it"
        text = f"{text}: retry it, unless another installation runs it"
        return Failure(ErrorCategory.PERMANENT, text)
    return failure_of(None, f"the engine had no record of {workset.attempt_key}, so it was given up")
