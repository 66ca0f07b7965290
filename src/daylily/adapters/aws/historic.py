"""
Reading what other systems wrote: rows without our record, and what was done since to rows of ours.

A state that the lifecycle does not have (``paused``, ``billing_hold`` ...) reads as ``ignored``: nobody
runs the workset until a person says so, and the row keeps its word until then.
"""

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, Final, TypeVar

from attrs import evolve

from daylily.adapters.aws.rows import Row, instant, numbered
from daylily.domain.clusters import Requirements
from daylily.domain.errors import IllegalTransitionError, InvalidInputError
from daylily.domain.lifecycle import LIFECYCLE, Priority, State
from daylily.domain.manifest import FastqPair, Manifest, Sample, reference_genome
from daylily.domain.names import is_id
from daylily.domain.retry import ErrorCategory, Failure
from daylily.domain.sentinels import projection
from daylily.domain.workset import ADOPTED, MAX_RETRIES, CancelRequest, Lock, Transition, Workset

E = TypeVar("E", bound=Enum)

LOCK_TIMEOUT: Final = timedelta(hours=1)
"""How long locks of old last where the row does not say."""
OTHER: Final = "another system"
STRANGE_STATES: Final = ("queued", "paused", "pending_review", "billing_hold")
"""States that some versions had and that we have no word for."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNLOCKED: Final = frozenset({State.READY, State.RETRYING, State.LOCKED})
_IN_HAND: Final = frozenset({State.LOCKED, State.IN_PROGRESS})
"""States that the other system itself shows, as it has its hand on the workset."""
_OVER: Final = frozenset({State.COMPLETE, State.CANCELED, State.ARCHIVED, State.DELETED})
_PUT_AWAY: Final = frozenset({State.ARCHIVED, State.DELETED})
_STOPS: Final = frozenset({State.CANCELED, State.IGNORED, State.DELETED})


def state_of(row: Row) -> State:
    """Return the state that a row's word stands for."""
    return _member(State, row.get("state"), State.IGNORED)


def read(row: Row) -> Workset:
    """Return the workset that a row without our record describes; any row describes one."""
    metadata = _mapping(row.get("metadata"))
    state = state_of(row)
    history = tuple(map(transition, _entries(row)))
    times = [
        instant(row.get("created_at")),
        *(step.at for step in history),
        instant(row.get("updated_at")),
    ]
    told = [at for at in times if at is not None] or [_EPOCH]
    created, updated = told[0], told[-1]
    workset_id = str(row["workset_id"])
    # What has no past could go anywhere: the domain takes it for new. So it gets a past.
    past = history or (Transition(state=state, at=updated, reason="as found", actor=OTHER),)
    retrying = state is State.RETRYING
    archived_from = _archived_from(row, past) if state is State.ARCHIVED else None
    return Workset(
        workset_id=workset_id,
        customer_id=_text(row.get("customer_id")) or _text(metadata.get("submitted_by")) or "unknown",
        name=_text(metadata.get("workset_name")) or workset_id,
        manifest=_manifest(metadata),
        created_at=created,
        updated_at=updated,
        priority=_member(Priority, row.get("priority") or metadata.get("priority"), Priority.NORMAL),
        submitted_by=_text(metadata.get("submitted_by")) or "unknown",
        notification_email=_text(metadata.get("notification_email")),
        max_retries=_count(row.get("max_retries"), MAX_RETRIES),
        requirements=Requirements(cluster=_cluster(row, metadata)),
        state=state,
        archived_from=archived_from,
        lock=_lock(row, state, updated),
        retries_used=_count(row.get("retry_count"), 0),
        # Old readers take a retry without a time as due.
        retry_at=(instant(row.get("retry_after")) or updated) if retrying else None,
        failure=_failure(row, state, past),
        history=past,
        sequence=len(past),
        # What a check or a sync posts for it is to stay there.
        posted=frozenset() if state in _IN_HAND else projection(state, archived_from),
    )


def _cluster(row: Row, metadata: Row) -> str | None:
    """Return the cluster that a workset was promised to run on."""
    told = (_text(row.get("preferred_cluster")), _text(metadata.get("preferred_cluster")))
    return next((name for name in told if name and is_id(name)), None)


def touched(row: Row) -> bool:
    """Tell whether another system has written a row of ours since we did."""
    return (
        row.get("state") != row.get("written_state")
        or row.get("updated_at") != row.get("written_at")
        or row.get("lock_owner") != row.get("written_lock")
    )


def overlay(ours: Workset, row: Row) -> Workset:
    """
    Return a workset of ours with what another system has made of its row since.

    - While an attempt or a lock of ours is on its way, ours is the truth; a stop is heard as the wish
      to cancel.
    - What is over stays over (D-04); it may only be put away.
    - Everything else they say is a fact.
    """
    ours = _with_foreign_history(ours, row)
    state, at = state_of(row), instant(row.get("updated_at")) or ours.updated_at
    # A lock of theirs that we have read has token 0: ours begin with 1.
    if ours.running or (ours.lock and ours.lock.token):
        if state in _STOPS and ours.cancel is None:
            return evolve(ours, cancel=CancelRequest(by=OTHER, at=at, reason=f"row set to {state}"))
        return ours
    if state is ours.state:
        # Only its lock or its time has changed; a lock of theirs is to be respected.
        return evolve(ours, lock=_lock(row, state, at))
    if ours.state in _OVER and (
        state not in {State.ARCHIVED, State.DELETED} or ours.state is State.DELETED
    ):
        return ours
    return _taken_over(ours, state, at, row)


def transition(entry: Any) -> Transition:
    """Return a history entry of any shape ever drawn (contract 3.3)."""
    entry = _mapping(entry)
    word = entry.get("state") or entry.get("to_state")
    return Transition(
        state=_member(State, word, State.IGNORED),
        at=instant(entry.get("timestamp")) or instant(entry.get("at")) or _EPOCH,
        reason=_text(entry.get("reason")) or "",
        actor=_text(entry.get("actor")) or OTHER,
    )


def _taken_over(ours: Workset, state: State, at: datetime, row: Row) -> Workset:
    latest = ours.history[-1]
    reason = latest.reason if latest.actor == OTHER and latest.reason else f"set to {row.get('state')}"
    # The last entry of theirs, if there is one, is the step itself.
    told = latest.actor == OTHER and latest.state is state
    before = evolve(ours, history=ours.history[:-1], sequence=ours.sequence - 1) if told else ours
    if state in ADOPTED and before.history:
        with suppress(IllegalTransitionError):
            # The domain's own step: people are told of it.
            return before.adopt(state, at=at, reason=reason, actor=OTHER)
    step = Transition(state=state, at=at, reason=reason, actor=OTHER)
    found = read(row)
    return evolve(
        before,
        state=state,
        updated_at=at,
        history=(*before.history, step),
        sequence=before.sequence + 1,
        lock=found.lock,
        retry_at=found.retry_at,
        retries_used=found.retries_used,
        failure=found.failure,
        progress=None,
        cancel=None,
        archived_from=_archived(ours) if state is State.ARCHIVED else None,
    )


def _archived(ours: Workset) -> State:
    return ours.state if ours.state in LIFECYCLE[State.ARCHIVED] else State.IGNORED


def _with_foreign_history(ours: Workset, row: Row) -> Workset:
    theirs = tuple(transition(entry) for entry in _entries(row) if not numbered(entry))
    return evolve(ours, history=(*ours.history, *theirs), sequence=ours.sequence + len(theirs))


def _lock(row: Row, state: State, updated: datetime) -> Lock | None:
    # Workers of some versions hold a lock while they run: that run is theirs, lock or not.
    owner = _text(row.get("lock_owner"))
    if state not in _UNLOCKED or (owner is None and state is not State.LOCKED):
        return None
    acquired = instant(row.get("lock_acquired_at")) or updated
    expires = instant(row.get("lock_expires_at")) or acquired + LOCK_TIMEOUT
    return Lock(owner=owner or OTHER, token=0, acquired_at=acquired, expires_at=expires)


def _failure(row: Row, state: State, history: tuple[Transition, ...]) -> Failure | None:
    if state not in {State.ERROR, State.FAILED, State.RETRYING}:
        return None
    category = _member(ErrorCategory, row.get("error_category"), ErrorCategory.PERMANENT)
    return Failure(category, _text(row.get("error_details")) or history[-1].reason or "unknown")


def _archived_from(row: Row, history: tuple[Transition, ...]) -> State:
    before = _member(State, row.get("original_state"), history[-1].state)
    # Out of the archive only as it went in; what was to run is for a person to put back.
    return before if before in LIFECYCLE[State.ARCHIVED] else State.IGNORED


def _manifest(metadata: Row) -> Manifest:
    genome = _text(metadata.get("reference_genome")) or "GRCh38"
    with suppress(InvalidInputError):  # else as it was written: whoever runs it will say
        genome = reference_genome(genome)
    listed = metadata.get("samples")
    samples = listed if isinstance(listed, list) else []
    return Manifest(
        samples=tuple(_sample(_mapping(each), n) for n, each in enumerate(samples, 1)),
        pipeline=_text(metadata.get("pipeline_type")) or "germline",
        reference_genome=genome,
    )


def _sample(listed: Row, number: int) -> Sample:
    sample_id = _first(listed, "sample_id", "id", "name") or f"sample-{number}"
    r1 = _first(listed, "r1_file", "fastq_r1", "r1", "fq1")
    r2 = _first(listed, "r2_file", "fastq_r2", "r2", "fq2")
    return Sample(sample_id=sample_id, pairs=(FastqPair(r1, r2),) if r1 else ())


def _first(mapping: Row, *names: str) -> str | None:
    return next((text for name in names if (text := _text(mapping.get(name)))), None)


def _entries(row: Row) -> Iterable[Any]:
    history = row.get("state_history")
    return history if isinstance(history, list) else ()


def _mapping(value: Any) -> Row:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _count(value: Any, default: int) -> int:
    # Numbers of old are also floats, and text of either (D-05).
    try:
        return max(0, int(Decimal(str(value))))
    except (InvalidOperation, ValueError, OverflowError):
        return default


def _member(kind: type[E], word: Any, default: E) -> E:
    try:
        return kind(word)
    except ValueError:
        return default
