"""ObjectStateStore and ObjectCustomers on objects in memory, held to the contracts of their ports."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import BinaryIO

import pytest
from attrs import evolve

from daylily.adapters.memory.object_store import InMemoryObjectStore
from daylily.adapters.object_customers import ObjectCustomers
from daylily.adapters.object_state_store import HASTE, SETTLED, ObjectStateStore
from daylily.application.places import Places
from daylily.domain.errors import (
    AlreadyExistsError,
    ConcurrentUpdateError,
    DaylilyError,
    NotFoundError,
    UnavailableError,
)
from daylily.domain.lifecycle import State
from daylily.domain.workset import Workset
from daylily.ports.customers import Customers
from daylily.ports.object_store import ObjectInfo, ObjectStore
from daylily.ports.paging import every
from daylily.ports.state_store import Filter, StateStore, Unreadable
from daylily.testing.clock import ManualClock
from daylily.testing.contracts.customers import CustomersContract
from daylily.testing.contracts.state_store import StateStoreContract
from daylily.testing.faults import Blow, FaultInjector, Killed
from daylily.testing.samples import NOON, a_customer, a_workset, locked, running, settled

SECOND = timedelta(seconds=1)
FAR = NOON + timedelta(days=365)


class TestObjectStateStore(StateStoreContract):
    """The contract, with short pages of markers."""

    @pytest.fixture
    def store(self) -> StateStore:
        """Return an empty store."""
        return ObjectStateStore(InMemoryObjectStore(), ManualClock(), ahead=1)


class TestObjectCustomers(CustomersContract):
    """The contract."""

    @pytest.fixture
    def customers(self) -> Customers:
        """Return a store of no customers."""
        return ObjectCustomers(InMemoryObjectStore())


def keys(objects: ObjectStore, folder: str = "") -> list[str]:
    """Return the keys of all objects of a store, or of those in a folder of it."""
    prefix = f"worksets/.daylily/state/{folder}"
    found = every(lambda cursor: objects.list(prefix, cursor=cursor))
    return [info.key.removeprefix(prefix) for info in found]


def shown(store: StateStore, *, counts: bool = True) -> dict[str, list[str]]:
    """Return what each listing says, and see that each count says the same."""
    found = {
        "list": [each.workset_id for each in store.list(Filter()).items],
        "customer": [each.workset_id for each in store.list(Filter(customer_id="acme")).items],
        "queue": [each.workset_id for each in store.queue().items],
        "due": [each.workset_id for each in store.due(FAR).items],
    }
    for state in State:
        where = Filter(states=frozenset({state}))
        found[state] = [each.workset_id for each in store.list(where).items]
        assert not counts or store.count([state]) == len(found[state]), state
    return found


def expected(workset: Workset | None) -> dict[str, list[str]]:
    """Return what each listing has to say where that workset alone is stored, or none."""
    name = [] if workset is None else [workset.workset_id]
    state = None if workset is None else workset.state
    due = [] if workset is None or workset.due_at is None else name
    queue = name if state is State.READY else []
    listings = {"list": name, "customer": name, "queue": queue, "due": due}
    return listings | {each: name if each is state else [] for each in State}


# Crashes

STEPS: tuple[Callable[[Workset], Workset], ...] = (
    settled,
    locked,
    lambda w: w.release(w.fence, at=NOON, reason="no room"),
    lambda w: w.request_cancel(by="ada", at=NOON),
    lambda w: w.archive(by="ada", at=NOON),
)


def live(store: StateStore) -> None:
    """Go through a life from wherever it is; a step that is not its turn is left out."""
    if not store.known(["ws-1"]):
        store.add(a_workset())
    for number, step in enumerate(STEPS, start=2):
        workset = store.get("ws-1")
        if workset.version < number:
            store.save(step(workset))


def calls_of_a_life() -> int:
    """Return how many calls a life takes."""
    faults = FaultInjector()
    live(ObjectStateStore(faults.wrap(InMemoryObjectStore(), "objects"), ManualClock()))
    return len(faults.calls)


@pytest.mark.parametrize("blow", [Blow.DIES_BEFORE, Blow.DIES_AFTER])
def test_no_crash_loses_a_workset(blow: Blow) -> None:
    """Whichever call a writer dies at: listings show what is stored, and the life can go on."""
    for at in range(1, calls_of_a_life() + 1):
        clock = ManualClock()
        objects = InMemoryObjectStore(clock)
        faults = FaultInjector(at, blow)
        with suppress(Killed):  # a call that raises by itself kills nobody
            live(ObjectStateStore(faults.wrap(objects, "objects"), clock))

        store = ObjectStateStore(objects, clock)
        workset = store.get("ws-1") if store.known(["ws-1"]) else None
        assert shown(store, counts=False) == expected(workset), at
        assert store.count([State.LOCKED]) == (workset is not None and workset.state is State.LOCKED)
        live(store)
        assert store.get("ws-1").version == 6
        shown(store, counts=False)  # whoever lists puts the counts right
        assert shown(store) == expected(store.get("ws-1")), at
        # Nothing but the record and its own markers is left.
        assert len(keys(objects)) == 1 + len(keys(objects, "due/")) + 3, at


@pytest.mark.parametrize("blow", [Blow.OUTAGE_BEFORE, Blow.OUTAGE_AFTER])
def test_an_outage_is_told_or_harmless(blow: Blow) -> None:
    """Whichever call meets an outage: what was to be done can be done again."""
    for at in range(1, calls_of_a_life() + 1):
        objects = InMemoryObjectStore()
        store = ObjectStateStore(FaultInjector(at, blow).wrap(objects, "objects"), ManualClock())
        with suppress(UnavailableError):
            live(store)
        live(store)

        shown(store, counts=False)
        assert store.get("ws-1").version == 6
        assert shown(store) == expected(store.get("ws-1")), at


# Writers that are late


class _Paused(InMemoryObjectStore):
    """Lets something happen before a call of a certain name to a key."""

    before: tuple[str, str, Callable[[], object]] | None = None

    def _pause(self, name: str, key: str) -> None:
        if self.before is not None and self.before[0] == name and self.before[1] in key:
            _, _, happen = self.before
            self.before = None
            happen()

    def put(self, key: str, source: BinaryIO | bytes, *, if_absent: bool = False) -> ObjectInfo:
        """Pause, then put."""
        self._pause("put", key)
        return super().put(key, source, if_absent=if_absent)

    def replace(self, key: str, content: bytes, *, if_etag: str) -> bool:
        """Pause, then replace."""
        self._pause("replace", key)
        return super().replace(key, content, if_etag=if_etag)

    def delete(self, key: str, *, if_etag: str | None = None) -> bool:
        """Pause, then delete."""
        self._pause("delete", key)
        return super().delete(key, if_etag=if_etag)


def a_paused_store() -> tuple[_Paused, ObjectStateStore, ManualClock]:
    """Return a store that can be paused, with what is below it and beside it."""
    clock = ManualClock()
    objects = _Paused(clock)
    return objects, ObjectStateStore(objects, clock), clock


def test_a_late_removal_takes_nothing_from_those_who_came_since() -> None:
    """A writer that is slow to tidy up leaves what somebody has put back into the queue meanwhile."""
    objects, store, _ = a_paused_store()
    ready = store.add(settled(a_workset()))

    def put_back() -> None:
        taken = store.get("ws-1")
        store.save(settled(taken.release(taken.fence, at=NOON, reason="no room")))

    objects.before = ("delete", "queue/", put_back)
    store.save(settled(locked(ready)))

    assert shown(store) == expected(store.get("ws-1"))
    assert [each.state for each in store.queue().items] == [State.READY]


def test_a_reader_takes_nothing_from_a_writer() -> None:
    """What a reader finds superfluous, and a writer of that moment makes true, stays."""
    objects, store, clock = a_paused_store()
    taken = store.save(settled(locked(store.add(settled(a_workset())))))
    released = settled(taken.release(taken.fence, at=NOON, reason="no room"))

    def read() -> None:
        clock.advance(10 * SETTLED)
        assert store.queue().items == ()  # its marker stands there already, and stays

    objects.before = ("replace", "worksets/ws-1.json", read)
    store.save(released)

    assert shown(store) == expected(store.get("ws-1"))


def test_a_loser_leaves_the_winners_markers() -> None:
    """Two that take the same step at once put the same markers, of which the loser removes none."""
    objects, store, _ = a_paused_store()
    ready = store.add(settled(a_workset()))
    objects.before = ("replace", "ws-1.json", lambda: store.save(settled(locked(ready, owner="b"))))

    with pytest.raises(ConcurrentUpdateError):
        store.save(settled(locked(ready, owner="a")))
    assert store.get("ws-1").lock is not None
    assert shown(store) == expected(store.get("ws-1"))


def test_a_loser_takes_its_own_markers_along() -> None:
    """Of two different steps from one version, the one that loses leaves nothing behind."""
    objects, store, _ = a_paused_store()
    ready = store.add(settled(a_workset()))
    canceled = settled(ready.request_cancel(by="ada", at=NOON))
    objects.before = ("replace", "ws-1.json", lambda: store.save(settled(locked(ready))))

    with pytest.raises(ConcurrentUpdateError):
        store.save(canceled)
    assert keys(objects, "state/canceled/") == []
    assert shown(store) == expected(store.get("ws-1"))


def test_two_add_at_once() -> None:
    """Whoever is told that the id is taken leaves the other's markers, and none of its own."""
    objects, store, _ = a_paused_store()
    first = evolve(a_workset(at=NOON + SECOND), debts=())
    objects.before = ("put", "worksets/ws-1.json", lambda: store.add(first))

    with pytest.raises(AlreadyExistsError):
        store.add(a_workset())
    assert shown(store) == expected(store.get("ws-1"))
    assert len(keys(objects)) == 5


def test_an_add_that_takes_for_ever_is_found_all_the_same() -> None:
    """A reader may take the markers of one who fell asleep for left over: they are put again."""
    objects, store, clock = a_paused_store()

    def sleep() -> None:
        assert store.queue().items == ()
        clock.advance(SETTLED + HASTE)
        assert store.queue().items == ()
        assert keys(objects, "queue/") == []

    objects.before = ("put", "worksets/ws-1.json", sleep)
    added = store.add(a_workset())

    assert shown(store) == expected(added)


# Damage


def test_a_damaged_record_is_an_outage_of_one_workset() -> None:
    """It can neither be read nor replaced, a scan tells of it, and monitors get at all others."""
    objects = InMemoryObjectStore()
    store = ObjectStateStore(objects, ManualClock())
    store.add(a_workset("ws-2", at=NOON + SECOND))
    workset = store.add(a_workset())
    for damage in (b"", b"\xff", b"[]", b"{}", b'{"markers":1,"workset":{}}', b"[" * 100_000):
        objects.put("worksets/.daylily/state/worksets/ws-1.json", damage)

        with pytest.raises(UnavailableError):
            store.get("ws-1")
        with pytest.raises(UnavailableError):
            store.save(workset)
        assert [each.workset_id for each in store.queue().items] == ["ws-2"]
        damaged, sound = store.scan().items
        assert isinstance(damaged, Unreadable)
        assert (damaged.workset_id, sound.workset_id) == ("ws-1", "ws-2")


def test_what_else_lies_there_is_passed_over() -> None:
    """Objects that nobody here has written neither break a listing nor count as worksets."""
    objects = InMemoryObjectStore()
    store = ObjectStateStore(objects, ManualClock())
    added = store.add(a_workset())
    for name in ("worksets/a b.json", "worksets/~.json", "queue/x", "queue/0~ws-1~x", "due/0~no~1"):
        objects.put(f"worksets/.daylily/state/{name}", b"")

    assert [each.workset_id for each in store.queue().items] == ["ws-1"]
    assert [each.workset_id for each in store.due(FAR).items] == ["ws-1"]
    assert store.scan().items == (added,)
    assert store.known(["ws-1", "a b", "../x", ""]) == {"ws-1"}
    for bad in ("a b", "../x", ""):
        with pytest.raises(NotFoundError):
            store.get(bad)


def test_strange_customers_are_not_listed() -> None:
    """What has no name of a customer is passed over, and a damaged record is an outage."""
    objects = InMemoryObjectStore()
    customers = ObjectCustomers(objects)
    customers.add(a_customer())
    objects.put("worksets/.daylily/customers/a b", b"?")
    assert customers.list().items == (a_customer(),)

    objects.put("worksets/.daylily/customers/acme", b"\xff")
    with pytest.raises(UnavailableError):
        customers.get("acme")
    with pytest.raises(UnavailableError):
        customers.list()
    with pytest.raises(NotFoundError):
        customers.get("a b")


def test_all_of_it_is_where_no_workset_can_be() -> None:
    """The folders are those that the application keeps free, in the folder of worksets."""
    places = Places()
    assert ObjectStateStore(InMemoryObjectStore(), ManualClock()).folder == places.state
    assert ObjectCustomers(InMemoryObjectStore()).folder == places.customers
    assert Places(worksets="lab/").state == "lab/.daylily/state/"


def test_who_only_looks_removes_nothing() -> None:
    """Not even what somebody who died has left; it is passed over all the same."""
    clock = ManualClock()
    objects = InMemoryObjectStore(clock)
    store = ObjectStateStore(objects, clock, tidy=False)
    added = store.add(a_workset())
    left = ("queue/0~ws-1~1", "queue/0~gone~1")
    for name in left:
        objects.put(f"worksets/.daylily/state/{name}", b"")
    clock.advance(2 * SETTLED)

    assert store.queue().items == (added,)
    assert set(left) < {f"queue/{name}" for name in keys(objects, "queue/")}
    assert ObjectStateStore(objects, clock).queue().items == (added,)
    assert len(keys(objects, "queue/")) == 1


# Costs


def test_costs() -> None:
    """Calls go with what is found, and not with what is stored."""
    faults = FaultInjector()
    objects = faults.wrap(InMemoryObjectStore(), "objects")
    store = ObjectStateStore(objects, ManualClock())
    for number in range(200):
        ended = settled(running(a_workset(f"old-{number}"))).completed(at=NOON, actor="monitor-a")
        store.add(settled(ended))
    store.add(settled(a_workset()))

    def cost(call: Callable[[], object]) -> int:
        faults.calls.clear()
        call()
        return len(faults.calls)

    running_now = Filter(states=frozenset({State.IN_PROGRESS}))
    assert cost(lambda: store.get("ws-1")) == 1
    assert cost(lambda: store.queue()) == 2
    assert cost(lambda: store.due(FAR)) == 1
    assert cost(lambda: store.count([State.IN_PROGRESS])) == 1
    assert cost(lambda: store.count([State.COMPLETE])) == 1
    assert cost(lambda: store.list(running_now)) == 1
    assert cost(lambda: store.list(Filter(), limit=10)) == 11
    assert cost(lambda: store.known(["ws-1", "ws-2"])) == 2
    assert cost(lambda: store.known([f"old-{number}" for number in range(100)])) == 1
    assert cost(lambda: store.save(settled(locked(store.get("ws-1"))))) == 8


def test_threads_see_the_same() -> None:
    """With many calls at once a listing is what it is with one after the other."""
    objects = InMemoryObjectStore()
    one, many = (ObjectStateStore(objects, ManualClock(), threads=each) for each in (1, 8))
    for number in range(30):
        many.add(a_workset(f"ws-{number:02}", at=NOON + number * SECOND))
    many.save(settled(locked(many.get("ws-03"))))

    assert many.list(Filter()) == one.list(Filter())
    assert many.queue() == one.queue()
    assert many.scan() == one.scan()
    assert many.known(["ws-01", "ws-99"]) == {"ws-01"}


def test_an_outage_of_a_listing_is_no_empty_queue() -> None:
    """Where markers or records cannot be read, the caller is told."""
    objects = InMemoryObjectStore()
    ObjectStateStore(objects, ManualClock()).add(a_workset())
    for at in (1, 2):
        faults = FaultInjector(at, Blow.OUTAGE_BEFORE)
        store = ObjectStateStore(faults.wrap(objects, "objects"), ManualClock())
        with pytest.raises(DaylilyError):
            store.queue()
