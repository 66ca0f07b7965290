"""Several channels as one: each is told, and none holds up another."""

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest
from attrs import define, evolve, field

from daylily.adapters.dead_notices import DocumentDeadNotices
from daylily.adapters.memory.documents import InMemoryDocumentStore
from daylily.adapters.memory.notifier import InMemoryNotifier
from daylily.application import deliver_notices
from daylily.application.deliver_notices import GIVE_UP, LONGEST_PATIENCE, DeliverNotices
from daylily.application.redeliver_notices import RedeliverNotices
from daylily.domain.errors import InvalidInputError, ThrottledError, UnavailableError
from daylily.domain.events import ALL_NEWS, Event, EventKind
from daylily.ports.dead_notices import DeadNotice, DeadNotices
from daylily.ports.notifier import Notifier
from daylily.testing.clock import ManualClock
from daylily.testing.contracts.notifier import NotifierContract
from daylily.testing.faults import Blow, FaultInjector
from daylily.testing.samples import NOON, an_event


@define
class Moody:
    """A channel that raises *error* while there is one."""

    error: Exception | None = None
    sent: list[str] = field(init=False, factory=list)
    kinds: frozenset[EventKind] = ALL_NEWS

    def send(self, event: Event) -> None:
        """See Notifier.send."""
        if self.error:
            raise self.error
        self.sent.append(event.event_id)


def deliver(
    channels: Mapping[str, Notifier], clock: ManualClock | None = None, dead: DeadNotices | None = None
) -> DeliverNotices:
    """Return what tells *channels*, with an empty list of what came to nobody."""
    clock = clock or ManualClock()
    dead = dead or DocumentDeadNotices(InMemoryDocumentStore(clock), clock)
    return DeliverNotices(channels, dead, clock)


class TestDeliverNotices(NotifierContract):
    """The contract, on two lists."""

    @pytest.fixture
    def notifier(self) -> Notifier:
        """Return channels that have not been told anything."""
        return deliver({"one": InMemoryNotifier(), "two": InMemoryNotifier()})

    def told(self, notifier: Notifier) -> Sequence[str]:
        """Return what both have taken."""
        assert isinstance(notifier, DeliverNotices)
        told = [
            [event.event_id for event in channel.sent]
            for channel in notifier.channels.values()
            if isinstance(channel, InMemoryNotifier)
        ]
        assert sorted(told[0]) == sorted(told[1])
        return told[0]


def test_one_that_is_down_does_not_hold_up_the_others() -> None:
    """The event stays owed; sent again, it goes to the one that has not got it, under the same id."""
    down, well = Moody(UnavailableError("no route")), Moody()
    both = deliver({"linear": down, "sns": well})
    for _ in range(3):
        with pytest.raises(UnavailableError, match="linear: no route"):
            both.send(an_event("ws-1-1"))
    assert (down.sent, well.sent) == ([], ["ws-1-1"])
    down.error = None
    both.send(an_event("ws-1-1"))
    assert (down.sent, well.sent) == (["ws-1-1"], ["ws-1-1"])
    assert both._taken == {}


def test_another_process_tells_all_again() -> None:
    """What is remembered only saves repeats."""
    down, well = Moody(UnavailableError("no route")), Moody()
    for _ in range(2):
        with pytest.raises(UnavailableError):
            deliver({"linear": down, "sns": well}).send(an_event("ws-1-1"))
    assert well.sent == ["ws-1-1", "ws-1-1"]


def test_all_that_are_down_are_named() -> None:
    """So that a person sees which."""
    down = UnavailableError("no route")
    with pytest.raises(UnavailableError, match="one: no route; two: no route"):
        deliver({"one": Moody(down), "two": Moody(down)}).send(an_event())


def test_one_that_never_takes_it_is_not_asked_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    """It is told in the log and laid on the list at once; the others are told as ever."""
    never, well = Moody(InvalidInputError.of("subject", "is empty")), Moody()
    both = deliver({"sns": never, "linear": well})
    with caplog.at_level(logging.ERROR):
        both.send(an_event("ws-1-1"))
    assert well.sent == ["ws-1-1"]
    assert "sns did not take ws-1-1: subject: is empty" in caplog.text
    assert both.dead.list("sns").items == (
        DeadNotice(
            channel="sns", event=an_event("ws-1-1"), why="subject: is empty", died_at=both.clock()
        ),
    )
    assert both.dead.list("linear").items == ()


def test_what_a_day_has_not_brought_is_given_up_on() -> None:
    """Until then it is owed; then people see to it, and nobody sends it any more by itself."""
    clock, down, well = ManualClock(), Moody(UnavailableError("no route")), Moody()
    both = deliver({"sns": down, "linear": well}, clock)
    clock.advance(GIVE_UP - timedelta(seconds=1))
    with pytest.raises(UnavailableError, match="sns: no route"):
        both.send(an_event("ws-1-1"))
    clock.advance(timedelta(seconds=1))
    both.send(an_event("ws-1-1"))
    both.send(an_event("ws-1-1"))  # by another monitor, at the same time
    (lost,) = both.dead.list("sns").items
    assert (lost.why, lost.died_at) == ("no route", NOON + GIVE_UP)
    assert down.sent == []


def test_the_list_is_away_too() -> None:
    """Then the event stays owed: it is in one place at any time."""
    clock = ManualClock()
    down, faults = Moody(UnavailableError("no route")), FaultInjector(1, Blow.OUTAGE_BEFORE)
    documents = faults.wrap(InMemoryDocumentStore(clock), "documents")
    alone = deliver({"sns": down}, clock, DocumentDeadNotices(documents, clock))
    clock.advance(GIVE_UP)
    with pytest.raises(UnavailableError):
        alone.send(an_event("ws-1-1"))
    alone.send(an_event("ws-1-1"))
    assert len(alone.dead.list("sns").items) == 1


def test_what_came_to_nobody_is_sent_once_more() -> None:
    """Under its old id; what is refused again stays on the list."""
    clock = ManualClock()
    channels = {"sns": Moody(UnavailableError("no route")), "linear": Moody(UnavailableError("401"))}
    told = deliver(channels, clock)
    for hour in range(2):
        clock.advance(GIVE_UP)
        told.send(evolve(an_event(f"ws-1-{hour}"), at=NOON + timedelta(hours=hour)))
    redeliver = RedeliverNotices(channels, told.dead)
    assert [(each.channel, each.event.event_id) for each in redeliver.waiting()] == [
        ("sns", "ws-1-0"), ("sns", "ws-1-1"), ("linear", "ws-1-0"), ("linear", "ws-1-1")
    ]  # fmt: skip

    channels["sns"].error = None
    outcomes = [redeliver(each) for each in redeliver.waiting()]
    assert [each.refused for each in outcomes] == [None, None, "401", "401"]
    assert channels["sns"].sent == ["ws-1-0", "ws-1-1"]
    assert [each.channel for each in redeliver.waiting()] == ["linear", "linear"]
    assert list(redeliver.waiting("sns")) == []

    told.dead.clear(outcomes[0].notice)  # gone already: somebody else has seen to it
    with pytest.raises(InvalidInputError, match="'mail' is none of sns, linear"):
        list(redeliver.waiting("mail"))


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A channel that is down for a year costs no memory to speak of."""
    monkeypatch.setattr(deliver_notices, "REMEMBERED", 3)
    down, well = Moody(UnavailableError("no route")), Moody()
    both = deliver({"linear": down, "sns": well})
    for number in [*range(5), 0]:
        with pytest.raises(UnavailableError):
            both.send(an_event(f"ws-1-{number}"))
    assert well.sent == [f"ws-1-{number}" for number in [*range(5), 0]]
    assert len(both._taken) == 3


def test_it_hears_what_one_of_them_hears() -> None:
    """News is owed if any channel passes it on."""
    ends, starts = frozenset({EventKind.COMPLETE}), frozenset({EventKind.STARTED})
    channels = {"linear": Moody(kinds=ends), "sns": Moody(kinds=starts)}
    assert deliver(channels).kinds == ends | starts


def test_a_channel_that_asks_for_a_pause_is_not_given_up_on() -> None:
    """It is there, and takes what waits once its limit is reset; after a week, even that is over."""
    clock, busy = ManualClock(), Moody(ThrottledError("limit"))
    told = deliver({"linear": busy}, clock)
    clock.advance(LONGEST_PATIENCE - timedelta(seconds=1))
    with pytest.raises(UnavailableError, match="linear: limit"):
        told.send(an_event("ws-1-1"))
    assert told.dead.list("linear").items == ()
    clock.advance(timedelta(seconds=1))
    told.send(an_event("ws-1-1"))
    assert len(told.dead.list("linear").items) == 1
