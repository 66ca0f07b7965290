"""The net that holds the fleet catches what it is there for: each of these defects is found by it."""

import itertools
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from random import Random
from typing import Any, cast

import pytest
from attrs import evolve
from tests.unit.application.crash_scenarios import completes, perform
from tests.unit.application.fleet import (
    Cast,
    Fleet,
    WitnessedCompute,
    WitnessedObjects,
    random_cast,
)
from tests.unit.application.lab import ADA, Lab, Meanwhile
from tests.unit.application.test_given_up import end_what_runs, heir_goes_on, let_go
from tests.unit.application.test_races import (
    a_slow_monitor_and_an_old_one,
    a_stalled_monitor_and_a_cancel,
    two_monitors_and_an_old_one,
)
from tests.unit.application.test_settle_launch import in_doubt as left_in_doubt

from daylily.adapters.memory.compute import InMemoryCompute
from daylily.adapters.memory.object_store import InMemoryObjectStore
from daylily.adapters.memory.state_store import InMemoryStateStore
from daylily.adapters.sentinel_store import ObjectSentinelStore
from daylily.application import start_workset
from daylily.application.ledger import Ledger, Payment
from daylily.application.others import Others
from daylily.application.poll_worksets import PollWorksets
from daylily.application.settle_launch import SettleLaunch
from daylily.application.start_workset import StartWorkset
from daylily.domain.debts import Debt, SendNotice
from daylily.domain.errors import ConcurrentUpdateError, NotFoundError, UnavailableError
from daylily.domain.lifecycle import LIFECYCLE, State
from daylily.domain.sentinels import Sentinel, SentinelBody
from daylily.domain.workset import CancelRequest, Lock, Workset
from daylily.ports.compute import JobStatus, Phase
from daylily.testing.faults import Blow, FaultInjector
from daylily.testing.interleave import explore
from daylily.testing.samples import NOON
from daylily.testing.scripts import random_happenings

Patch = pytest.MonkeyPatch


def save_without_condition(patch: Patch) -> None:
    """The store takes whatever version it is given."""
    save = InMemoryStateStore.save

    def mutated(self: InMemoryStateStore, workset: Workset) -> Workset:
        return save(self, evolve(workset, version=self.get(workset.workset_id).version))

    patch.setattr(InMemoryStateStore, "save", mutated)


def add_without_condition(patch: Patch) -> None:
    """The store takes a new workset for one that is there."""
    add = InMemoryStateStore.add

    def mutated(self: InMemoryStateStore, workset: Workset) -> Workset:
        with suppress(NotFoundError):
            there = self.get(workset.workset_id)
            return self.save(evolve(workset, version=there.version))
        return add(self, workset)

    patch.setattr(InMemoryStateStore, "add", mutated)


def put_without_condition(patch: Patch) -> None:
    """The bucket takes an object for one that is there."""
    put = InMemoryObjectStore.put

    def mutated(self: InMemoryObjectStore, key: str, source: Any, *, if_absent: bool = False) -> Any:
        return put(self, key, source)

    patch.setattr(InMemoryObjectStore, "put", mutated)


def delete_without_condition(patch: Patch) -> None:
    """The bucket deletes an object that has been replaced since it was looked at."""
    delete = WitnessedObjects.delete

    def mutated(self: WitnessedObjects, key: str, *, if_etag: str | None = None) -> bool:
        found = self._objects.get(key)
        return delete(self, key, if_etag=found.info.etag if found and if_etag else if_etag)

    patch.setattr(WitnessedObjects, "delete", mutated)


def withdraw_whatever_it_is(patch: Patch) -> None:
    """A late hand withdraws sentinels of ours that show later transitions."""
    withdraw = ObjectSentinelStore.withdraw_all
    patch.setattr(
        ObjectSentinelStore,
        "withdraw_all",
        lambda self, workset_id, stale: withdraw(self, workset_id, dict.fromkeys(stale, 10**8)),
    )


def debts_forgotten(patch: Patch) -> None:
    """What could not be paid is struck off with what was."""
    pay = Ledger.pay

    def mutated(self: Ledger, workset: Workset, **named: Any) -> Payment:
        payment = pay(self, workset, **named)
        return evolve(payment, workset=evolve(payment.workset, debts=()))

    patch.setattr(Ledger, "pay", mutated)


def notices_before_the_write(patch: Patch) -> None:
    """People are told first, and the step is stored then: two writes, swapped."""
    save = Ledger.rest

    def mutated(self: Ledger, workset: Workset, **named: Any) -> Workset:
        for debt in workset.debts:
            if isinstance(debt, SendNotice):
                with suppress(UnavailableError):
                    self.notifier.send(debt.event)
        return save(self, workset, **named)

    patch.setattr(Ledger, "rest", mutated)


def notices_under_new_ids(patch: Patch) -> None:
    """Each time a notice is sent, it has another id."""
    numbers = itertools.count()
    pay = Ledger._pay

    def mutated(
        self: Ledger, workset: Workset, debts: tuple[Debt, ...]
    ) -> tuple[Workset, frozenset[Any]]:
        debt = debts[0]
        if isinstance(debt, SendNotice):
            head, number, kind = debt.event.event_id.rsplit("-", 2)
            other = f"{head}.{next(numbers)}-{number}-{kind}"
            debts = (SendNotice(evolve(debt.event, event_id=other)),)
        return pay(self, workset, debts)

    patch.setattr(Ledger, "_pay", mutated)


def launch_before_the_sign(patch: Patch) -> None:
    """The engine is asked before ``daylily.in_progress`` stands there: two writes, swapped."""
    show, launch = StartWorkset._show_in_progress, StartWorkset._launch

    def launches(self: StartWorkset, locked: Workset) -> Workset:
        launched = launch(self, locked)
        show(self, locked)
        return launched

    patch.setattr(StartWorkset, "_show_in_progress", lambda self, locked: True)
    patch.setattr(StartWorkset, "_launch", launches)


def launch_before_the_intent(patch: Patch) -> None:
    """The engine is asked before the lock is stored: two writes, swapped."""
    call = StartWorkset.__call__

    def mutated(
        self: StartWorkset, workset: Workset, owner: str, cluster: str | None = None
    ) -> Workset:
        job = self.job(workset)
        self.engines.of(cluster).submit(job)
        return call(self, workset, owner, cluster)

    patch.setattr(StartWorkset, "__call__", mutated)


def token_not_checked(patch: Patch) -> None:
    """Whoever has held a lock may use the one that stands there now."""

    def mutated(self: Workset, token: int) -> Lock:
        assert self.lock is not None
        return self.lock

    def save(self: InMemoryStateStore, workset: Workset) -> Workset:
        stored = self.get(workset.workset_id)
        return real(self, evolve(workset, version=max(workset.version, stored.version)))

    real = InMemoryStateStore.save
    patch.setattr(Workset, "_holder", mutated)
    patch.setattr(InMemoryStateStore, "save", save)


def the_engine_not_asked(patch: Patch) -> None:
    """A lock that was taken over is given up without a word to the engine."""

    def mutated(self: SettleLaunch, locked: Workset, actor: str, reason: str) -> Workset:
        assert locked.lock is not None
        own = evolve(locked, lock=evolve(locked.lock, inherited=False))
        return self.ledger.rest(own.release(own.fence, at=self.clock(), reason=reason))

    patch.setattr(SettleLaunch, "__call__", mutated)
    patch.setattr(SettleLaunch, "known", lambda *_: None)


def giving_up_not_noted(patch: Patch) -> None:
    """Whoever gives a launch up tells the engine, and has not stored that it does."""
    patch.setattr(Workset, "giving_up", lambda self: self)


def held_jobs_stay_held(patch: Patch) -> None:
    """An engine leaves what nobody has let go as it is, whoever asks how it stands."""
    patch.setattr(WitnessedCompute, "status", InMemoryCompute.status)


def another_key_at_each_grant(patch: Patch) -> None:
    """A launcher that takes a lock over submits under a key of its own."""

    def mutated(self: Workset) -> str:
        number = self.running.number if self.running else len(self.attempts) + max(self.fence, 1)
        return f"{self.workset_id}/{number}"

    patch.setattr(Workset, "attempt_key", property(mutated))


def silence_taken_for_failure(patch: Patch) -> None:
    """An engine that does not answer is taken to have lost the job (D-27)."""
    ask = PollWorksets._ask

    def mutated(self: PollWorksets, *arguments: Any) -> Any:
        try:
            return ask(self, *arguments)
        except UnavailableError:
            worksets = arguments[0]
            phase = Phase.FAILED
            return {w.attempt_key: JobStatus(phase=phase, job=w.attempt_key) for w in worksets}, {}

    patch.setattr(PollWorksets, "_ask", mutated)


def cancel_without_the_engine(patch: Patch) -> None:
    """A cancel is recorded at once, whatever the engine does."""

    def mutated(self: Workset, *, by: str, at: Any, reason: str = "") -> Workset:
        request = CancelRequest(by=by, at=at, reason=reason)
        return evolve(self, cancel=request).canceled(at=at, actor=by)

    patch.setattr(Workset, "request_cancel", mutated)


def old_monitors_not_heeded(patch: Patch) -> None:
    """What others have put into a directory says nothing."""
    patch.setattr(Others, "foreign", property(lambda self: frozenset()))


def late_sentinels_left(patch: Patch) -> None:
    """A sentinel that was posted too late stays where nobody expects it."""
    patch.setattr(Ledger, "retract", lambda *_: None)


def slow_launchers_go_on(patch: Patch) -> None:
    """However long ago the directory was looked at, the workset is launched."""
    patch.setattr(start_workset, "LAUNCH_WINDOW", start_workset.LAUNCH_WINDOW * 10_000)


def complete_runs_again(patch: Patch) -> None:
    """A workset that is complete may be made ready again (D-01)."""
    patch.setitem(cast("dict[State, frozenset[State]]", LIFECYCLE), State.COMPLETE, frozenset(State))

    def mutated(self: Workset, *, by: str, at: Any, **_: Any) -> Workset:
        return self._enter(State.READY, at, f"retry requested by {by}", by)

    patch.setattr(Workset, "retry", mutated)


def fleets() -> None:
    """Whole fleets under a few hundred drawn schedules, the same each time."""
    for number in range(1, 300):
        chance = Random(number)  # noqa: S311 - to be the same each time
        Fleet(random_cast(chance), random_happenings(chance)).perform()


def beside_an_old_one() -> None:
    """Two monitors and an old one, wherever the turn is taken three times."""
    explore(two_monitors_and_an_old_one, switches=3, limit=1500)


def slow_beside_an_old_one() -> None:
    """A monitor that stalls and an old one, wherever the turn is taken twice."""
    explore(a_slow_monitor_and_an_old_one, switches=2)


def given_up() -> None:
    """A launch that is taken over and given up, though the engine has it."""
    lab = Lab()
    too_late = Meanwhile("objects.browse", lambda: lab.clock.advance(timedelta(seconds=30)))
    workset = left_in_doubt(lab, Blow.OUTAGE_AFTER)
    app = lab.app(too_late)
    app.cycle.start(workset, app.cycle.owner)
    lab.app().cancel(ADA, workset.workset_id)
    lab.drain(lab.app())
    running = [key for key, job in lab.compute.all().items() if job.phase is Phase.RUNNING]
    assert not running, "it is canceled, and runs"


def given_up_late() -> None:
    """Somebody who gives a launch up stalls before the engine is told, and an heir goes on."""
    lab = Lab()
    workset = left_in_doubt(lab, Blow.OUTAGE_BEFORE)
    with suppress(ConcurrentUpdateError):
        let_go(lab, workset, Meanwhile("compute.cancel", heir_goes_on(lab, workset)))
    lab.drain(lab.app(), between=lambda: end_what_runs(lab))
    assert lab.get(workset.workset_id).state is State.COMPLETE


def dead_at_any_call() -> None:
    """A lone launcher that dies at any of its calls, also after its job was taken and is held yet."""
    alone = Cast(monitors=1, cycles=1)
    undisturbed = Fleet(alone)
    undisturbed.perform()
    for at in range(1, len(undisturbed.interleaving.log) + 2):
        Fleet(alone, {at: Blow.DIES_BEFORE}).perform()


def withdrawn_late() -> None:
    """A monitor that is slow to withdraw what a later step of the workset has posted anew."""
    sentinels = ObjectSentinelStore(InMemoryObjectStore())
    sentinels.post("ws-1", Sentinel.READY, SentinelBody(NOON, "tried again", 4))
    sentinels.withdraw("ws-1", Sentinel.READY, 2)
    assert sentinels.look("ws-1").sentinels, "it shows nothing of what it is"


def stalled_and_canceled() -> None:
    """A monitor that stalls, and a cancel that is seen through meanwhile."""
    explore(a_stalled_monitor_and_a_cancel, switches=1)


def silent_engine() -> None:
    """An engine that does not answer once, which must change nothing about the end."""
    struck = perform(completes, FaultInjector(1, Blow.OUTAGE_BEFORE, on="compute.status"))
    assert struck == perform(completes, FaultInjector())


CAUGHT_BY: dict[Callable[[Patch], None], Callable[[], None]] = {
    save_without_condition: fleets,
    add_without_condition: fleets,
    put_without_condition: beside_an_old_one,
    delete_without_condition: fleets,
    withdraw_whatever_it_is: withdrawn_late,
    debts_forgotten: fleets,
    notices_before_the_write: fleets,
    notices_under_new_ids: fleets,
    launch_before_the_sign: fleets,
    launch_before_the_intent: fleets,
    token_not_checked: fleets,
    the_engine_not_asked: given_up,
    giving_up_not_noted: given_up_late,
    held_jobs_stay_held: dead_at_any_call,
    another_key_at_each_grant: fleets,
    silence_taken_for_failure: silent_engine,
    cancel_without_the_engine: fleets,
    old_monitors_not_heeded: fleets,
    late_sentinels_left: stalled_and_canceled,
    slow_launchers_go_on: slow_beside_an_old_one,
    complete_runs_again: fleets,
}


@pytest.mark.load
@pytest.mark.parametrize("mutation", CAUGHT_BY, ids=lambda mutation: mutation.__name__)
def test_every_defect_is_caught(
    mutation: Callable[[Patch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A defect that is put into the code makes its part of the net fail."""
    mutation(monkeypatch)
    with pytest.raises(AssertionError):
        CAUGHT_BY[mutation]()


NETS = (
    fleets,
    beside_an_old_one,
    slow_beside_an_old_one,
    stalled_and_canceled,
    silent_engine,
    given_up,
    given_up_late,
    dead_at_any_call,
    withdrawn_late,
)


@pytest.mark.load
@pytest.mark.parametrize("net", NETS, ids=lambda net: net.__name__)
def test_without_a_defect_nothing_is_caught(net: Callable[[], None]) -> None:
    """No part of the net finds anything in the code as it is."""
    net()
