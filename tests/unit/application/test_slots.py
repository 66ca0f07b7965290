"""How many worksets of a customer run: never more than agreed upon, whoever launches."""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve
from tests.integration.service.service import Service

from daylily.adapters.memory.customers import InMemoryCustomers
from daylily.adapters.memory.documents import InMemoryDocumentStore
from daylily.adapters.memory.state_store import InMemoryStateStore
from daylily.application.room import Limits
from daylily.application.slots import UNBOUNDED, Slots
from daylily.domain.errors import NotSetUpError, UnavailableError
from daylily.domain.lifecycle import State
from daylily.domain.workset import Workset
from daylily.ports.documents import Document, DocumentStore
from daylily.testing.clock import ManualClock
from daylily.testing.racing import race
from daylily.testing.samples import NOON, a_customer, a_workset, locked


class Yard:
    """Stores, a customer who may run two worksets, and whose worksets are locked when asked for."""

    def __init__(self, limit: int = 2, documents: DocumentStore | None = None) -> None:
        self.clock = ManualClock()
        self.store = InMemoryStateStore()
        self.customers = InMemoryCustomers()
        self.customers.add(evolve(a_customer(), max_concurrent_worksets=limit))
        self.documents = documents or InMemoryDocumentStore(self.clock)
        limits = Limits(self.customers, self.clock)
        self.slots = Slots(self.documents, self.store, limits)

    def locked(self, name: str) -> Workset:
        """Add a workset, and lock it."""
        return self.store.save(locked(self.store.add(a_workset(name))))

    def release(self, workset: Workset) -> Workset:
        """Let go of a lock."""
        return self.store.save(workset.release(workset.fence, at=NOON, reason="enough"))

    def held(self) -> list[str]:
        """Return who holds slots."""
        found: list[str] = json.loads(self.documents.get("slots", "acme", "running").body)
        return found


def test_as_many_as_agreed_upon() -> None:
    """The third has to wait; who has a slot keeps it, however often it asks."""
    yard = Yard()
    first, second, third = map(yard.locked, ("ws-1", "ws-2", "ws-3"))
    assert [yard.slots.take(each) for each in (first, second, third, first)] == [
        True, True, False, True,
    ]  # fmt: skip
    assert sorted(yard.held()) == ["ws-1", "ws-2"]


def test_a_slot_is_free_when_its_workset_is() -> None:
    """One that was let go of, and one that is not there at all, make room."""
    yard = Yard()
    first, second, third = map(yard.locked, ("ws-1", "ws-2", "ws-3"))
    assert yard.slots.take(first)
    assert yard.slots.take(second)
    yard.release(first)
    assert yard.slots.take(third)
    assert sorted(yard.held()) == ["ws-2", "ws-3"]
    found = yard.documents.get("slots", "acme", "running")
    yard.documents.replace(evolve(found, body='["gone", "ws-2"]'))
    assert yard.slots.take(third)


def test_one_that_is_locked_again_meanwhile_keeps_its_slot() -> None:
    """Between the look at a workset and the write, its monitor locks it again: it wins."""
    yard = Yard(limit=1)
    first, second = map(yard.locked, ("ws-1", "ws-2"))
    assert yard.slots.take(first)
    let_go = yard.release(first)
    real = yard.store.get
    seen: list[str] = []

    def meanwhile(workset_id: str) -> Workset:
        found = real(workset_id)
        if not seen:
            seen.append(workset_id)
            again = yard.store.save(locked(let_go))
            assert yard.slots.take(again)
        return found

    looking = type("Looking", (), {"get": staticmethod(meanwhile)})()
    other = Slots(yard.documents, looking, yard.slots.limits)
    assert not other.take(second)
    assert yard.held() == ["ws-1"]


def test_many_at_once() -> None:
    """Of 32 threads, as many get a slot as there are."""
    yard = Yard(limit=5)
    worksets = [yard.locked(f"ws-{number}") for number in range(32)]
    assert race(lambda n: yard.slots.take(worksets[n])).count(True) == 5
    assert len(yard.held()) == 5


class Gate(InMemoryDocumentStore):
    """A store whose first answer waits until others wait for one too, and may be none."""

    def __init__(self, slots: Callable[[], Slots], others: int, failing: bool) -> None:
        super().__init__(ManualClock())
        self.slots, self.others, self.failing = slots, others, failing
        self.asked = self.written = 0

    def add(self, document: Document) -> Document:
        self.written += 1
        return super().add(document)

    def replace(self, document: Document) -> Document:
        self.written += 1
        return super().replace(document)

    def get(self, kind: str, partition: str, key: str) -> Document:
        self.asked += 1
        if self.asked == 1:
            while len(self.slots()._waiting) < self.others:
                time.sleep(0.001)
            if self.failing:
                raise UnavailableError("no answer")
        return super().get(kind, partition, key)


@pytest.mark.parametrize(("failing", "granted"), [(False, 5), (True, 4)])
def test_one_asks_for_all_that_wait(failing: bool, granted: int) -> None:
    """Threads of one monitor share what they ask; whose asking fails fails for itself alone."""
    documents = Gate(lambda: yard.slots, 31, failing)
    yard = Yard(limit=5, documents=documents)
    if failing:
        yard.customers.save(yard.customers.get("acme"), evolve(a_customer(), max_concurrent_worksets=4))
    worksets = [yard.locked(f"ws-{number:02}") for number in range(32)]

    def take(number: int) -> bool | None:
        try:
            return yard.slots.take(worksets[number])
        except UnavailableError:
            return None

    taken = race(take)
    assert (taken.count(True), taken.count(None)) == (granted, int(failing))
    assert len(yard.held()) == granted
    assert documents.written == 2 - failing
    assert yard.slots._waiting == []


@pytest.mark.parametrize("limit", [UNBOUNDED, 10**6])
def test_whoever_is_bounded_by_the_installation_alone(limit: int) -> None:
    """Costs no call."""
    yard = Yard(limit)
    assert yard.slots.take(yard.locked("ws-1"))
    assert yard.documents.list("slots", "acme").items == ()


def test_worksets_of_nobody_and_of_odd_names() -> None:
    """Nothing was agreed upon for them."""
    yard = Yard()
    for customer in ("nobody", "a b"):
        workset = evolve(yard.locked("ws-1"), customer_id=customer)
        assert yard.slots.take(workset)
        yard = Yard()


def test_without_a_place_for_documents(caplog: pytest.LogCaptureFixture) -> None:
    """Where an older policy does not let a monitor at the table, it counts as before, and says so."""

    class Missing:
        def get(self, *_: str) -> Document:
            raise NotSetUpError("no table")

    missing: Any = Missing()
    yard = Yard(documents=missing)
    for name in ("ws-1", "ws-2", "ws-3"):
        assert yard.slots.take(yard.locked(name))
    assert caplog.text.count("counting alone") == 1


def test_a_limit_that_was_lowered() -> None:
    """What runs goes on; nothing more is launched until there is room."""
    yard = Yard()
    first, second, third = map(yard.locked, ("ws-1", "ws-2", "ws-3"))
    assert yard.slots.take(first)
    assert yard.slots.take(second)
    customer = yard.customers.get("acme")
    yard.customers.save(customer, evolve(customer, max_concurrent_worksets=1))
    yard.clock.advance(timedelta(minutes=2))
    yard.release(first)
    assert not yard.slots.take(third)


def test_who_finds_none_lets_go_again() -> None:
    """A launcher that had counted before another launched: its workset is ready as before."""
    service = Service.new()
    customers, start = service.app.world.customers, service.app.cycle.start
    customers.save(customers.get("local"), evolve(customers.get("local"), max_concurrent_worksets=1))
    first, second = (service.app.world.store.get(service.submitted_directly()) for _ in range(2))
    assert start(first, "monitor-a").state is State.IN_PROGRESS
    waiting = start(second, "monitor-b")
    assert (waiting.state, waiting.lock) == (State.READY, None)
    assert "as many worksets running as it may" in waiting.history[-1].reason
