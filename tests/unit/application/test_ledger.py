"""The ledger: what was stored is paid, whoever goes away meanwhile."""

import pytest
from attrs import evolve
from tests.unit.application.lab import Lab, Meanwhile, Wrapper

from daylily.application.ledger import TRIES, Ledger
from daylily.domain.debts import PostSentinel, SendNotice
from daylily.domain.errors import (
    AlreadyExistsError,
    ConcurrentUpdateError,
    NotFoundError,
    UnavailableError,
)
from daylily.domain.lifecycle import Priority, State
from daylily.domain.sentinels import Sentinel
from daylily.domain.workset import Workset
from daylily.testing.faults import Blow, FaultInjector
from daylily.testing.samples import a_manifest, a_workset, locked


@pytest.fixture
def lab() -> Lab:
    """A world in memory."""
    return Lab()


def ledger(lab: Lab, *wrappers: Wrapper) -> Ledger:
    """Return the ledger of a new App."""
    return lab.app(*wrappers).submit.ledger


def ready(workset_id: str = "ws-1") -> Workset:
    """Return a workset that can run here."""
    return a_workset(workset_id, manifest=a_manifest(pipeline="fastq-qc"))


def test_who_takes_an_id_first_has_it(lab: Lab) -> None:
    """The second is refused, and changes nothing."""
    first = ledger(lab).register(ready())
    with pytest.raises(AlreadyExistsError):
        ledger(lab).register(ready())
    assert lab.get("ws-1") == first


def test_an_outage_does_not_hide_that_an_id_is_taken(lab: Lab) -> None:
    """The workset found after an outage is somebody else's."""
    ledger(lab).register(evolve(ready(), submitted_by="bob"))
    with pytest.raises(AlreadyExistsError):
        ledger(lab, FaultInjector(1, Blow.OUTAGE_BEFORE)).register(ready())


def test_what_others_have_gone_on_with_is_left_to_them(lab: Lab) -> None:
    """Its registrar learns late that it was stored: a write of its own would cost them their lock."""
    faults = FaultInjector(1, Blow.OUTAGE_AFTER)
    lock = Meanwhile("store.get", lambda: lab.store.save(locked(lab.get("ws-1"))))
    assert ledger(lab, faults, lock).register(ready()) == lab.get("ws-1")
    assert (lab.get("ws-1").state, lab.get("ws-1").version) == (State.LOCKED, 2)


def test_a_workset_that_was_not_stored_is_told_as_the_outage(lab: Lab) -> None:
    """Not as "not found", which says nothing to somebody who wants to store."""
    with pytest.raises(UnavailableError):
        ledger(lab, FaultInjector(1, Blow.OUTAGE_BEFORE)).register(ready())
    with pytest.raises(UnavailableError):
        ledger(lab, FaultInjector(1, Blow.OUTAGE_BEFORE, length=2)).register(ready())
    assert lab.worksets() == ()


def test_notices_do_not_wait_for_the_directory_nor_it_for_them(lab: Lab) -> None:
    """Each creditor stops at what it cannot take; the others are paid."""
    workset = lab.store.add(ready())
    down = FaultInjector(1, Blow.OUTAGE_BEFORE)
    payment = ledger(lab, down).pay(workset)
    assert payment.directory_in_debt
    assert payment.paid == 1
    assert lab.sent() == ["registered"]
    assert lab.ours("ws-1") == {}

    down = FaultInjector(1, Blow.OUTAGE_BEFORE, on="notifier.send")
    payment = ledger(lab, down).pay(workset)
    assert not payment.directory_in_debt
    assert [type(debt) for debt in payment.workset.debts] == [SendNotice]


def test_nothing_paid_is_nothing_to_save(lab: Lab) -> None:
    """A payment that came to nothing costs no write."""
    workset = lab.store.add(ready())
    calls = FaultInjector(1, Blow.OUTAGE_BEFORE, length=99)
    books = ledger(lab, calls)
    assert books.settle(books.pay(workset)) == workset
    assert "store.save" not in calls.calls


def test_what_somebody_else_put_there_is_told(lab: Lab) -> None:
    """A sentinel that stands there already is left, and no longer owed."""
    lab.put("ws-1", Sentinel.READY, b"theirs")
    payment = ledger(lab).pay(lab.store.add(ready()))
    assert payment.refused == {Sentinel.READY}
    assert not any(isinstance(debt, PostSentinel) for debt in payment.workset.debts)
    assert lab.folder("ws-1").sentinels[Sentinel.READY].detail == "theirs"


def test_a_wish_is_put_again_to_what_has_moved_on(lab: Lab) -> None:
    """Somebody else's change in between is kept."""
    books = ledger(lab)
    books.register(ready())
    moved = False

    def step(workset: Workset) -> Workset:
        nonlocal moved
        if not moved:
            moved = True
            lab.store.save(evolve(workset, priority=Priority.URGENT))
        return workset.ignore(by="ada", at=lab.clock())

    assert books.update("ws-1", step).state is State.IGNORED
    assert lab.get("ws-1").priority is Priority.URGENT


def test_a_wish_is_not_put_for_ever(lab: Lab) -> None:
    """Others who would not let up win, and are told of."""
    books = ledger(lab)
    books.register(ready())
    tried = 0

    def step(workset: Workset) -> Workset:
        nonlocal tried
        tried += 1
        lab.store.save(workset)
        return workset.ignore(by="ada", at=lab.clock())

    with pytest.raises(ConcurrentUpdateError):
        books.update("ws-1", step)
    assert tried == TRIES
    with pytest.raises(NotFoundError):
        books.update("ws-2", step)


def test_a_debtor_who_was_overtaken_leaves_the_debts_to_the_other(lab: Lab) -> None:
    """Striking off what was paid never undoes what another has stored."""
    books = ledger(lab)
    workset = lab.store.add(ready())
    lab.store.save(evolve(workset, priority=Priority.LOW))
    assert books.settle(books.pay(workset)).priority is Priority.NORMAL
    assert lab.get("ws-1").priority is Priority.LOW


def test_a_debtor_who_was_too_slow_takes_back_what_it_posted(lab: Lab) -> None:
    """The other has withdrawn the sentinel already, and nobody would look for it again."""
    books = ledger(lab)
    slow = lab.store.add(ready())
    books.rest(slow.ignore(by="ada", at=lab.clock()))
    books.settle(books.pay(slow))
    lab.check()


def test_a_slow_debtor_leaves_what_is_to_be_there(lab: Lab) -> None:
    """Only what the present state does not show is taken back."""
    books = ledger(lab)
    slow = lab.store.add(ready())
    lab.store.save(evolve(slow, priority=Priority.LOW))
    books.settle(books.pay(slow))
    assert set(lab.ours("ws-1")) == {Sentinel.READY}


def test_what_a_slow_debtor_cannot_take_back_stays(lab: Lab) -> None:
    """The step of the other stands; an outage while tidying up is nobody's failure."""
    slow = lab.store.add(ready())
    ledger(lab).rest(slow.ignore(by="ada", at=lab.clock()))
    books = ledger(lab, FaultInjector(1, Blow.OUTAGE_BEFORE, on="store.get"))
    books.settle(books.pay(slow))
    assert lab.get("ws-1").state is State.IGNORED
