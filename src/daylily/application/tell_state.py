"""Take in what a person or another system says has become of a workset, as far as the domain allows."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from attrs import frozen

from daylily.application.cancel_workset import CancelWorkset
from daylily.application.ledger import Ledger
from daylily.application.lock_workset import released
from daylily.domain.customers import Principal
from daylily.domain.errors import IllegalTransitionError, InvalidInputError
from daylily.domain.lifecycle import State
from daylily.domain.workset import Workset
from daylily.ports.clock import Clock

_NOBODY_SAYS: Final = {
    State.LOCKED: "a lock has an owner: acquire it",
    State.RETRYING: "whether to retry is the retry policy's to say: tell the error",
    State.FAILED: "whether retries are used up is the retry policy's to say: tell the error",
}


@frozen
class Told:
    """Who says what of a workset."""

    state: State
    reason: str
    by: str
    """A person, or whoever holds the lock."""
    at: datetime


@frozen
class TellState:
    """
    Move a workset to the state that somebody says it is in, by the steps that the domain has for it.

    What an engine of ours is at, only that engine can say; everybody else can ask for a cancel.
    """

    cancel: CancelWorkset
    ledger: Ledger
    clock: Clock

    def __call__(
        self,
        who: Principal,
        workset_id: str,
        state: State,
        reason: str,
        *,
        directory: bool = True,
        version: int | None = None,
    ) -> Workset:
        """
        Return the workset after the step.

        Args:
            who: Also the owner of the lock, where there is one.
            directory: False leaves it to monitors to show the step in the workset's directory; a
                cancel is always shown at once.
            version: The one that the caller has seen; None takes whatever is stored.

        Raises:
            NotFoundError: There is none that the caller may see.
            InvalidInputError: It is not for anybody to say of a workset that it is in that state.
            IllegalTransitionError: The domain has no such step from where the workset is.
            LockHeldError: Somebody else holds the lock.
            StaleVersionError: Another version is stored.
        """
        if state in _NOBODY_SAYS:
            raise InvalidInputError.of("state", f"cannot be set to {state}: {_NOBODY_SAYS[state]}")
        if state is State.CANCELED:
            return self.cancel(who, workset_id, reason, version=version)
        self.cancel.read.get(who, workset_id)

        def step(workset: Workset) -> Workset:
            # The time is that of the step: what was stored while it was asked for came before it.
            return _STEPS[state](workset, Told(state, reason, by=who.name, at=self.clock()))

        return self.ledger.update(workset_id, step, directory=directory, version=version)


def _ready(workset: Workset, told: Told) -> Workset:
    if workset.lock is not None:
        return released(workset, told.by, at=told.at, reason=told.reason)
    if workset.state is State.IGNORED:
        return workset.unignore(by=told.by, at=told.at)
    return workset.retry(by=told.by, at=told.at, reason=told.reason)


def _begun(workset: Workset, told: Told) -> Workset:
    if workset.lock is not None:
        return workset.handed_over(told.by, at=told.at, reason=told.reason)
    if workset.foreign_run:
        raise IllegalTransitionError(f"{workset.workset_id} is {workset.state} already")
    return _adopted(workset, told)


def _adopted(workset: Workset, told: Told) -> Workset:
    return workset.adopt(told.state, at=told.at, reason=told.reason, actor=told.by, shown=False)


_STEPS: Final[Mapping[State, Callable[[Workset, Told], Workset]]] = {
    State.READY: _ready,
    State.IN_PROGRESS: _begun,
    State.COMPLETE: _adopted,
    State.ERROR: _adopted,
    State.IGNORED: lambda workset, told: workset.ignore(by=told.by, at=told.at),
    State.ARCHIVED: lambda workset, told: workset.archive(by=told.by, at=told.at),
    State.DELETED: lambda workset, told: workset.delete(by=told.by, at=told.at),
}
