"""A workset put together again from what its directory says, where the store has lost it."""

import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

from attrs import evolve

from daylily.domain.clusters import Requirements
from daylily.domain.debts import Debt, PostSentinel, WithdrawSentinel, in_order
from daylily.domain.lifecycle import Priority, State
from daylily.domain.manifest import Manifest
from daylily.domain.retry import ErrorCategory, Failure
from daylily.domain.sentinels import Sentinel, SentinelBody, known, projection, state_shown
from daylily.domain.workset import Attempt, Transition, Workset

_ATTEMPT: Final = re.compile(r"attempt ([1-9][0-9]{0,8})\b")
_LAUNCHED: Final = re.compile(
    r"(?:(?:launching|locked by .* to launch) )?"
    r"([A-Za-z0-9][A-Za-z0-9_-]{2,63})/([1-9][0-9]{0,8})(?: submitted| found at the engine|,|$)"
)
_OPEN: Final = frozenset({State.READY, State.LOCKED, State.RETRYING, State.ERROR, State.FAILED})
_ENDS: Final = frozenset({Sentinel.IGNORE, Sentinel.COMPLETE, Sentinel.ERROR})
_CANCELED: Final = re.compile(r"canceled\b")


def restored(
    *,
    workset_id: str,
    customer_id: str,
    name: str,
    manifest: Manifest,
    created_at: datetime,
    submitted_by: str,
    priority: Priority,
    max_retries: int,
    notification_email: str | None,
    requirements: Requirements,
    sentinels: Mapping[Sentinel, SentinelBody],
    attempts: Collection[int],
    at: datetime,
    actor: str,
) -> Workset:
    """
    Return the workset that a directory of ours tells of, which owes nothing.

    Its history is what the sentinels say of it, and that it was restored. An attempt that may be at
    the engine still is running again: the engine knows what has become of it.

    Args:
        sentinels: What stands there; one of them at least bears our mark.
        attempts: Numbers of the attempts that have left results.

    Raises:
        ValueError: Nothing there is ours.
    """
    ours = _ours(sentinels)
    if not ours:
        raise ValueError(f"{workset_id}: no sentinel there is ours")
    state = _state(sentinels)
    # A lock says what was about to be launched, and may never have been.
    told = [_number(body) for sentinel, body in ours.items() if sentinel is not Sentinel.LOCK]
    last = max([0, *attempts, *told])
    if state in {State.IN_PROGRESS, State.COMPLETE, State.ERROR}:
        last = max(last, 1)
    reason = f"restored from its directory as {state}"
    sequence = max(body.sequence or 0 for body in ours.values())
    failure = None
    if state is State.ERROR:
        failure = Failure(ErrorCategory.PERMANENT, sentinels[Sentinel.ERROR].detail or "unknown")
    foreign = sentinels.keys() - ours.keys()
    workset = Workset(
        workset_id=workset_id,
        customer_id=customer_id,
        name=name,
        manifest=manifest,
        created_at=created_at,
        updated_at=at,
        priority=priority,
        submitted_by=submitted_by,
        notification_email=notification_email,
        requirements=requirements,
        max_retries=max_retries,
        state=state,
        # Tokens and numbers of steps must not be given out twice.
        fence=sequence,
        failure=failure,
        history=(
            *_told(ours, 0, created_at),
            Transition(state=state, at=at, reason=reason, actor=actor),
        ),
        sequence=sequence + 1,
        # What is missing of it is about to be posted, and is to stay.
        posted=frozenset(ours) | (projection(state) - foreign),
        known=known(foreign, sentinels) if state is not State.READY else (),
    )
    return evolve(workset, attempts=_attempts(workset, last, sentinels))


def shows_cancel(ignore: SentinelBody) -> bool:
    """Tell whether an ignore that we wrote shows that the workset is canceled, and not only ignored."""
    return _CANCELED.match(ignore.detail) is not None


def behind(workset: Workset, sentinels: Mapping[Sentinel, SentinelBody]) -> bool:
    """
    Tell whether the store has forgotten what it knew of a workset, as one does that was put back.

    Each step is stored before it is shown. While the store believes that an attempt runs, the engine
    is asked first what has become of that; and no mark, which may be forged, undoes what is over or
    held.
    """
    open_still = workset.state in _OPEN or workset.foreign_run
    later = any(_is_later(body, workset) for body in _ours(sentinels).values())
    return open_still and later and _is_its_own(workset, sentinels) and workset.cancel is None


def end_forgotten(workset: Workset, sentinels: Mapping[Sentinel, SentinelBody]) -> bool:
    """
    Tell whether the attempt that runs, as far as the store knows, has ended by what we have shown.

    To be asked only where the engine has no record of it: a mark may be forged.
    """
    ours = _ours(sentinels)
    shown = next((sentinel for sentinel in Sentinel if sentinel in ours), None)
    return shown in _ENDS and _is_later(ours[shown], workset) and _is_its_own(workset, sentinels)


def _ours(sentinels: Mapping[Sentinel, SentinelBody]) -> dict[Sentinel, SentinelBody]:
    return {sentinel: body for sentinel, body in sentinels.items() if body.ours}


def _is_later(body: SentinelBody, workset: Workset) -> bool:
    """Tell whether one of ours shows a step that the store does not know of."""
    return (body.sequence or 0) > workset.sequence


def _is_its_own(workset: Workset, sentinels: Mapping[Sentinel, SentinelBody]) -> bool:
    """Tell whether no sentinel of ours says that the directory was copied from that of another."""
    return original(workset.workset_id, sentinels, None) == workset.workset_id


def caught_up(
    workset: Workset,
    sentinels: Mapping[Sentinel, SentinelBody],
    *,
    attempts: Collection[int],
    at: datetime,
    actor: str,
) -> Workset:
    """
    Return *workset*, which the store is behind with, as its directory tells of it.

    Args:
        attempts: Numbers of the attempts that have left results.
    """
    ours = _ours(sentinels)
    last = workset.running
    ended = len(workset.attempts) - (last is not None)
    # What runs now comes after all that the store knows the end of.
    least = ended + (last is not None or state_shown(ours) is State.IN_PROGRESS)
    told = restored(
        workset_id=workset.workset_id,
        customer_id=workset.customer_id,
        name=workset.name,
        manifest=workset.manifest,
        created_at=workset.created_at,
        submitted_by=workset.submitted_by,
        priority=workset.priority,
        max_retries=workset.max_retries,
        notification_email=workset.notification_email,
        requirements=workset.requirements,
        sentinels=sentinels,
        attempts=(*attempts, least),
        at=at,
        actor=actor,
    )
    since = _told(ours, workset.sequence, workset.updated_at)
    # Whoever took that step may have died before all that shows it stood there, and that alone.
    wanted = projection(told.state)
    covered = frozenset() if told.state is State.IN_PROGRESS else told.posted - wanted
    later = told.attempts[ended:]
    if last is not None:
        first = later[0]
        over = evolve(last, ended_at=at, outcome=first.outcome, failure=first.failure)
        later = (over, *later[1:])
    late = evolve(
        workset,
        state=told.state,
        archived_from=None,
        updated_at=at,
        lock=None,
        fence=max(workset.fence, told.fence),
        attempts=(*workset.attempts[:ended], *later),
        retry_at=None,
        cancel=None,
        failure=told.failure,
        progress=None,
        unknown_since=None,
        missing_since=None,
        history=(*workset.history, *since, told.history[-1]),
        sequence=told.sequence,
        posted=(told.posted | wanted) - covered,
        known=told.known,
        waits_for=None,
    )
    owed: list[Debt] = [WithdrawSentinel(each, late.sequence) for each in covered]
    owed += [PostSentinel(each, late.sentinel_body()) for each in wanted - told.posted]
    return evolve(late, debts=in_order(owed))


def _told(
    ours: Mapping[Sentinel, SentinelBody], since: int, otherwise: datetime
) -> tuple[Transition, ...]:
    """
    Return what sentinels of ours tell of steps after *since*, one of each: in_progress and lock may
    show the same.
    """
    found = {
        body.sequence: Transition(
            state=shown, at=body.at or otherwise, reason=body.detail, actor="unknown"
        )
        for sentinel, body in sorted(ours.items(), key=_precedence, reverse=True)
        if (shown := state_shown({sentinel})) and (body.sequence or 0) > since
    }
    return tuple(found[sequence] for sequence in sorted(found, key=lambda each: each or 0))


def _precedence(each: tuple[Sentinel, SentinelBody]) -> int:
    return list(Sentinel).index(each[0])


def original(workset_id: str, sentinels: Mapping[Sentinel, SentinelBody], recorded: str | None) -> str:
    """
    Return whose directory this was when we wrote it: that of another workset if it has been copied.

    Args:
        recorded: The id that its files name, if any. What our sentinels say goes before: files may
            have been somebody's, who had them from elsewhere.
    """
    launches = (_LAUNCHED.match(body.detail) for body in _ours(sentinels).values())
    told = [found[1] for found in launches if found]
    return told[0] if told else recorded or workset_id


def _state(sentinels: Mapping[Sentinel, SentinelBody]) -> State:
    """Return the state that a directory shows, told apart where several states show alike."""
    shown = state_shown(sentinels)
    if state_shown(_ours(sentinels)) is State.IN_PROGRESS:
        # What others say of it says nothing of ours, which may run on: as when the store knew of it.
        return State.IN_PROGRESS
    if shown is State.IGNORED and shows_cancel(sentinels[Sentinel.IGNORE]):
        return State.CANCELED
    # Before in_progress stands there, no engine has been asked.
    return State.READY if shown is State.LOCKED or shown is None else shown


def _attempts(
    workset: Workset, last: int, sentinels: Mapping[Sentinel, SentinelBody]
) -> tuple[Attempt, ...]:
    """Return the attempts there have been: of those before the last, only that they ended is known."""
    running = workset.state is State.IN_PROGRESS
    outcomes = {State.COMPLETE, State.ERROR, State.CANCELED}
    found = []
    for number in range(1, last + 1):
        final = number == last
        ended = not (final and running)
        found.append(
            Attempt(
                number=number,
                job=f"{workset.workset_id}/{number}",
                started_at=_began(sentinels) or workset.created_at,
                follows=number - 1 or None,
                ended_at=workset.updated_at if ended else None,
                outcome=workset.state if final and workset.state in outcomes else None,
                failure=workset.failure if final else None,
                hearsay=True,
            )
        )
    return tuple(found)


def _began(sentinels: Mapping[Sentinel, SentinelBody]) -> datetime | None:
    body = sentinels.get(Sentinel.IN_PROGRESS)
    return body.at if body else None


def _number(body: SentinelBody) -> int:
    if launched := _LAUNCHED.match(body.detail):
        return int(launched[2])
    found = _ATTEMPT.search(body.detail)
    return int(found[1]) if found else 0
