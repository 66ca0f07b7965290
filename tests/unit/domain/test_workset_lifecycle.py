"""Every method of a workset in every situation: where it leads, or how it is refused."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

import pytest
from attrs import evolve

from daylily.domain.errors import IllegalTransitionError, LockHeldError
from daylily.domain.lifecycle import LIFECYCLE, TERMINAL, State
from daylily.domain.results import SampleOutcome
from daylily.domain.retry import ErrorCategory, Failure, RetryPolicy
from daylily.domain.sentinels import Sentinel, SentinelBody, known
from daylily.domain.workset import Progress, Workset
from daylily.testing.samples import LOCK_TIMEOUT, NOON, a_workset, locked, running

LATER: Final = NOON + timedelta(minutes=1)
LONG_AFTER: Final = NOON + timedelta(days=1)
TRANSIENT: Final = Failure(ErrorCategory.TRANSIENT, "node lost")
BROKEN: Final = Failure(ErrorCategory.DATA, "truncated input")
POLICY: Final = RetryPolicy()


IGNORE: Final = known([Sentinel.IGNORE], {Sentinel.IGNORE: SentinelBody(NOON, "by hand")})


def failing(workset: Workset, failure: Failure) -> Workset:
    return workset.failed(failure, at=LATER, actor="monitor-a", policy=POLICY, jitter=1)


def _situations() -> Mapping[str, Workset]:
    """Return a workset for each situation that the methods tell apart."""
    ready = a_workset(max_retries=1)
    taken = locked(ready)
    busy = running(ready)
    stopping = busy.request_hold(by="m", at=LATER, reason="daylily.ignore found", known=IGNORE)
    retrying = failing(busy, TRANSIENT)
    ended = {
        "complete": busy.completed(at=LATER, actor="monitor-a"),
        "error": failing(busy, BROKEN),
        "failed": failing(running(evolve(ready, max_retries=0)), TRANSIENT),
        "ignored": ready.ignore(by="ada", at=LATER),
        "canceled": ready.request_cancel(by="ada", at=LATER),
    }
    archived = {
        f"archived {name}": workset.archive(by="ada", at=LATER) for name, workset in ended.items()
    }
    return {
        "ready": ready,
        "locked": taken,
        "locked, cancel pending": taken.request_cancel(by="ada", at=LATER),
        "running": busy,
        "running, cancel pending": busy.request_cancel(by="ada", at=LATER),
        "running, hold pending": stopping,
        "held": stopping.canceled(at=LATER, actor="m"),
        "run by others": ready.adopt(State.IN_PROGRESS, at=LATER, reason="found", actor="m"),
        "retrying": retrying,
        **ended,
        **archived,
        "deleted": archived["archived complete"].delete(by="ada", at=LATER),
    }


SITUATIONS: Final = _situations()


def _adopting(state: State) -> Callable[[Workset], Workset]:
    return lambda w: w.adopt(state, at=LONG_AFTER, reason="found", actor="monitor-b")


METHODS: Final[Mapping[str, Callable[[Workset], Workset]]] = {
    "lock_for": lambda w: w.lock_for("monitor-b", at=LONG_AFTER, timeout=LOCK_TIMEOUT),
    "release": lambda w: w.release(w.fence, at=LONG_AFTER, reason="too slow"),
    "launched": lambda w: w.launched(w.fence, "job-9", at=LONG_AFTER),
    "launch_failed, transient": lambda w: w.launch_failed(
        w.fence, TRANSIENT, at=LONG_AFTER, policy=POLICY, jitter=0
    ),
    "launch_failed": lambda w: w.launch_failed(w.fence, BROKEN, at=LONG_AFTER, policy=POLICY, jitter=0),
    "launch_found": lambda w: w.launch_found("job-9", at=LONG_AFTER, actor="monitor-b"),
    "with_progress": lambda w: w.with_progress(Progress(1, 2), at=NOON),
    "with_samples": lambda w: w.with_samples([SampleOutcome(sample_id="NA12878", failed=True)]),
    "completed": lambda w: w.completed(at=LONG_AFTER, actor="monitor-b"),
    "failed, transient": lambda w: failing(w, TRANSIENT),
    "failed": lambda w: failing(w, BROKEN),
    "request_cancel": lambda w: w.request_cancel(by="bo", at=LONG_AFTER),
    "request_hold": lambda w: w.request_hold(
        by="m", at=LONG_AFTER, reason="daylily.ignore found", known=IGNORE
    ),
    "canceled": lambda w: w.canceled(at=LONG_AFTER, actor="monitor-b"),
    "retry": lambda w: w.retry(by="bo", at=LONG_AFTER),
    "retry_due": lambda w: w.retry_due(at=LONG_AFTER, actor="monitor-b"),
    "ignore": lambda w: w.ignore(by="bo", at=LONG_AFTER),
    "unignore": lambda w: w.unignore(by="bo", at=LONG_AFTER),
    "archive": lambda w: w.archive(by="bo", at=LONG_AFTER),
    "restore": lambda w: w.restore(by="bo", at=LONG_AFTER),
    "delete": lambda w: w.delete(by="bo", at=LONG_AFTER),
    "run_gone, ready": lambda w: w.run_gone(at=LONG_AFTER, actor="monitor-b", ready=True),
    "run_gone": lambda w: w.run_gone(at=LONG_AFTER, actor="monitor-b", ready=False),
    **{f"adopt {state}": _adopting(state) for state in State},
}

ALLOWED: Final[Mapping[str, Mapping[str, str]]] = {
    "ready": {
        "lock_for": "locked",
        "request_cancel": "canceled",
        "ignore": "ignored",
        "adopt in_progress": "in_progress",
        "adopt complete": "complete",
        "adopt error": "error",
        "adopt ignored": "ignored",
    },
    "locked": {
        "lock_for": "locked",  # the lock has run out by then
        "release": "ready",
        "launched": "in_progress",
        "launch_failed, transient": "retrying",
        "launch_failed": "error",
        "launch_found": "in_progress",
        "request_cancel": "locked",
    },
    "locked, cancel pending": {
        "release": "locked",
        "launched": "in_progress",
        "launch_failed, transient": "canceled",
        "launch_failed": "canceled",
        "launch_found": "in_progress",
        "canceled": "canceled",
    },
    "running": {
        "with_progress": "in_progress",
        "with_samples": "in_progress",
        "completed": "complete",
        "failed, transient": "retrying",
        "failed": "error",
        "request_cancel": "in_progress",
        "request_hold": "in_progress",
    },
    "running, hold pending": {
        "with_progress": "in_progress",
        "with_samples": "in_progress",
        "completed": "complete",
        "failed, transient": "ignored",
        "failed": "ignored",
        "request_cancel": "in_progress",
        "canceled": "ignored",
    },
    "held": {"unignore": "ready", "request_cancel": "canceled", "archive": "archived"},
    "running, cancel pending": {
        "with_progress": "in_progress",
        "with_samples": "in_progress",
        "completed": "complete",
        "failed, transient": "canceled",
        "failed": "canceled",
        "canceled": "canceled",
    },
    "run by others": {
        "adopt complete": "complete",
        "adopt error": "error",
        "adopt ignored": "ignored",
        "run_gone, ready": "retrying",
        "run_gone": "error",
    },
    "retrying": {
        "retry_due": "ready",
        "request_cancel": "canceled",
        "ignore": "ignored",
        "adopt ignored": "ignored",
    },
    "complete": {"archive": "archived"},
    "error": {"retry": "ready", "ignore": "ignored", "archive": "archived"},
    "failed": {"retry": "ready", "ignore": "ignored", "archive": "archived"},
    "ignored": {"unignore": "ready", "request_cancel": "canceled", "archive": "archived"},
    "canceled": {"archive": "archived"},
    "archived complete": {"restore": "complete", "delete": "deleted"},
    "archived error": {"restore": "error", "delete": "deleted"},
    "archived failed": {"restore": "failed", "delete": "deleted"},
    "archived ignored": {"restore": "ignored", "delete": "deleted"},
    "archived canceled": {"restore": "canceled", "delete": "deleted"},
    "deleted": {},
}
"""Where each method leads from each situation; every other pair is refused."""

NEED_A_LOCK: Final = {"release", "launched", "launch_failed, transient", "launch_failed"}
UNTOLD: Final = {"with_progress", "with_samples"}
NOTES: Final = {
    ("locked", "request_cancel"),
    ("running", "request_cancel"),
    ("running, hold pending", "request_cancel"),
    ("running", "request_hold"),
}
"""Steps that are noted, but are no transitions."""


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("situation", SITUATIONS)
def test_every_method_in_every_situation(situation: str, method: str) -> None:
    """A method leads where the table says; where it says nothing, it raises and changes nothing."""
    before = SITUATIONS[situation]
    expected = ALLOWED[situation].get(method)
    if expected is None:
        refusal = LockHeldError if method in NEED_A_LOCK else IllegalTransitionError
        with pytest.raises(refusal) as caught:
            METHODS[method](before)
        assert before.workset_id in str(caught.value)
        return

    after = METHODS[method](before)

    assert after.state == expected
    assert after.version == before.version, "versions are the store's to count"
    if method in UNTOLD or (situation, method) in NOTES:
        assert after.history == before.history
    else:
        assert after.state in LIFECYCLE[before.state]
        assert after.history[:-1] == before.history
        assert (after.history[-1].state, after.history[-1].at) == (after.state, after.updated_at)
        assert after.sequence == len(after.history)


def test_every_step_of_the_lifecycle_can_be_taken() -> None:
    """No pair in LIFECYCLE is there for nothing: some method takes it."""
    taken = {
        (SITUATIONS[situation].state, State(to))
        for situation, steps in ALLOWED.items()
        for method, to in steps.items()
        if method not in UNTOLD and (situation, method) not in NOTES
    }
    failing_for_good = METHODS["failed, transient"](evolve(SITUATIONS["running"], max_retries=0))
    refused_for_good = METHODS["launch_failed, transient"](evolve(SITUATIONS["locked"], max_retries=0))
    taken |= {(State.IN_PROGRESS, failing_for_good.state), (State.LOCKED, refused_for_good.state)}

    assert taken == {(before, after) for before, others in LIFECYCLE.items() for after in others}


def test_lifecycle_names_every_state() -> None:
    """The table has a row for each state."""
    assert set(LIFECYCLE) == set(State)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_ended_states_are_left_by_people_alone(situation: str) -> None:
    """What has ended is never due, and no monitor's method moves it."""
    workset = SITUATIONS[situation]
    by_monitors = set(METHODS) - {
        *("request_cancel", "retry", "ignore", "unignore", "archive", "restore", "delete"),
    }

    assert workset.ended is (workset.state in TERMINAL)
    if workset.ended:
        assert workset.settled(workset.debts).due_at is None
        assert not by_monitors & ALLOWED[situation].keys()


def test_nothing_that_was_complete_runs_again() -> None:
    """From ``complete``, no sequence of methods leads to a state from which a launch is possible."""
    reached = {"complete": SITUATIONS["complete"]}
    frontier = list(reached.values())
    while frontier:
        workset = frontier.pop()
        for method in METHODS.values():
            try:
                after = method(workset)
            except (IllegalTransitionError, LockHeldError):
                continue
            key = f"{after.state} {after.archived_from}"
            if key not in reached:
                reached[key] = after
                frontier.append(after)

    assert {workset.state for workset in reached.values()} == {
        State.COMPLETE,
        State.ARCHIVED,
        State.DELETED,
    }
