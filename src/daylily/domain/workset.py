"""The aggregate: what may happen to a workset, and what each step owes the world."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice, takewhile
from typing import Final, Self

from attrs import evolve, field, frozen

from daylily.domain.clusters import Requirements
from daylily.domain.debts import (
    CopyFiles,
    Debt,
    PostSentinel,
    PublishFiles,
    SendNotice,
    WithdrawSentinel,
    in_order,
)
from daylily.domain.errors import IllegalTransitionError, LockHeldError
from daylily.domain.estimate import Estimate
from daylily.domain.events import Event, EventKind
from daylily.domain.lifecycle import LIFECYCLE, TERMINAL, Priority, State
from daylily.domain.manifest import Manifest, Seal
from daylily.domain.results import OUTCOMES_MOST, SampleOutcome, bounded
from daylily.domain.retry import RETRIED, ErrorCategory, Failure, RetryPolicy
from daylily.domain.sentinels import KnownSentinel, Sentinel, SentinelBody, projection

DEBT_GRACE: Final = timedelta(seconds=30)
"""How long the writer of a debt has to pay it before any monitor steps in."""

RUN_GONE_GRACE: Final = timedelta(minutes=2)
"""
How long after another system's run has vanished the workset is left alone: whatever took its sentinel
away may be about to say how it ended.
"""

ALWAYS: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""Since when is due what is due at all times."""

MAX_RETRIES: Final = 3
"""Automatic retries of a workset where nobody says how many."""

REFUSED: Final = "refused"
"""What stands for the job of an attempt that no engine took."""

ABANDONED: Final = "abandoned"
"""What stands for the job of an attempt whose launcher was not heard of, and that never came to be."""

MOST_SETTLED: Final = 10
"""Of how many errors the news of a completion says that they are settled."""

_ERRORS: Final = {State.ERROR: EventKind.ERROR, State.FAILED: EventKind.FAILED}
_WAITING: Final = frozenset({State.READY, State.RETRYING, State.IGNORED})

ADOPTED: Final = frozenset({State.IN_PROGRESS, State.COMPLETE, State.ERROR, State.IGNORED})
"""States that other systems' sentinels stand for and that we take over as facts."""


@frozen(kw_only=True)
class Transition:
    """One entry of a workset's history."""

    state: State
    at: datetime
    reason: str
    actor: str


@frozen(kw_only=True)
class Lock:
    """The right to launch, for a short while (design idea 3)."""

    owner: str
    token: int
    """Rises with every grant: a late holder is told apart from the present one."""
    acquired_at: datetime
    expires_at: datetime
    inherited: bool = False
    """
    Whether somebody held one before who may have launched the attempt: until the engine has been asked,
    nobody who holds it can tell that nothing runs.
    """

    def expired(self, at: datetime) -> bool:
        """Tell whether anyone may take the lock over."""
        return at >= self.expires_at


@frozen(kw_only=True)
class Attempt:
    """One launch of the pipeline."""

    number: int
    """From 1."""
    job: str
    """What the engine calls it."""
    started_at: datetime
    cluster: str | None = None
    """Where; None in an installation of one engine."""
    follows: int | None = None
    """The attempt that this one retries."""
    requested_by: str | None = None
    """Who asked for the retry; None where the retry policy did, or for a first attempt."""
    ended_at: datetime | None = None
    outcome: State | None = None
    failure: Failure | None = None
    only: tuple[str, ...] = ()
    """The samples that it is for; empty for all."""
    samples: tuple[SampleOutcome, ...] = ()
    """What became of samples, as far as it is known and no later attempt has run them again."""
    hearsay: bool = False
    """Whether only a directory tells of it, which may be a copy: it may be another installation's."""

    @property
    def ran(self) -> bool:
        """Whether an engine ever had it."""
        return self.job not in {REFUSED, ABANDONED}


@frozen
class Progress:
    """How far a running attempt has come."""

    done: int
    total: int
    message: str = ""


@frozen(kw_only=True)
class CancelRequest:
    """Somebody asked for a stop that the engine has yet to confirm."""

    by: str
    at: datetime
    reason: str
    then: State = State.CANCELED
    """What becomes of the workset once it has stopped: canceled for good, or ignored for now."""


@frozen(kw_only=True)
class Workset:
    """
    Samples to be run through a pipeline, and all that has happened to them.

    Every method that changes something returns a new workset with its debts, for a StateStore to
    save; each raises rather than take a step that the lifecycle does not have.
    """

    workset_id: str
    customer_id: str
    name: str
    manifest: Manifest
    created_at: datetime
    updated_at: datetime
    priority: Priority = Priority.NORMAL
    submitted_by: str = "unknown"
    notification_email: str | None = None
    max_retries: int = MAX_RETRIES
    requirements: Requirements = Requirements()
    tags: tuple[str, ...] = ()
    """Words by which its owner finds it again, in order."""
    estimate: Estimate | None = None
    """What it was said to cost; None where nobody could say."""
    recorded_usd: Decimal | None = None
    """What the vCPUs of its ended attempts have cost; None where nobody can say."""
    state: State = State.READY
    archived_from: State | None = None
    lock: Lock | None = None
    fence: int = 0
    """The last fencing token granted."""
    cluster: str | None = None
    """Where the last lock was to launch it, and so where its last attempt is."""
    attempts: tuple[Attempt, ...] = ()
    retries_used: int = 0
    """Automatic retries since the last request by a person."""
    retry_at: datetime | None = None
    retry_requested_by: str | None = None
    retry_only: tuple[str, ...] = ()
    """The samples that the next attempt is for; empty for all."""
    cancel: CancelRequest | None = None
    failure: Failure | None = None
    progress: Progress | None = None
    unknown_since: datetime | None = None
    """Since when the engine has said nothing of the running attempt; None if it answers."""
    missing_since: datetime | None = None
    """Since when the engine, which answers, has had no record of the running attempt."""
    given_up: int = 0
    """
    The attempt that was given up last: the engine is, or is about to be, told never to run it. It is
    noted before the engine is told, so nobody goes on with what somebody may yet stop.
    """
    history: tuple[Transition, ...] = ()
    sequence: int = 0
    """How many transitions there have been; the mark in sentinel bodies and event ids."""
    posted: frozenset[Sentinel] = frozenset()
    """Sentinels of ours that may stand in the directory."""
    known: tuple[KnownSentinel, ...] = ()
    """Sentinels of others that have been taken over: unchanged, they say nothing new."""
    waits_for: str | None = None
    """What keeps monitors from launching it, in words, where that is not ours to change."""
    debts: tuple[Debt, ...] = ()
    version: int = field(default=0)
    """Moved on by StateStore.save, never by the domain."""

    @classmethod
    def register(
        cls,
        *,
        workset_id: str,
        customer_id: str,
        name: str,
        manifest: Manifest,
        at: datetime,
        actor: str,
        priority: Priority = Priority.NORMAL,
        notification_email: str | None = None,
        max_retries: int = MAX_RETRIES,
        requirements: Requirements = Requirements(),
        tags: Iterable[str] = (),
        estimate: Estimate | None = None,
        copies: CopyFiles | None = None,
    ) -> Self:
        """
        Return a new workset that is ready to run, and owes the world its files and its sentinel.

        Args:
            copies: What is to be copied first, where that could not be done before.
        """
        blank = cls(
            workset_id=workset_id,
            customer_id=customer_id,
            name=name,
            manifest=manifest,
            created_at=at,
            updated_at=at,
            priority=priority,
            submitted_by=actor,
            notification_email=notification_email,
            max_retries=max_retries,
            requirements=requirements,
            tags=tuple(sorted(set(tags))),
            estimate=estimate,
            debts=(PublishFiles(),) if copies is None else (copies, PublishFiles()),
        )
        return blank._enter(State.READY, at, "Initial registration", actor, EventKind.REGISTERED)

    # What can be read off a workset

    @property
    def attempt_key(self) -> str:
        """The key under which an engine knows the running attempt, or would know the next one."""
        return f"{self.workset_id}/{self._attempt_number}"

    @property
    def _attempt_number(self) -> int:
        return self.running.number if self.running else len(self.attempts) + 1

    @property
    def gives_up(self) -> bool:
        """Whether the running attempt, or the next one, was given up: then all it can do is to end."""
        return self.given_up == self._attempt_number

    @property
    def running(self) -> Attempt | None:
        """The attempt that an engine of ours is at, if any."""
        last = self.attempts[-1] if self.attempts else None
        return last if last and last.ended_at is None else None

    @property
    def foreign_run(self) -> bool:
        """Whether another system's monitor is running it."""
        return self.state is State.IN_PROGRESS and self.running is None

    @property
    def held(self) -> bool:
        """Whether somebody's ``daylily.ignore`` keeps it out of the queue, for as long as it stands."""
        theirs = {each.sentinel for each in self.known}
        return self.state is State.IGNORED and Sentinel.IGNORE in theirs

    @property
    def due_at(self) -> datetime | None:
        """
        When a monitor has to look at this workset again; None if never by itself.

        What any cycle has to look at is due at all times, not since some moment that a clock told: it
        may have been a wrong one, and ahead.
        """
        candidates = []
        if self.debts:
            candidates.append(self.updated_at + DEBT_GRACE)
        if self.cancel:
            candidates.append(ALWAYS)
        if self.lock:
            candidates.append(self.lock.expires_at)
        if self.retry_at:
            candidates.append(self.retry_at)
        if self.running:
            candidates.append(ALWAYS)
        if self.foreign_run or self.held:
            candidates.append(ALWAYS)
        return min(candidates, default=None)

    @property
    def outcomes(self) -> Mapping[str, tuple[Attempt, SampleOutcome]]:
        """What became of each sample of which that is known, and in which attempt."""
        return {
            outcome.sample_id: (attempt, outcome)
            for attempt in self.attempts
            for outcome in attempt.samples
        }

    def _unfinished(self) -> tuple[str, ...]:
        """
        Return the samples that have not come out well; nothing where that is all, none or too many.
        """
        fine = {name for name, (_, outcome) in self.outcomes.items() if not outcome.failed}
        names = [sample.sample_id for sample in self.manifest.samples]
        rest = tuple(name for name in names if name not in fine)
        return rest if len(rest) < len(names) and len(rest) <= OUTCOMES_MOST else ()

    def sentinel_body(self) -> SentinelBody:
        """Return the body of a sentinel that shows the latest transition."""
        last = self.history[-1]
        return SentinelBody(last.at, last.reason, self.sequence)

    # Launching

    def lock_for(
        self, owner: str, *, at: datetime, timeout: timedelta, cluster: str | None = None
    ) -> Self:
        """
        Return this workset locked by *owner*, who may also renew; its token is ``lock.token``.

        Args:
            cluster: Where it is to be launched. A lock that is renewed or taken over stays with the
                cluster it had: that may have the attempt already.

        Raises:
            LockHeldError: Another owner's lock has not run out.
            IllegalTransitionError: No workset in this state can be locked, or a cancel is pending.
        """
        held = self.lock
        if held and held.owner != owner and not held.expired(at):
            raise LockHeldError(f"{self.workset_id} is locked by {held.owner}")
        if self.cancel:
            raise IllegalTransitionError(f"{self.workset_id}: a cancel is pending")
        token = self.fence + 1
        lock = Lock(
            owner=owner,
            token=token,
            acquired_at=at,
            expires_at=at + timeout,
            inherited=held is not None and (held.owner != owner or held.inherited),
        )
        reason = f"locked by {owner} to launch {self.attempt_key}, token {token}"
        there = self.cluster if held else cluster
        granted = evolve(self, lock=lock, fence=token, cluster=there)
        told = EventKind.LOCK_EXPIRED if held and held.owner != owner else None
        locked = granted._enter(State.LOCKED, at, reason, owner, told)
        # The launcher posts in_progress before it asks the engine (design idea 5): it may be there.
        return evolve(locked, posted=locked.posted | {Sentinel.IN_PROGRESS})

    def release(self, token: int, *, at: datetime, reason: str) -> Self:
        """
        Give up the lock without having asked the engine for anything.

        With a cancel pending it does not become ready again, where another system might pick it up: it
        stays locked, by a lock that has run out, until the cancel has been seen through. So it does if
        the lock was inherited, until the engine has been asked what became of the launch.

        Raises:
            LockHeldError: *token* is not that of the present lock.
        """
        held = self._holder(token)
        owner = held.owner
        if self.cancel or held.inherited:
            kept = evolve(self, lock=evolve(held, expires_at=at))
            return kept._enter(State.LOCKED, at, reason, owner)
        return evolve(self, lock=None)._enter(State.READY, at, reason, owner)

    def giving_up(self) -> Self:
        """
        Note that the attempt is given up, for a save before its engine is told. This is no transition.

        Whoever tells an engine never to run a key may stall before it does, for as long as it likes. If
        this is stored, nobody submits that key any more, or waits for its job; if it is not, for
        somebody else has gone on, the engine is not told.

        Raises:
            IllegalTransitionError: Nothing runs, or is about to.
        """
        if self.lock is None:
            self._running()
        return evolve(self, given_up=self._attempt_number)

    def abandoned(self, token: int, *, at: datetime, reason: str) -> Self:
        """
        Give up a lock that was taken over, once the engine has been told never to run the attempt.

        Its key is spent: an attempt that never was takes its number, and says nothing else.

        Raises:
            LockHeldError: *token* is not that of the present lock.
        """
        owner = self._holder(token).owner
        never = Attempt(
            number=len(self.attempts) + 1,
            job=ABANDONED,
            started_at=at,
            cluster=self.cluster,
            follows=len(self.attempts) or None,
            ended_at=at,
            outcome=State.CANCELED,
        )
        given_up = f"{self.attempt_key} given up: {reason}"
        free = evolve(self, lock=None, attempts=(*self.attempts, never))
        return free._enter(State.READY, at, given_up, owner)

    def launched(self, token: int, job: str, *, at: datetime) -> Self:
        """
        Record that the engine has the attempt.

        Raises:
            LockHeldError: *token* is not that of the present lock.
        """
        owner = self._holder(token).owner
        reason = f"{self.attempt_key} submitted as {job}"
        return self._attempted(job, at)._enter(State.IN_PROGRESS, at, reason, owner, EventKind.STARTED)

    def handed_over(self, owner: str, *, at: datetime, reason: str) -> Self:
        """
        Record that the holder of the lock runs the workset by other means than an engine of ours.

        From then on it counts as run by another system, which alone can say how it ends (``adopt``).

        Raises:
            LockHeldError: The lock is not, or no longer, that of *owner*; or was inherited, and nobody
                has settled what became of the launch before.
            IllegalTransitionError: A cancel is pending.
        """
        if self.lock is None or self.lock.owner != owner:
            raise LockHeldError(f"{self.workset_id} is not locked by {owner}")
        if self.lock.inherited:
            raise LockHeldError(f"{self.workset_id}: {self.attempt_key} may have been launched before")
        if self.cancel:
            raise IllegalTransitionError(f"{self.workset_id}: a cancel is pending")
        # Nobody has posted in_progress yet: a lock only says that it may be there.
        theirs = evolve(
            self,
            lock=None,
            posted=self.posted - {Sentinel.IN_PROGRESS},
            retry_requested_by=None,
            retry_only=(),
            failure=None,
            progress=None,
        )
        return theirs._enter(State.IN_PROGRESS, at, reason, owner, EventKind.STARTED)

    def launch_failed(
        self, token: int, failure: Failure, *, at: datetime, policy: RetryPolicy, jitter: float
    ) -> Self:
        """
        Record that the engine refused the attempt for good.

        A workset whose cancel is pending is canceled, as when a running attempt fails.

        Raises:
            LockHeldError: *token* is not that of the present lock.
        """
        owner = self._holder(token).owner
        refused = self._attempted(REFUSED, at)
        return refused.failed(failure, at=at, actor=owner, policy=policy, jitter=jitter)

    def _holder(self, token: int) -> Lock:
        if self.lock is None or self.lock.token != token:
            raise LockHeldError(f"{self.workset_id}: lock token {token} is not (or no longer) valid")
        return self.lock

    def _attempted(self, job: str, at: datetime) -> Self:
        attempt = Attempt(
            number=len(self.attempts) + 1,
            job=job,
            started_at=at,
            cluster=self.cluster,
            follows=len(self.attempts) or None,
            requested_by=self.retry_requested_by,
            only=self.retry_only,
        )
        return evolve(
            self,
            lock=None,
            attempts=(*self.attempts, attempt),
            retry_requested_by=None,
            retry_only=(),
            failure=None,
            progress=None,
        )

    # While it runs, and how it ends

    def with_progress(self, progress: Progress | None, *, at: datetime) -> Self:
        """
        Record how far the engine says the running attempt is. This is no transition; to have come
        further is news.

        Raises:
            IllegalTransitionError: Nothing is running.
        """
        running = self._running()
        now = evolve(self, progress=progress, unknown_since=None, missing_since=None)
        if progress is None or progress.done == (self.progress.done if self.progress else 0):
            return now
        told = f"attempt {running.number}: {progress.done} of {progress.total} done"
        news = now._event(EventKind.STEP, at, f"{told}, {progress.message}".removesuffix(", "))
        return now._owing(evolve(news, event_id=f"{news.event_id}-{progress.done}"))

    def with_unknown(self, since: datetime) -> Self:
        """
        Record since when the engine has said nothing. This is no transition: the attempt may well run.
        """
        told = f"the engine has said nothing of {self.attempt_key} since {since:%Y-%m-%dT%H:%M:%SZ}"
        news = self._event(EventKind.ATTENTION, since, told)
        return evolve(self, unknown_since=since)._owing(
            evolve(news, event_id=f"{news.event_id}-{since:%Y%m%dT%H%M%SZ}")
        )

    def with_missing(self, since: datetime) -> Self:
        """
        Record since when the engine has had no record of the attempt. This is no transition: a record
        may turn up again.
        """
        return evolve(self, unknown_since=None, missing_since=since)

    def with_samples(self, outcomes: Iterable[SampleOutcome]) -> Self:
        """
        Record what became of samples in the running attempt. This is no transition and owes nothing.

        Raises:
            IllegalTransitionError: Nothing is running.
        """
        running = self._running()
        own = bounded(outcomes, [sample.sample_id for sample in self.manifest.samples])
        names = {each.sample_id for each in own}
        # A sample's latest outcome is the one that counts, and the only one that is kept.
        earlier = tuple(
            evolve(
                attempt,
                samples=tuple(each for each in attempt.samples if each.sample_id not in names),
            )
            for attempt in self.attempts[:-1]
        )
        return evolve(self, attempts=(*earlier, evolve(running, samples=own)))

    def completed(self, *, at: datetime, actor: str, ended_at: datetime | None = None) -> Self:
        """
        Record that the running attempt succeeded; a cancel that came too late is let go.

        Args:
            ended_at: When, as the engine has it; None if it does not say.

        Raises:
            IllegalTransitionError: Nothing is running.
        """
        ended = self._ended(at, State.COMPLETE, None, ended_at)
        reason = f"attempt {self._running().number} complete"
        return evolve(ended, cancel=None)._enter(State.COMPLETE, at, reason, actor, EventKind.COMPLETE)

    def failed(
        self,
        failure: Failure,
        *,
        at: datetime,
        actor: str,
        policy: RetryPolicy,
        jitter: float,
        ended_at: datetime | None = None,
    ) -> Self:
        """
        Record that the running attempt failed; what follows is the policy's to say.

        A workset whose cancel is pending is canceled: nobody wants it tried again.

        Args:
            ended_at: When, as the engine has it; None if it does not say.

        Raises:
            IllegalTransitionError: Nothing is running.
        """
        self._running()
        if self.cancel:
            return self.canceled(at=at, actor=actor, ended_at=ended_at)
        return self._failed(failure, at, actor, policy, jitter, ended_at)

    def _failed(
        self,
        failure: Failure,
        at: datetime,
        actor: str,
        policy: RetryPolicy,
        jitter: float,
        ended_at: datetime | None,
    ) -> Self:
        losses = self._losses()
        if policy.replaces(failure, losses):
            state, kind = State.RETRYING, EventKind.RETRYING
            used, retry_at = self.retries_used, at + policy.delay(losses, jitter)
            reason = f"{failure.message} (replaced at no cost in retries)"
        elif policy.retries(failure, self.retries_used, self.max_retries):
            wait = policy.delay(self.retries_used, jitter)
            state, kind = State.RETRYING, EventKind.RETRYING
            used, retry_at = self.retries_used + 1, at + wait
            reason = f"{failure.message} (retry {used} of {self.max_retries})"
        else:
            spent = failure.category in RETRIED
            state, kind = (State.FAILED, EventKind.FAILED) if spent else (State.ERROR, EventKind.ERROR)
            used, retry_at, reason = self.retries_used, None, failure.message
        ended = evolve(
            self._ended(at, state, failure, ended_at),
            retries_used=used,
            retry_at=retry_at,
            retry_only=self._unfinished() if state is State.RETRYING else (),
            failure=failure,
        )
        return ended._enter(state, at, reason, actor, kind)

    def _losses(self) -> int:
        """Return how many attempts in a row were lost before the running one."""
        ended = (each for each in reversed(self.attempts[:-1]) if each.job != ABANDONED)
        return sum(
            1 for _ in takewhile(lambda each: each.failure is not None and each.failure.lost, ended)
        )

    def _running(self) -> Attempt:
        if self.running is None:
            raise IllegalTransitionError(f"{self.workset_id} is {self.state}: nothing is running")
        return self.running

    def _ended(
        self, at: datetime, outcome: State, failure: Failure | None, ended_at: datetime | None
    ) -> Self:
        running = self._running()
        # Nobody may have looked for long. An engine's clock may be wrong, though.
        then = at if ended_at is None else max(running.started_at, min(ended_at, at))
        ended = evolve(running, ended_at=then, outcome=outcome, failure=failure)
        return evolve(self, attempts=(*self.attempts[:-1], ended))

    # What people ask for

    def request_cancel(self, *, by: str, at: datetime, reason: str = "") -> Self:
        """
        Cancel at once what no engine has; otherwise note the wish, for the engine to confirm.

        Raises:
            IllegalTransitionError: It has ended, a cancel is pending, or another system runs it.
        """
        if self.cancel and self.cancel.then is State.CANCELED:
            raise IllegalTransitionError(f"{self.workset_id}: a cancel is pending already")
        if self.foreign_run:
            raise IllegalTransitionError(f"{self.workset_id} is run by another system: cancel it there")
        self._refuse_in_archive()
        request = CancelRequest(by=by, at=at, reason=reason)
        if self.state is State.LOCKED or self.running:
            return evolve(self, cancel=request)
        return self._canceled(request, at, by)

    def request_hold(
        self, *, by: str, at: datetime, reason: str, known: tuple[KnownSentinel, ...]
    ) -> Self:
        """
        Note that somebody's ``daylily.ignore`` is to stop what an engine of ours is at.

        Once it has stopped, the workset is ignored until that sentinel is gone.

        Raises:
            IllegalTransitionError: Nothing is running, or a stop is pending already.
        """
        self._running()
        if self.cancel:
            raise IllegalTransitionError(f"{self.workset_id}: a stop is pending already")
        stop = CancelRequest(by=by, at=at, reason=reason, then=State.IGNORED)
        return evolve(self, cancel=stop, known=known)

    def canceled(self, *, at: datetime, actor: str, ended_at: datetime | None = None) -> Self:
        """
        Record that the engine has stopped (or never had) what was to be canceled, or held.

        Args:
            ended_at: When, as the engine has it; None if it does not say.

        Raises:
            IllegalTransitionError: Nobody asked for it.
        """
        if self.cancel is None:
            raise IllegalTransitionError(f"{self.workset_id}: nobody asked for a cancel")
        stopped = self._ended(at, State.CANCELED, None, ended_at) if self.running else self
        if self.cancel.then is State.IGNORED:
            quiet = evolve(stopped, cancel=None)
            held = quiet._enter(State.IGNORED, at, f"stopped: {self.cancel.reason}", actor)
            # Theirs stands there. Ours beside it would keep the workset when theirs is taken away.
            return held._without_posts()
        return stopped._canceled(self.cancel, at, actor)

    def _canceled(self, request: CancelRequest, at: datetime, actor: str) -> Self:
        reason = f"canceled by {request.by}"
        if request.reason:
            reason = f"{reason}: {request.reason}"
        # It is held by somebody else's ignore, which they may take away: ours has to stand there then.
        posted = self.posted - {Sentinel.IGNORE} if self.held else self.posted
        stopped = evolve(self, cancel=None, lock=None, retry_at=None, posted=posted)
        return stopped._enter(State.CANCELED, at, reason, actor, EventKind.CANCELED)

    def launch_found(self, job: str, *, at: datetime, actor: str) -> Self:
        """
        Record that the engine turns out to have the attempt that a launcher did not live to record.

        Raises:
            IllegalTransitionError: The workset is not locked.
        """
        if self.state is not State.LOCKED:
            raise IllegalTransitionError(f"{self.workset_id} is {self.state}, not locked")
        reason = f"{self.attempt_key} found at the engine as {job}"
        # Whether the launcher posted in_progress before it died is not known: post it again.
        doubtful = evolve(self._attempted(job, at), posted=self.posted - {Sentinel.IN_PROGRESS})
        return doubtful._enter(State.IN_PROGRESS, at, reason, actor, EventKind.STARTED)

    def retry(self, *, by: str, at: datetime, reason: str = "", failed_samples: bool = False) -> Self:
        """
        Make ready for a new attempt, because a person said so.

        Args:
            failed_samples: Whether it is only for samples that have not come out well.

        Raises:
            IllegalTransitionError: It did not end in error, or is on its way already; or no sample
                is known to have failed by itself.
        """
        if self.state not in {State.ERROR, State.FAILED}:
            raise IllegalTransitionError(
                f"{self.workset_id} is {self.state}: only a workset in error or failed can be retried"
            )
        only = self._unfinished() if failed_samples else ()
        if failed_samples and not only and not any(each.failed for _, each in self.outcomes.values()):
            text = "no sample is known to have failed by itself: retry it as a whole"
            raise IllegalTransitionError(f"{self.workset_id}: {text}")
        fresh = evolve(self, retries_used=0, retry_requested_by=by, retry_only=only, failure=None)
        which = f" of {len(only)} of {len(self.manifest.samples)} samples" if only else ""
        return fresh._enter(State.READY, at, reason or f"retry{which} requested by {by}", by)

    def retry_due(self, *, at: datetime, actor: str) -> Self:
        """
        Make ready for the next automatic attempt.

        Raises:
            IllegalTransitionError: It is not waiting for a retry, or the wait is not over.
        """
        if self.state is not State.RETRYING or self.retry_at is None or at < self.retry_at:
            raise IllegalTransitionError(f"{self.workset_id} has no retry due")
        return evolve(self, retry_at=None)._enter(State.READY, at, "retry due", actor)

    def ignore(self, *, by: str, at: datetime) -> Self:
        """
        Take the workset out of the queue until further notice.

        Raises:
            IllegalTransitionError: It is running or has ended for good.
        """
        self._refuse_in_archive()
        if self.state is State.IN_PROGRESS:
            raise IllegalTransitionError(f"{self.workset_id} is running: cancel it")
        return evolve(self, retry_at=None)._enter(State.IGNORED, at, f"ignored by {by}", by)

    def unignore(self, *, by: str, at: datetime, reason: str = "") -> Self:
        """
        Put an ignored workset back into the queue.

        Raises:
            IllegalTransitionError: It is not ignored.
        """
        if self.state is not State.IGNORED:
            raise IllegalTransitionError(f"{self.workset_id} is {self.state}, not ignored")
        theirs = tuple(each for each in self.known if each.sentinel is not Sentinel.IGNORE)
        free = evolve(self, known=theirs)
        return free._enter(State.READY, at, reason or f"back in the queue, by {by}", by)

    def prioritised(
        self, priority: Priority, *, by: str, at: datetime, estimate: Estimate | None = None
    ) -> Self:
        """
        Change how urgent it is, and with that what it is said to cost.

        This is no transition, though the history has it: state and sentinels stay as they are.

        Raises:
            IllegalTransitionError: It is being launched, runs, or is over: that has its price already.
        """
        if self.state not in {*_WAITING, State.ERROR, State.FAILED}:
            text = f"{self.workset_id} is {self.state}: its priority is settled"
            raise IllegalTransitionError(text)
        reason = f"priority {priority}, was {self.priority}: changed by {by}"
        return evolve(
            self,
            priority=priority,
            estimate=estimate or self.estimate,
            updated_at=at,
            sequence=self.sequence + 1,
            history=(*self.history, Transition(state=self.state, at=at, reason=reason, actor=by)),
        )

    def with_cost(self, recorded_usd: Decimal | None) -> Self:
        """Record what its ended attempts have cost. This is no transition and owes nothing."""
        return evolve(self, recorded_usd=recorded_usd)

    def archive(self, *, by: str, at: datetime, reason: str = "") -> Self:
        """
        Put away what has ended.

        Raises:
            IllegalTransitionError: It has not ended.
        """
        kept = evolve(self, archived_from=self.state)
        return kept._enter(State.ARCHIVED, at, reason or f"archived by {by}", by)

    def restore(self, *, by: str, at: datetime) -> Self:
        """
        Bring an archived workset back to the state it had: what was complete never runs again.

        Raises:
            IllegalTransitionError: It is not archived.
        """
        if self.archived_from is None or self.state is not State.ARCHIVED:
            raise IllegalTransitionError(f"{self.workset_id} is {self.state}, not archived")
        return evolve(self, archived_from=None)._enter(self.archived_from, at, f"restored by {by}", by)

    def _refuse_in_archive(self) -> None:
        # The table has archived -> ignored and canceled for restore alone: by any other way, what
        # was complete would get back into the queue.
        if self.state is State.ARCHIVED:
            raise IllegalTransitionError(f"{self.workset_id} is archived: restore it first")

    def delete(self, *, by: str, at: datetime, reason: str = "") -> Self:
        """
        Hide an archived workset for good; its record stays.

        Raises:
            IllegalTransitionError: It is not archived.
        """
        return self._enter(State.DELETED, at, reason or f"deleted by {by}", by)

    # What other systems did

    def adopt(
        self,
        state: State,
        *,
        at: datetime,
        reason: str,
        actor: str,
        shown: bool = True,
        known: tuple[KnownSentinel, ...] = (),
    ) -> Self:
        """
        Take over as a fact what another system says of the workset.

        Args:
            state: What sentinels of others can say: in_progress, complete, error or ignored.
            shown: Whether a sentinel of theirs says so, so that we owe none; otherwise we do.
            known: Sentinels of theirs that stand there, and say nothing new from now on.

        Raises:
            IllegalTransitionError: An attempt of ours is on its way: ours is the truth then. Or
                nobody can have said so.
        """
        told = {State.COMPLETE: EventKind.COMPLETE, State.ERROR: EventKind.ERROR}
        if self.state not in {State.READY, State.RETRYING} and not self.foreign_run:
            raise IllegalTransitionError(f"{self.workset_id} is {self.state}: it is ours to run")
        if state not in ADOPTED:
            raise IllegalTransitionError(f"{self.workset_id}: no sentinel of others says {state}")
        # What our last attempt failed of is over, whatever became of theirs.
        failure = Failure(ErrorCategory.PERMANENT, reason) if state is State.ERROR else None
        theirs = evolve(self, failure=failure, progress=None, known=known)
        adopted = theirs._enter(state, at, reason, actor, told.get(state))
        return evolve(adopted._without_posts() if shown else adopted, retry_at=None)

    def _without_posts(self) -> Self:
        debts = tuple(debt for debt in self.debts if not isinstance(debt, PostSentinel))
        return evolve(self, debts=debts)

    def run_gone(self, *, at: datetime, actor: str, ready: bool) -> Self:
        """
        Record that another system's run has vanished, and nothing says how it ended.

        Args:
            ready: Whether ``daylily.ready`` stands there. The workset is then tried again, but not at
                once; otherwise a person is needed.

        Raises:
            IllegalTransitionError: No other system was running it.
        """
        if not self.foreign_run:
            raise IllegalTransitionError(f"{self.workset_id} is {self.state}: nobody else runs it")
        reason = f"{Sentinel.IN_PROGRESS} of another system is gone"
        # What was theirs has never been ours, though our state stands for it.
        theirs = {each.sentinel for each in self.known}
        left = evolve(self, posted=self.posted - theirs, known=())
        if ready:
            waiting = evolve(left, retry_at=at + RUN_GONE_GRACE)
            return waiting._enter(State.RETRYING, at, f"{reason}: ready for another try", actor)
        reason = f"{reason}, and nothing says how its run ended"
        failure = Failure(ErrorCategory.PERMANENT, reason)
        return evolve(left, failure=failure)._enter(State.ERROR, at, reason, actor, EventKind.ERROR)

    def with_wait(self, waits_for: str | None) -> Self:
        """Record what keeps it from being launched. This is no transition and owes nothing."""
        return evolve(self, waits_for=waits_for)

    # What every step has in common

    def with_seals(self, seals: Iterable[Seal]) -> Self:
        """Return it with seals for its files, now that they are in its directory, in their order."""
        return evolve(self, manifest=self.manifest.sealed(seals))

    def settled(self, paid: Iterable[Debt]) -> Self:
        """Strike off debts that have been paid."""
        gone = set(paid)
        return evolve(self, debts=tuple(debt for debt in self.debts if debt not in gone))

    def _enter(
        self, state: State, at: datetime, reason: str, actor: str, told: EventKind | None = None
    ) -> Self:
        if state not in LIFECYCLE[self.state] and self.history:
            raise IllegalTransitionError(
                f"{self.workset_id} is {self.state}, and cannot become {state}"
            )
        entered = evolve(
            self,
            state=state,
            updated_at=at,
            waits_for=None,
            unknown_since=None,
            missing_since=None,
            sequence=self.sequence + 1,
            history=(*self.history, Transition(state=state, at=at, reason=reason, actor=actor)),
        )
        wanted = projection(state, entered.archived_from)
        # Forward steps only add; what an ended attempt or a step back left behind is taken away.
        keep = state in {State.LOCKED, State.IN_PROGRESS}
        stale = frozenset() if keep else self.posted - wanted
        debts: list[Debt] = [
            debt
            for debt in self.debts
            if not (isinstance(debt, PostSentinel) and debt.sentinel in stale)
            # What is over needs no files, and must not wait for them to be shown.
            and not (isinstance(debt, CopyFiles) and state in TERMINAL)
        ]
        debts += [PostSentinel(sentinel, entered.sentinel_body()) for sentinel in wanted - self.posted]
        debts += [WithdrawSentinel(sentinel, self.sequence) for sentinel in stale]
        if told:
            debts.append(SendNotice(entered._event(told, at, reason)))
        return evolve(entered, posted=(self.posted | wanted) - stale, debts=in_order(debts))

    def _owing(self, news: Event) -> Self:
        """Return this workset with *news* owed besides."""
        return evolve(self, debts=in_order((*self.debts, SendNotice(news))))

    def _event(self, kind: EventKind, at: datetime, reason: str) -> Event:
        return Event(
            event_id=f"{self.workset_id}-{self.sequence}-{kind}",
            kind=kind,
            workset_id=self.workset_id,
            customer_id=self.customer_id,
            state=self.state,
            priority=self.priority,
            at=at,
            message=reason,
            error_details=self.failure.message if self.failure else None,
            settles=self._errors_told() if kind is EventKind.COMPLETE else (),
        )

    def _errors_told(self) -> tuple[str, ...]:
        """Return the ids of the news of its errors, the latest first."""
        numbered = zip(reversed(self.history), range(self.sequence, 0, -1), strict=False)
        told = (
            f"{self.workset_id}-{sequence}-{_ERRORS[past.state]}"
            for past, sequence in numbered
            if past.state in _ERRORS
        )
        return tuple(islice(told, MOST_SETTLED))

    @property
    def ended(self) -> bool:
        """Whether no monitor will move it again by itself."""
        return self.state in TERMINAL
