"""Every step that a workset can take, for strategies and state machines to choose from."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from daylily.domain.errors import ConflictError
from daylily.domain.lifecycle import Priority, State
from daylily.domain.results import SampleOutcome
from daylily.domain.retry import ErrorCategory, Failure, RetryPolicy
from daylily.domain.sentinels import Sentinel, SentinelBody, known
from daylily.domain.workset import Progress, Workset

Step = Callable[[Workset, datetime], Workset]

_POLICY: Final = RetryPolicy()
_HOUR: Final = timedelta(hours=1)
_IGNORE: Final = known([Sentinel.IGNORE], {Sentinel.IGNORE: SentinelBody(None, "hands off")})


def _token(workset: Workset) -> int:
    return workset.lock.token if workset.lock else 0


def _failing(category: ErrorCategory) -> Step:
    failure = Failure(category, f"a {category} failure", 1)

    def fail(workset: Workset, at: datetime) -> Workset:
        return workset.failed(failure, at=at, actor="monitor-1", policy=_POLICY, jitter=0.5)

    return fail


def _refused(workset: Workset, at: datetime) -> Workset:
    failure = Failure(ErrorCategory.CONFIGURATION, "no such program")
    return workset.launch_failed(_token(workset), failure, at=at, policy=_POLICY, jitter=0.5)


def _adopting(state: State, *, shown: bool = True) -> Step:
    return lambda w, at: w.adopt(state, at=at, reason=f"found {state}", actor="monitor-1", shown=shown)


STEPS: Final[Mapping[str, Step]] = {
    "lock": lambda w, at: w.lock_for("monitor-1", at=at, timeout=_HOUR),
    "take over": lambda w, at: w.lock_for("monitor-2", at=at, timeout=_HOUR),
    "release": lambda w, at: w.release(_token(w), at=at, reason="changed my mind"),
    "give up": lambda w, _: w.giving_up(),
    "abandon": lambda w, at: w.abandoned(_token(w), at=at, reason="too slow"),
    "launch": lambda w, at: w.launched(_token(w), "job-1", at=at),
    "find launched": lambda w, at: w.launch_found("job-1", at=at, actor="monitor-2"),
    "refuse launch": _refused,
    "progress": lambda w, at: w.with_progress(Progress(1, 2, "half way"), at=at),
    "tell of samples": lambda w, _: w.with_samples(
        SampleOutcome.of(each.sample_id, None if n else "truncated")
        for n, each in enumerate(w.manifest.samples)
    ),
    "complete": lambda w, at: w.completed(at=at, actor="monitor-1"),
    "fail for now": _failing(ErrorCategory.TRANSIENT),
    "fail for good": _failing(ErrorCategory.DATA),
    "request cancel": lambda w, at: w.request_cancel(by="jo", at=at, reason="wrong samples"),
    "confirm cancel": lambda w, at: w.canceled(at=at, actor="monitor-1"),
    "retry by hand": lambda w, at: w.retry(by="jo", at=at),
    "retry failed samples": lambda w, at: w.retry(by="jo", at=at, failed_samples=True),
    "retry when due": lambda w, at: w.retry_due(at=max(at, w.retry_at or at), actor="monitor-1"),
    "ignore": lambda w, at: w.ignore(by="jo", at=at),
    "unignore": lambda w, at: w.unignore(by="jo", at=at),
    "archive": lambda w, at: w.archive(by="jo", at=at),
    "restore": lambda w, at: w.restore(by="jo", at=at),
    "hurry": lambda w, at: w.prioritised(Priority.URGENT, by="jo", at=at),
    "delete": lambda w, at: w.delete(by="jo", at=at),
    "adopt a start": _adopting(State.IN_PROGRESS),
    "adopt a result": _adopting(State.COMPLETE),
    "adopt an error": _adopting(State.ERROR),
    "be told of a result": _adopting(State.COMPLETE, shown=False),
    "hand over": lambda w, at: w.handed_over("monitor-1", at=at, reason="runs it by hand"),
    "find ignore": lambda w, at: w.request_hold(
        by="monitor-1", at=at, reason="daylily.ignore found", known=_IGNORE
    ),
    "adopt ignore": lambda w, at: w.adopt(
        State.IGNORED, at=at, reason="daylily.ignore found", actor="monitor-1", known=_IGNORE
    ),
    "find a run gone": lambda w, at: w.run_gone(at=at, actor="monitor-1", ready=True),
    "wait": lambda w, _: w.with_wait("another system holds daylily.lock"),
    "pay the first debt": lambda w, _: w.settled(w.debts[:1]),
    "pay all debts": lambda w, _: w.settled(w.debts),
}
"""By name, for the reports of failing tests; a step that is not legal raises ConflictError."""


def legal_steps(workset: Workset, at: datetime) -> Mapping[str, Workset]:
    """Return what each step that *workset* can take at that time makes of it."""
    taken: dict[str, Workset] = {}
    for name, step in STEPS.items():
        try:
            taken[name] = step(workset, at)
        except ConflictError:
            continue
    return taken


_DRIVING: Final = frozenset(
    {"lock", "launch", "complete", "fail for now", "fail for good", "retry by hand", "retry when due"}
)


def walk(workset: Workset, at: datetime) -> SearchStrategy[Workset]:
    """
    Take one step, any that is legal; there is always one, as debts can be paid in every state.

    Those that drive a pipeline on are drawn more often: most others end a walk early.
    """
    taken = legal_steps(workset, at)
    names = [name for name in sorted(taken) for _ in range(6 if name in _DRIVING else 1)]
    return st.sampled_from(names).map(taken.__getitem__)
