"""The suites that are shipped fail adapters of the kinds that people write by mistake."""

import httpx
import pytest
from attrs import define, evolve, field, frozen

from daylily.adapters.memory.notifier import InMemoryNotifier
from daylily.adapters.memory.state_store import InMemoryStateStore
from daylily.adapters.paging import encode_cursor
from daylily.adapters.records import to_record
from daylily.domain.errors import ConcurrentUpdateError, UnavailableError
from daylily.domain.events import Event, EventKind
from daylily.domain.workset import Workset
from daylily.ports.paging import Page, every
from daylily.ports.state_store import Filter
from daylily.testing.contracts.notifier import NotifierContract
from daylily.testing.contracts.outages import BrokenNotifierContract
from daylily.testing.contracts.state_store import StateStoreContract
from daylily.testing.samples import a_workset, an_event


@define
class HastyStore(InMemoryStateStore):
    """Compares, thinks for a moment, and sets: two steps, where one is owed."""

    late: dict[str, Workset] = field(init=False, factory=dict)

    def get(self, workset_id: str) -> Workset:
        return self.late.get(workset_id) or super().get(workset_id)

    def save(self, workset: Workset) -> Workset:
        if self.get(workset.workset_id).version != workset.version:
            raise ConcurrentUpdateError(workset.workset_id)
        for _ in range(20):
            to_record(workset)
        saved = evolve(workset, version=workset.version + 1)
        self.late[workset.workset_id] = saved
        return saved


def test_two_steps_do_not_pass_for_one() -> None:
    """A store that compares and sets without a lock is found out, and it is said by what."""
    with pytest.raises(AssertionError, match="of 32 threads were told that they had won"):
        StateStoreContract().test_one_of_many_saves_wins(HastyStore())


class CirclingStore(InMemoryStateStore):
    """Its cursor is that of the page it is on."""

    def list(self, where: Filter, *, cursor: str | None = None, limit: int = 100) -> Page[Workset]:
        page = super().list(where, limit=limit)
        return evolve(page, cursor=encode_cursor("list", "here"))


def test_a_listing_in_circles_is_a_failure() -> None:
    """It is told, where it was a test without end."""
    with pytest.raises(AssertionError, match="leads back to a page that was had before"):
        StateStoreContract().test_pages_hold_each_workset_once(CirclingStore(), 2)


def test_nobody_reads_in_circles() -> None:
    """Whoever asks for all pages is told that they do not end, and does not ask for ever."""
    store = CirclingStore()
    store.add(a_workset())
    with pytest.raises(UnavailableError, match="does not move on"):
        list(every(lambda cursor: store.list(Filter(), cursor=cursor)))


class TestNarrowNotifier(NotifierContract):
    """Who passes on errors alone, and drops all else, keeps the contract."""

    @define
    class Narrow(InMemoryNotifier):
        """Hears of errors."""

        kinds: frozenset[EventKind] = frozenset({EventKind.ERROR})

        def send(self, event: Event) -> None:
            if event.kind in self.kinds:
                self.sent.append(event)

    @pytest.fixture
    def notifier(self) -> Narrow:
        """Return one that has heard nothing."""
        return self.Narrow()

    def told(self, notifier: Narrow) -> list[str]:  # type: ignore[override]
        """Return what it has kept."""
        return [event.event_id for event in notifier.sent]


@frozen
class MuteNotifier:
    """Posts, and does not look at what comes back."""

    swallows: bool
    kinds: frozenset[EventKind] = frozenset(EventKind)

    def send(self, event: Event) -> None:
        if not self.swallows:
            raise httpx.ConnectError("nobody there")


@pytest.mark.parametrize(
    ("swallows", "error"), [(True, pytest.fail.Exception), (False, httpx.HTTPError)]
)
def test_news_that_is_lost_is_found_out(swallows: bool, error: type[BaseException]) -> None:
    """Who keeps an outage to themselves, or tells it in words of their own, fails."""
    with pytest.raises(error):
        BrokenNotifierContract().test_an_outage_is_told(MuteNotifier(swallows))


def test_news_that_is_kept_back_is_taken_at_its_word() -> None:
    """Who raises what the port says passes."""

    @frozen
    class Away:
        kinds: frozenset[EventKind] = frozenset(EventKind)

        def send(self, event: Event) -> None:
            raise UnavailableError("the chat is away")

    BrokenNotifierContract().test_an_outage_is_told(Away())
    with pytest.raises(UnavailableError):
        Away().send(an_event())
