"""Several channels as one: each is told, and none holds up another."""

import logging
from collections.abc import Sequence

import pytest
from attrs import define, field

from daylily.adapters import fan_out
from daylily.adapters.fan_out import FanOutNotifier
from daylily.adapters.memory.notifier import InMemoryNotifier
from daylily.domain.errors import InvalidInputError, UnavailableError
from daylily.domain.events import ALL_NEWS, Event, EventKind
from daylily.ports.notifier import Notifier
from daylily.testing.contracts.notifier import NotifierContract
from daylily.testing.samples import an_event


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


class TestFanOutNotifier(NotifierContract):
    """The contract, on two lists."""

    @pytest.fixture
    def notifier(self) -> Notifier:
        """Return channels that have not been told anything."""
        return FanOutNotifier({"one": InMemoryNotifier(), "two": InMemoryNotifier()})

    def told(self, notifier: Notifier) -> Sequence[str]:
        """Return what both have taken."""
        assert isinstance(notifier, FanOutNotifier)
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
    both = FanOutNotifier({"linear": down, "sns": well})
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
            FanOutNotifier({"linear": down, "sns": well}).send(an_event("ws-1-1"))
    assert well.sent == ["ws-1-1", "ws-1-1"]


def test_all_that_are_down_are_named() -> None:
    """So that a person sees which."""
    down = UnavailableError("no route")
    with pytest.raises(UnavailableError, match="one: no route; two: no route"):
        FanOutNotifier({"one": Moody(down), "two": Moody(down)}).send(an_event())


def test_one_that_never_takes_it_is_not_asked_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    """It is told in the log; if none takes it, whoever sent it hears of it."""
    never, well = Moody(InvalidInputError.of("subject", "is empty")), Moody()
    with caplog.at_level(logging.ERROR):
        FanOutNotifier({"sns": never, "linear": well}).send(an_event("ws-1-1"))
    assert well.sent == ["ws-1-1"]
    assert "sns does not take ws-1-1: subject: is empty" in caplog.text
    with pytest.raises(InvalidInputError, match="is empty"):
        FanOutNotifier({"sns": never}).send(an_event("ws-1-1"))


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A channel that is down for a year costs no memory to speak of."""
    monkeypatch.setattr(fan_out, "REMEMBERED", 3)
    down, well = Moody(UnavailableError("no route")), Moody()
    both = FanOutNotifier({"linear": down, "sns": well})
    for number in [*range(5), 0]:
        with pytest.raises(UnavailableError):
            both.send(an_event(f"ws-1-{number}"))
    assert well.sent == [f"ws-1-{number}" for number in [*range(5), 0]]
    assert len(both._taken) == 3


def test_it_hears_what_one_of_them_hears() -> None:
    """News is owed if any channel passes it on."""
    ends, starts = frozenset({EventKind.COMPLETE}), frozenset({EventKind.STARTED})
    channels = {"linear": Moody(kinds=ends), "sns": Moody(kinds=starts)}
    assert FanOutNotifier(channels).kinds == ends | starts
