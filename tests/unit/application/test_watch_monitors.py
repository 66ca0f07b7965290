"""A monitor that goes silent is news, once, whoever lives to notice."""

from datetime import datetime, timedelta
from typing import Final

import pytest
from attrs import evolve
from tests.unit.application.lab import Lab, Meanwhile

from daylily.application.watch_monitors import KIND, PARTITION
from daylily.bootstrap import App
from daylily.domain.events import ALL_NEWS, EventKind
from daylily.domain.heartbeat import BEAT_EVERY, FORGOTTEN_AFTER
from daylily.domain.lifecycle import Priority
from daylily.ports.documents import Document
from daylily.testing.faults import Blow, FaultInjector

SECOND: Final = timedelta(seconds=1)
REST: Final = 28 * SECOND
INTERVAL: Final = BEAT_EVERY + REST + 2 * SECOND
SILENT: Final = 3 * INTERVAL + SECOND
SIGN: Final = "worksets/.daylily/monitors/{}.json"


@pytest.fixture
def lab() -> Lab:
    """A world in memory."""
    return Lab()


def beat(app: App) -> App:
    """Let a monitor come to the end of a cycle, and leave a sign of it."""
    app.heart.cycle_done(took=2 * SECOND, faults=0, rest=REST)
    return app


def told(lab: Lab) -> list[str]:
    """Return the ids of what was sent, repeats and all."""
    return [event.event_id for event in lab.notifier.sent]


def test_it_is_told_once(lab: Lab) -> None:
    """After three of its own intervals, by one of those who notice; and not again while it lasts."""
    beat(lab.app(owner="lab-1"))
    others = [lab.app() for _ in range(3)]
    lab.clock.advance(SILENT - 2 * SECOND)
    others[0].watch()
    assert told(lab) == []
    lab.clock.advance(BEAT_EVERY)
    for each in (*others, *others):
        each.watch()
        lab.clock.advance(BEAT_EVERY)
    [event] = lab.notifier.sent
    assert (event.kind, event.monitor) == (EventKind.MONITOR_SILENT, "lab-1")
    assert event.priority is Priority.URGENT  # nobody else leaves signs


def test_silent_again_is_news_again(lab: Lab) -> None:
    """Under another id."""
    one, other = beat(lab.app()), lab.app()
    for _ in range(2):
        lab.clock.advance(SILENT)
        other.watch()
        beat(one)
    assert len(set(told(lab))) == 2


def test_who_stops_in_good_order_is_no_news(lab: Lab) -> None:
    """Its sign is gone."""
    beat(lab.app()).heart.stopped()
    lab.clock.advance(SILENT)
    lab.app().watch()
    assert told(lab) == []


def test_who_works_on_slowly_is_no_news(lab: Lab) -> None:
    """Its intervals are its own; one that is called for each cycle has none."""
    slow = lab.app()
    slow.heart.cycle_done(took=2 * SECOND, faults=0, rest=timedelta(hours=1))
    lab.app().heart.called_once(took=SECOND, faults=0)
    lab.clock.advance(3 * timedelta(hours=1))
    lab.app().watch()
    assert told(lab) == []


@pytest.mark.parametrize("called", [False, True])
def test_not_urgent_while_another_works(lab: Lab, called: bool) -> None:
    """One that runs on, or one that a schedule calls."""
    beat(lab.app())
    lab.clock.advance(SILENT)
    alive = lab.app()
    if called:
        alive.heart.called_once(took=SECOND, faults=0)
    else:
        beat(alive)
    alive.watch()
    assert [event.priority for event in lab.notifier.sent] == [Priority.NORMAL]


def test_two_at_the_same_moment(lab: Lab) -> None:
    """Between the look and the note of one, another notes it: there is one note, and it is told."""
    beat(lab.app())
    lab.clock.advance(SILENT)
    lab.app(Meanwhile("documents.add", lab.app().watch)).watch()
    assert len(told(lab)) == 1
    assert len(lab.documents.list(KIND, PARTITION).items) == 1


def test_two_tell_at_the_same_moment(lab: Lab) -> None:
    """Receivers drop the repeat by its id; nobody fails of it."""
    beat(lab.app())
    lab.clock.advance(SILENT)
    lab.app(Meanwhile("documents.replace", lab.app().watch)).watch()
    assert len(told(lab)) == 2
    assert len(set(told(lab))) == 1


@pytest.mark.parametrize("minutes", [-30, -5, 5, 30])
def test_a_clock_that_is_wrong(lab: Lab, minutes: int) -> None:
    """Whoever looks: how long a monitor has been silent, the store's clock says."""

    def askew() -> datetime:
        return lab.clock() + timedelta(minutes=minutes)

    app = lab.app()
    watch = evolve(app.watch, clock=askew, monitors=evolve(app.monitors, clock=askew))
    beat(lab.app())
    lab.clock.advance(INTERVAL)
    watch()
    assert told(lab) == []
    lab.clock.advance(SILENT)
    beat(lab.app())  # shows a clock that is slow how late it is at least
    watch()
    assert len(told(lab)) == 1


def test_a_channel_that_is_down_is_told_later(lab: Lab) -> None:
    """By anybody, also when the sign itself has been forgotten; each failure doubles the rest."""
    beat(lab.app())
    down = FaultInjector(1, Blow.OUTAGE_BEFORE, length=99, on="notifier.send")
    lab.clock.advance(SILENT)
    app = lab.app(down)
    app.watch()
    lab.clock.advance(BEAT_EVERY)
    app.watch()
    assert told(lab) == []
    lab.clock.advance(FORGOTTEN_AFTER)
    assert beat(lab.app()).monitors()
    lab.app().watch()
    lab.app().watch()
    assert len(told(lab)) == 1


def test_a_channel_is_not_pestered(lab: Lab) -> None:
    """Its rest grows to ten minutes."""
    beat(lab.app())
    down = FaultInjector(1, Blow.OUTAGE_BEFORE, length=999, on="notifier.send")
    lab.clock.advance(SILENT)
    app = lab.app(down)
    for _ in range(60):
        app.watch()
        lab.clock.advance(BEAT_EVERY)
    assert 5 <= sum(call == "notifier.send" for call in down.calls) <= 12


def test_what_it_costs(lab: Lab) -> None:
    """A listing and a query a minute, however often it is called; nothing where nobody would hear."""
    counted = FaultInjector()
    app = lab.app(counted)
    for _ in range(9):
        app.watch()
    assert counted.calls == ["documents.list", "objects.list"]

    lab.notifier.kinds = ALL_NEWS - {EventKind.MONITOR_SILENT}
    lab.app(counted).watch()
    assert len(counted.calls) == 2


@pytest.mark.parametrize(
    "call", ["documents.list", "objects.list", "objects.put", "objects.open", "documents.add"]
)
@pytest.mark.parametrize("blow", [Blow.OUTAGE_BEFORE, Blow.OUTAGE_AFTER])
def test_an_outage_is_no_matter(lab: Lab, call: str, blow: Blow) -> None:
    """Whoever looks goes on; the next look finds what there is to find."""
    beat(lab.app())
    lab.clock.advance(SILENT)
    app = lab.app(FaultInjector(1, blow, on=call))
    app.watch()
    lab.clock.advance(BEAT_EVERY)
    app.watch()
    assert len(set(told(lab))) == 1


def test_what_others_have_put_there(lab: Lab) -> None:
    """It is no sign, or no note of this version: it is passed over, and ends nobody."""
    lab.objects.put(SIGN.format("notes"), b"who put this here?")
    lab.documents.add(Document(kind=KIND, partition=PARTITION, key="newer", body="{}"))
    lab.clock.advance(SILENT)
    lab.app().watch()
    assert told(lab) == []

    def blunder() -> None:
        raise ZeroDivisionError

    lab.app(Meanwhile("objects.list", blunder)).watch()


def test_who_goes_away_in_between(lab: Lab) -> None:
    """Or is heard again: then nothing is told."""
    one = beat(lab.app())
    lab.clock.advance(SILENT)
    lab.app(Meanwhile("objects.open", one.heart.stopped)).watch()
    assert told(lab) == []
