"""What every StateStore owes."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import pytest
from attrs import evolve

from daylily.domain.errors import (
    AlreadyExistsError,
    ConcurrentUpdateError,
    CursorError,
    DaylilyError,
    InvalidInputError,
    NotFoundError,
)
from daylily.domain.lifecycle import Priority, State
from daylily.domain.results import SampleOutcome
from daylily.domain.retry import ErrorCategory, Failure, RetryPolicy
from daylily.domain.workset import Progress, Transition, Workset
from daylily.ports.paging import Page, every
from daylily.ports.state_store import Filter, StateStore
from daylily.testing.racing import RUNNERS, race
from daylily.testing.samples import LOCK_TIMEOUT, NOON, a_manifest, a_workset, locked, running, settled

T = TypeVar("T")

SECOND = timedelta(seconds=1)
EVERYTHING = Filter()

RACES = 10
"""How many worksets are raced for: one may come out well by luck, but hardly all."""

GARBAGE_CURSORS = (
    "",
    "x",
    "not a cursor",
    "ws-1",
    "W10",  # base64 of []
    "WyJsaXN0Il0",  # base64 of ["list"]
    "WyJsaXN0IiwxLDJd",  # base64 of ["list",1,2]
    "eyJhIjoxfQ",  # base64 of {"a":1}
    "' OR 1=1 --",
    "é",
    "A" * 100_000,
)


def ids(page: Page[Workset]) -> list[str]:
    """Return the ids on a page, in its order."""
    return [workset.workset_id for workset in page.items]


def whole_history(store: StateStore, workset_id: str, *, limit: int = 100) -> list[Transition]:
    """Return all pages of a workset's history, latest first."""
    return list(every(lambda cursor: store.history(workset_id, cursor=cursor, limit=limit)))


class SequentialStateStoreContract:
    """
    The contract as far as one caller can tell.

    For engines whose threads prove nothing, such as moto; of any other it asks too little.
    """

    @pytest.fixture
    def store(self) -> StateStore:
        """Return an empty store."""
        raise NotImplementedError("override the fixture `store` with one that returns an empty store")

    def catch_up(self, store: StateStore) -> None:
        """Wait until queues and listings show what is stored; for stores in which they lag."""

    # add

    def test_what_is_added_can_be_read(self, store: StateStore) -> None:
        """A new workset is returned under version 1, and reads back equal."""
        added = store.add(a_workset())

        assert added == evolve(a_workset(), version=1)
        assert store.get("ws-1") == added

    def test_an_id_is_added_once(self, store: StateStore) -> None:
        """A second workset of the same id is refused, and the first is left as it is."""
        first = store.add(a_workset())

        with pytest.raises(AlreadyExistsError):
            store.add(a_workset(name="Another", priority=Priority.URGENT))
        assert store.get("ws-1") == first

    def test_add_ignores_the_version_it_is_given(self, store: StateStore) -> None:
        """The first version is 1, whatever the caller's copy says."""
        assert store.add(evolve(a_workset(), version=7)).version == 1

    # get

    def test_an_unknown_id_is_not_found(self, store: StateStore) -> None:
        """An id that was never added raises, and does not return something empty."""
        with pytest.raises(NotFoundError):
            store.get("ws-1")

    @pytest.mark.parametrize("stage", range(10))
    def test_every_stage_of_a_life_reads_back_equal(self, store: StateStore, stage: int) -> None:
        """Whatever a workset holds (lock, attempts, failures, debts ...) survives storing."""
        workset = a_life()[stage]
        store.add(workset)

        assert store.get("ws-1") == evolve(workset, version=1)

    def test_text_of_all_kinds_reads_back_equal(self, store: StateStore) -> None:
        """Quotes, wildcards, line ends and other scripts are stored as they are."""
        workset = a_workset(name='O\'Brien; "x" \\ % _ \n\t 試料 🧬 é')
        store.add(workset)

        assert store.get("ws-1").name == workset.name

    # save

    def test_a_save_moves_the_version_on(self, store: StateStore) -> None:
        """A save returns the workset under the next version, and that is what is stored."""
        added = store.add(a_workset())
        saved = store.save(locked(added))

        assert saved == evolve(locked(added), version=2)
        assert store.get("ws-1") == saved

    def test_second_writer_loses(self, store: StateStore) -> None:
        """Of two writers that read the same version, only the first is saved."""
        read = store.add(a_workset())
        saved = store.save(locked(read, owner="a"))

        with pytest.raises(ConcurrentUpdateError):
            store.save(locked(read, owner="b"))
        assert store.get("ws-1") == saved

    def test_a_stale_save_changes_no_listing(self, store: StateStore) -> None:
        """A refused save leaves the queue, what is due and the counts as they were."""
        read = store.add(settled(a_workset()))
        store.save(settled(locked(read)))
        with pytest.raises(ConcurrentUpdateError):
            store.save(read)
        self.catch_up(store)

        assert ids(store.queue()) == []
        assert ids(store.due(NOON + LOCK_TIMEOUT)) == ["ws-1"]
        assert (store.count({State.READY}), store.count({State.LOCKED})) == (0, 1)

    @pytest.mark.parametrize("version", [0, 2, 99])
    def test_only_the_stored_version_can_be_replaced(self, store: StateStore, version: int) -> None:
        """A version that was never handed out is as stale as an old one."""
        added = store.add(a_workset())

        with pytest.raises(ConcurrentUpdateError):
            store.save(evolve(added, version=version))
        assert store.get("ws-1") == added

    def test_what_was_never_added_cannot_be_saved(self, store: StateStore) -> None:
        """A save without a stored workset raises, and stores nothing."""
        with pytest.raises(NotFoundError):
            store.save(a_workset())
        assert store.known(["ws-1"]) == frozenset()

    # history

    @pytest.mark.parametrize("limit", [1, 2, 3, 100])
    def test_all_history_in_pages(self, store: StateStore, limit: int) -> None:
        """Every transition is told once, latest first, whatever the length of a page."""
        workset = store.add(a_life()[-1])

        assert whole_history(store, "ws-1", limit=limit) == list(reversed(workset.history))

    def test_history_stays_put_while_it_grows(self, store: StateStore) -> None:
        """A transition made between two pages moves nothing of the later one."""
        workset = store.add(locked(a_workset()))
        first = store.history("ws-1", limit=1)
        store.save(workset.release(workset.fence, at=NOON, reason="not now"))
        rest = store.history("ws-1", cursor=first.cursor, limit=10)

        assert (*first.items, *rest.items) == tuple(reversed(workset.history))
        assert rest.cursor is None

    def test_no_history_of_an_unknown_id(self, store: StateStore) -> None:
        """A workset that is not there is no workset without history."""
        with pytest.raises(NotFoundError):
            store.history("ws-1")

    @pytest.mark.parametrize("cursor", GARBAGE_CURSORS)
    def test_history_takes_no_foreign_cursor(self, store: StateStore, cursor: str) -> None:
        """Whatever a caller makes up as a cursor is refused."""
        store.add(a_workset())

        with pytest.raises(InvalidInputError):
            store.history("ws-1", cursor=cursor)

    # list

    def test_newest_first(self, store: StateStore) -> None:
        """Listings begin with the workset created last, whatever order they were stored in."""
        for minute, name in ((3, "ws-c"), (1, "ws-a"), (2, "ws-b")):
            store.add(a_workset(name, at=NOON + timedelta(minutes=minute)))
        self.catch_up(store)

        assert ids(store.list(EVERYTHING)) == ["ws-c", "ws-b", "ws-a"]

    def test_filters_narrow(self, store: StateStore) -> None:
        """Each part of a filter narrows, and several narrow together."""
        store.add(a_workset("ws-a", at=NOON, name="Blood panel"))
        store.add(a_workset("ws-b", at=NOON + SECOND, customer_id="zenith", name="BLOOD bank"))
        store.add(a_workset("ws-c", at=NOON + 2 * SECOND, priority=Priority.URGENT, name="Tumour"))
        store.save(locked(store.get("ws-c")))
        self.catch_up(store)

        def listed(**where: object) -> list[str]:
            return ids(store.list(Filter(**where)))  # type: ignore[arg-type]

        assert listed(customer_id="acme") == ["ws-c", "ws-a"]
        assert listed(customer_id="nobody") == []
        assert listed(priority=Priority.URGENT) == ["ws-c"]
        assert listed(states=frozenset({State.READY})) == ["ws-b", "ws-a"]
        assert listed(states=frozenset({State.READY, State.LOCKED})) == ["ws-c", "ws-b", "ws-a"]
        assert listed(states=frozenset()) == []
        assert listed(name_contains="blood") == ["ws-b", "ws-a"]
        assert listed(name_contains="blood", customer_id="zenith") == ["ws-b"]
        assert listed(name_contains="") == ["ws-c", "ws-b", "ws-a"]

    def test_filters_by_pipeline_tag_and_time(self, store: StateStore) -> None:
        """What is run, the words by which it is to be found, and when it was created narrow too."""
        store.add(a_workset("ws-a", at=NOON, tags=("cohort 7", "ärzte")))
        store.add(a_workset("ws-b", at=NOON + SECOND, manifest=a_manifest("S1", pipeline="wes")))
        store.add(a_workset("ws-c", at=NOON + 2 * SECOND, tags=("cohort 7",)))
        self.catch_up(store)

        def listed(**where: object) -> list[str]:
            return ids(store.list(Filter(**where)))  # type: ignore[arg-type]

        assert listed(pipeline="wes") == ["ws-b"]
        assert listed(pipeline="WES") == []
        assert listed(tag="cohort 7") == ["ws-c", "ws-a"]
        assert listed(tag="ärzte") == ["ws-a"]
        assert listed(tag="cohort") == []
        assert listed(created_from=NOON + SECOND) == ["ws-c", "ws-b"]
        assert listed(created_before=NOON + SECOND) == ["ws-a"]
        assert listed(created_from=NOON + SECOND, created_before=NOON + 2 * SECOND) == ["ws-b"]
        assert listed(created_from=NOON + SECOND, created_before=NOON) == []
        assert listed(tag="cohort 7", created_from=NOON + SECOND, customer_id="acme") == ["ws-c"]

    @pytest.mark.parametrize("customer_id", [None, "acme"])
    @pytest.mark.parametrize("limit", [1, 2, 3, 8])
    def test_oldest_first(self, store: StateStore, limit: int, customer_id: str | None) -> None:
        """The other way round each workset is listed once, too, within the times that are asked for."""
        for n in range(7):
            store.add(a_workset(f"ws-{n}", at=NOON + (n // 3) * SECOND))
        self.catch_up(store)
        where = Filter(customer_id=customer_id, oldest_first=True)
        since = Filter(customer_id=customer_id, oldest_first=True, created_from=NOON + SECOND)

        found = paged(lambda cursor: store.list(where, cursor=cursor, limit=limit), limit)
        later = paged(lambda cursor: store.list(since, cursor=cursor, limit=limit), limit)

        assert [int(name[3:]) // 3 for name in found] == [0, 0, 0, 1, 1, 1, 2]
        assert sorted(found) == [f"ws-{n}" for n in range(7)]
        assert later == found[3:]

    @pytest.mark.parametrize(
        "other",
        [
            Filter(customer_id="zenith"),
            Filter(),
            Filter(customer_id="acme", tag="x"),
            Filter(customer_id="acme", oldest_first=True),
            Filter(customer_id="acme", states=frozenset({State.READY})),
        ],
        ids=str,
    )
    def test_a_cursor_belongs_to_its_filter(self, store: StateStore, other: Filter) -> None:
        """A cursor leads on in its own listing alone: no other customer's, nor one by other words."""
        for n in range(3):
            store.add(a_workset(f"ws-{n}", at=NOON + n * SECOND))
            store.add(a_workset(f"of-zenith-{n}", at=NOON + n * SECOND, customer_id="zenith"))
        self.catch_up(store)
        page = store.list(Filter(customer_id="acme"), limit=1)
        assert page.cursor is not None

        with pytest.raises(CursorError):
            store.list(other, cursor=page.cursor)

    def test_a_cursor_of_a_history_belongs_to_its_workset(self, store: StateStore) -> None:
        """What leads on in one history is refused by that of another workset."""
        for name in ("ws-1", "ws-2"):
            store.add(locked(a_workset(name)))
        page = store.history("ws-1", limit=1)
        assert page.cursor is not None

        with pytest.raises(CursorError):
            store.history("ws-2", cursor=page.cursor)

    @pytest.mark.parametrize(
        "text", ["100%", "a_b", "\\", "[x]", "*", "'", '"', "Ärzte", "ÄRZTE", "試料"]
    )
    def test_a_part_of_a_name_is_taken_literally(self, store: StateStore, text: str) -> None:
        """No character is a wildcard, and case is ignored beyond ASCII too."""
        store.add(a_workset("ws-a", name="100% a_b \\ [x] * ' \" ärzte 試料"))
        store.add(a_workset("ws-b", name="1000 aXb x nothing else"))
        self.catch_up(store)

        assert ids(store.list(Filter(name_contains=text))) == ["ws-a"]

    @pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 100])
    def test_pages_hold_each_workset_once(self, store: StateStore, limit: int) -> None:
        """Pages are no longer than asked, and together hold every workset once, newest first."""
        for n in range(7):
            # Some are of the same instant: a cursor by time alone would lose or repeat them.
            store.add(a_workset(f"ws-{n}", at=NOON + (n // 3) * SECOND))
        self.catch_up(store)

        found = paged(lambda cursor: store.list(EVERYTHING, cursor=cursor, limit=limit), limit)

        assert sorted(found) == [f"ws-{n}" for n in range(7)]
        assert [int(name[3:]) // 3 for name in found] == [2, 1, 1, 1, 0, 0, 0]

    def test_filtered_pages_are_complete(self, store: StateStore) -> None:
        """Worksets that a filter passes over neither shorten the listing nor break its pages."""
        for n in range(30):
            customer_id = "acme" if n % 10 == 0 else "zenith"
            store.add(a_workset(f"ws-{n:02}", at=NOON + n * SECOND, customer_id=customer_id))
        self.catch_up(store)
        where = Filter(customer_id="acme")

        found = [w.workset_id for w in every(lambda cursor: store.list(where, cursor=cursor, limit=1))]

        assert found == ["ws-20", "ws-10", "ws-00"]

    def test_paging_is_complete_while_others_write(self, store: StateStore) -> None:
        """Worksets that come or change between two pages neither hide nor repeat the others."""
        for n in range(10):
            store.add(a_workset(f"ws-{n}", at=NOON + n * SECOND))
        self.catch_up(store)
        found: list[str] = []
        listing = pages(lambda cursor: store.list(EVERYTHING, cursor=cursor, limit=2))
        for number, page in enumerate(listing, 1):
            found += ids(page)
            store.add(a_workset(f"new-{number}", at=NOON + timedelta(hours=number)))
            store.save(settled(store.get("ws-0")))
            self.catch_up(store)

        assert [name for name in found if name.startswith("ws-")] == [
            f"ws-{n}" for n in range(9, -1, -1)
        ]

    @pytest.mark.parametrize("cursor", GARBAGE_CURSORS, ids=lambda cursor: repr(cursor[:20]))
    def test_a_cursor_that_is_not_ours_is_refused(self, store: StateStore, cursor: str) -> None:
        """Garbage is refused as the caller's mistake; it is neither a first page nor an outage."""
        store.add(a_workset())
        with pytest.raises(InvalidInputError) as refused:
            store.list(EVERYTHING, cursor=cursor)
        assert [fault.place for fault in refused.value.faults] == ["cursor"]

    def test_an_empty_store_has_an_empty_page(self, store: StateStore) -> None:
        """Nothing stored: one empty page without a cursor, everywhere."""
        nothing: Page[Workset] = Page(())
        assert store.list(EVERYTHING) == nothing
        assert store.queue() == nothing
        assert store.due(NOON) == nothing
        assert store.scan() == Page(())

    # queue

    def test_urgent_first_then_oldest_first(self, store: StateStore) -> None:
        """The queue is sorted by priority, and by age within one."""
        store.add(a_workset("low-old", at=NOON, priority=Priority.LOW))
        store.add(a_workset("normal-new", at=NOON + 2 * SECOND))
        store.add(a_workset("urgent-new", at=NOON + 3 * SECOND, priority=Priority.URGENT))
        store.add(a_workset("normal-old", at=NOON + SECOND))
        store.add(a_workset("urgent-old", at=NOON + SECOND, priority=Priority.URGENT))
        self.catch_up(store)
        expected = ["urgent-old", "urgent-new", "normal-old", "normal-new", "low-old"]

        assert ids(store.queue()) == expected
        assert paged(lambda cursor: store.queue(cursor=cursor, limit=2), 2) == expected

    def test_only_ready_worksets_queue(self, store: StateStore) -> None:
        """A workset leaves the queue when it is locked, and is back when it is released."""
        taken = store.save(locked(store.add(a_workset())))
        self.catch_up(store)
        assert ids(store.queue()) == []

        store.save(taken.release(taken.fence, at=NOON, reason="no room"))
        self.catch_up(store)
        assert ids(store.queue()) == ["ws-1"]

    def test_queue_returns_what_is_stored(self, store: StateStore) -> None:
        """What the queue returns can be saved at once: it carries content and version."""
        added = store.add(a_workset())
        self.catch_up(store)

        assert store.queue().items == (added,)

    def test_paging_the_queue_while_it_drains(self, store: StateStore) -> None:
        """Launching what a page holds does not hide what the next pages hold."""
        for n in range(9):
            store.add(a_workset(f"ws-{n}", at=NOON + n * SECOND))
        self.catch_up(store)
        found: list[str] = []
        for workset in every(lambda cursor: store.queue(cursor=cursor, limit=2)):
            store.save(locked(workset))
            found.append(workset.workset_id)

        assert found == [f"ws-{n}" for n in range(9)]

    # due

    def test_due_is_exact(self, store: StateStore) -> None:
        """A workset is due from the very instant of its ``due_at`` on, and not a microsecond before."""
        added = store.add(settled(a_workset()))
        taken = store.save(settled(locked(added)))
        self.catch_up(store)
        assert taken.due_at == NOON + LOCK_TIMEOUT

        assert ids(store.due(taken.due_at - timedelta(microseconds=1))) == []
        assert store.due(taken.due_at).items == (taken,)
        assert store.due(taken.due_at + timedelta(days=999)).items == (taken,)

    def test_what_needs_nobody_is_never_due(self, store: StateStore) -> None:
        """A workset without ``due_at`` is not due, not even at the end of time."""
        added = store.add(a_workset())
        self.catch_up(store)
        end = NOON + timedelta(days=36_500)
        assert ids(store.due(end)) == ["ws-1"]

        store.save(settled(added))
        self.catch_up(store)
        assert ids(store.due(end)) == []

    def test_longest_due_first(self, store: StateStore) -> None:
        """What has been due for longest comes first, on whichever page."""
        for n in (4, 0, 3, 1, 2):
            store.add(a_workset(f"ws-{n}", at=NOON + n * SECOND))
        self.catch_up(store)
        at = NOON + timedelta(hours=1)

        assert ids(store.due(at)) == [f"ws-{n}" for n in range(5)]
        assert paged(lambda cursor: store.due(at, cursor=cursor, limit=2), 2) == [
            f"ws-{n}" for n in range(5)
        ]

    @pytest.mark.parametrize("cursor", GARBAGE_CURSORS, ids=lambda cursor: repr(cursor[:20]))
    def test_no_listing_takes_a_foreign_cursor(self, store: StateStore, cursor: str) -> None:
        """The queue, what is due and a scan refuse garbage as the listing does."""
        with pytest.raises(InvalidInputError):
            store.queue(cursor=cursor)
        with pytest.raises(InvalidInputError):
            store.due(NOON, cursor=cursor)
        with pytest.raises(InvalidInputError):
            store.scan(cursor=cursor)

    # count and known

    def test_counts_by_state(self, store: StateStore) -> None:
        """Counts follow every step, add up over states, and are 0 for no states."""
        for n in range(3):
            store.add(a_workset(f"ws-{n}"))
        store.save(running(store.get("ws-0")))
        self.catch_up(store)

        assert store.count({State.READY}) == 2
        assert store.count({State.IN_PROGRESS}) == 1
        assert store.count({State.COMPLETE}) == 0
        assert store.count(set(State)) == 3
        assert store.count([]) == 0
        assert store.count([State.READY, State.READY]) == 2

    def test_known_are_those_that_are_stored(self, store: StateStore) -> None:
        """Of many ids asked for at once, those stored are returned, each once."""
        for n in range(5):
            store.add(a_workset(f"ws-{n}"))

        asked = [f"ws-{n}" for n in range(2, 1500)]
        assert store.known(asked) == {"ws-2", "ws-3", "ws-4"}
        assert store.known([]) == frozenset()

    # scan

    @pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 1000])
    def test_a_scan_returns_each_workset_once(self, store: StateStore, limit: int) -> None:
        """All pages together hold everything that is stored, once and in whatever state."""
        # Also those of one instant, and those that no monitor ever looks at.
        stored = [store.add(a_workset(f"ws-{n}", at=NOON + n // 3 * SECOND)) for n in range(6)]
        stored.append(store.save(settled(running(store.add(a_workset("other", customer_id="zenith"))))))

        found: list[object] = []
        for page in pages(lambda cursor: store.scan(cursor=cursor, limit=limit)):
            found += page.items
            assert len(page.items) <= limit

        assert len(found) == 7
        assert all(each in found for each in stored)

    def test_a_scan_shows_the_last_write(self, store: StateStore) -> None:
        """A scan does not lag behind: what has been saved is what it returns."""
        store.add(a_workset())
        saved = store.save(locked(store.get("ws-1")))

        assert store.scan().items == (saved,)

    def test_a_scan_is_complete_while_others_write(self, store: StateStore) -> None:
        """Worksets that come or change between two pages neither hide nor repeat those that stay."""
        for n in range(10):
            store.add(a_workset(f"ws-{n}", at=NOON + n * SECOND))
        found: list[str] = []
        scan = pages(lambda cursor: store.scan(cursor=cursor, limit=2))
        for number, page in enumerate(scan):
            found += [each.workset_id for each in page.items]
            store.add(a_workset(f"new-{number}", at=NOON + timedelta(hours=number)))
            store.save(settled(store.get("ws-0")))

        stayed = [name for name in found if name.startswith("ws-") and name != "ws-0"]
        assert sorted(stayed) == [f"ws-{n}" for n in range(1, 10)]


class StateStoreContract(SequentialStateStoreContract):
    """Subclass it and give a fixture ``store``."""

    def test_one_of_many_adds_wins(self, store: StateStore) -> None:
        """Of 32 threads that add one id, one is told it did, and its workset is the stored one."""
        for each in (a_workset(f"ws-{n}") for n in range(RACES)):
            outcomes = race(partial(_add, store, each))

            assert_one_winner(outcomes, AlreadyExistsError)
            assert store.get(each.workset_id) in outcomes

    def test_one_of_many_saves_wins(self, store: StateStore) -> None:
        """Of 32 threads that save the version they all read, one is told it did."""
        for each in (a_workset(f"ws-{n}") for n in range(RACES)):
            outcomes = race(partial(_save, store, store.add(each)))

            assert_one_winner(outcomes, ConcurrentUpdateError)
            assert store.get(each.workset_id) in outcomes

    def test_no_save_of_many_is_lost(self, store: StateStore) -> None:
        """When 8 threads read and save until they win, every one of their changes is in the end."""
        store.add(a_workset(name="0"))

        def count_up(_runner: int) -> None:
            while True:
                read = store.get("ws-1")
                try:
                    store.save(evolve(read, name=str(int(read.name) + 1)))
                except ConcurrentUpdateError:
                    continue
                return

        assert race(count_up, 8) == [None] * 8
        assert (store.get("ws-1").name, store.get("ws-1").version) == ("8", 9)


def _add(store: StateStore, workset: Workset, runner: int) -> Workset:
    return store.add(evolve(workset, name=f"Runner {runner}"))


def _save(store: StateStore, read: Workset, runner: int) -> Workset:
    return store.save(locked(read, owner=f"monitor-{runner}"))


def paged(fetch: Callable[[str | None], Page[Workset]], limit: int) -> list[str]:
    """Return the ids of all pages, asserting that each but the last is full and none is too long."""
    found: list[str] = []
    for page in pages(fetch):
        found += ids(page)
        assert len(page.items) <= limit
        assert page.items or page.cursor is None
    return found


def pages(fetch: Callable[[str | None], Page[T]]) -> Iterator[Page[T]]:
    """Yield all pages; a cursor that leads back to one of them fails, and makes no endless test."""
    cursor, seen = None, set[str]()
    while True:
        page = fetch(cursor)
        yield page
        if (cursor := page.cursor) is None:
            return
        assert cursor not in seen, f"the cursor {cursor!r} leads back to a page that was had before"
        seen.add(cursor)


def assert_one_winner(outcomes: list[Workset | DaylilyError], loss: type[DaylilyError]) -> None:
    """Assert that one of the racing calls returned and all others raised *loss*."""
    winners = [outcome for outcome in outcomes if isinstance(outcome, Workset)]
    assert len(winners) == 1, f"{len(winners)} of {RUNNERS} threads were told that they had won"
    assert sum(type(outcome) is loss for outcome in outcomes) == RUNNERS - 1


def a_life() -> list[Workset]:
    """Return a workset at each step of a life that meets every kind of value there is."""
    policy = RetryPolicy()
    broken = Failure(ErrorCategory.TRANSIENT, "node lost", None)
    wrong = Failure(ErrorCategory.DATA, "truncated FASTQ", 65)

    def at(minute: int) -> datetime:
        return NOON + timedelta(minutes=minute, microseconds=minute)

    two = a_manifest("NA12878", "NA12891")
    fresh = a_workset(notification_email="lab@example.org", max_retries=1, manifest=two)
    taken = locked(fresh, at=at(1))
    ran = running(fresh, at=at(2)).with_progress(Progress(1, 4, "aligning"), at=at(2))
    retrying = ran.failed(broken, at=at(3), actor="monitor-a", policy=policy, jitter=0.5)
    again = running(retrying.retry_due(at=at(60), actor="monitor-b"), at=at(61))
    told = again.with_samples(
        [SampleOutcome.of("NA12878", "cut short"), SampleOutcome.of("NA12891", None)]
    )
    error = told.failed(wrong, at=at(62), actor="monitor-b", policy=policy, jitter=0.5)
    asked = error.retry(by="ada", at=at(63), failed_samples=True)
    retried = running(asked, at=at(64))
    stopping = retried.request_cancel(by="ada", at=at(65), reason="wrong sample")
    canceled = stopping.canceled(at=at(66), actor="monitor-b").archive(by="ada", at=at(67))
    return [fresh, taken, ran, retrying, again, error, asked, retried, stopping, canceled]
