"""Signs of life in the store: few, small, and nothing that work depends on."""

from datetime import timedelta
from typing import Final

import pytest
from attrs import evolve
from tests.unit.application.lab import Lab, Meanwhile

from daylily.application.heartbeats import LeaveHeartbeat
from daylily.bootstrap import App
from daylily.domain.heartbeat import BEAT_EVERY, FORGOTTEN_AFTER, Vitality
from daylily.testing.faults import Blow, FaultInjector

FOLDER: Final = "worksets/.daylily/monitors/"
SECOND: Final = timedelta(seconds=1)


@pytest.fixture
def lab() -> Lab:
    """A world in memory."""
    return Lab()


def beat(app: App, times: int = 1) -> None:
    """Let a monitor come to the end of cycles."""
    for _ in range(times):
        app.heart.cycle_done(took=SECOND, faults=0, rest=2 * SECOND)


def names(lab: Lab) -> list[str]:
    """Return the monitors that can be seen."""
    return [heard.beat.name for heard in lab.app().monitors()]


def test_a_sign_a_minute(lab: Lab) -> None:
    """However often a monitor works, it costs a put a minute; the first also a look for old signs."""
    counted = FaultInjector()
    app = lab.app(counted)
    beat(app, 9)
    assert counted.calls == ["objects.put", "objects.list"]
    lab.clock.advance(BEAT_EVERY)
    beat(app, 9)
    assert counted.calls == ["objects.put", "objects.list", "objects.put"]

    [heard] = lab.app().monitors()
    assert (heard.beat.name, heard.beat.cycles) == (app.heart.name, 10)
    assert (heard.at, heard.beat.last_cycle_at) == (lab.clock(), lab.clock())


def test_what_fails_is_told(lab: Lab) -> None:
    """Cycles that come to nothing are counted until one does not; the last good one is remembered."""
    app, before = lab.app(), lab.clock()
    beat(app)
    lab.clock.advance(BEAT_EVERY)
    app.heart.cycle_failed(rest=SECOND)
    [heard] = app.monitors()
    assert (heard.beat.failures, heard.beat.last_cycle_at) == (1, before)
    assert heard.vitality(lab.clock()) is Vitality.FAILING

    lab.clock.advance(BEAT_EVERY)
    app.heart.cycle_done(took=SECOND, faults=3, rest=SECOND)
    [heard] = app.monitors()
    assert (heard.beat.failures, heard.beat.faults) == (0, 3)
    first = lab.app()
    first.heart.cycle_failed(rest=SECOND)
    assert {each.beat.last_cycle_at for each in app.monitors()} == {lab.clock(), None}


def test_who_stops_as_asked_is_gone(lab: Lab) -> None:
    """Its sign is taken away; who never left one asks nothing of the store."""
    counted = FaultInjector()
    app = lab.app(counted)
    app.heart.stopped()
    assert counted.calls == []
    beat(app)
    app.heart.stopped()
    assert names(lab) == []


def test_who_died_is_silent_and_then_forgotten(lab: Lab) -> None:
    """It is told of for a day; then any monitor takes its sign away, and no other."""
    dead, alive = lab.app(), lab.app()
    beat(dead)
    lab.clock.advance(FORGOTTEN_AFTER - SECOND)
    beat(alive)
    assert {each.vitality(lab.clock()) for each in alive.monitors()} == {
        Vitality.SILENT,
        Vitality.LIVE,
    }

    lab.clock.advance(SECOND)
    assert names(lab) == [alive.heart.name]
    assert len(lab.objects.list(FOLDER).items) == 2
    lab.clock.advance(FORGOTTEN_AFTER)
    beat(alive)
    assert [info.key for info in lab.objects.list(FOLDER).items] == [f"{FOLDER}{alive.heart.name}.json"]


def test_calls_from_cron_share_a_sign(lab: Lab) -> None:
    """One for each host, or function: not one for each call."""
    for _ in range(3):
        lab.app().heart.called_once(took=SECOND, faults=0)
    lab.app().heart.called_once(took=SECOND, faults=0, name="nightly")
    found = lab.app().monitors()
    assert len(found) == 2
    assert {each.vitality(lab.clock()) for each in found} == {Vitality.ONCE}


@pytest.mark.parametrize("call", ["put", "list", "delete"])
def test_an_outage_is_no_matter(lab: Lab, call: str) -> None:
    """Whatever happens to signs, the monitor goes on; the next one comes a minute later."""
    app = lab.app(FaultInjector(1, Blow.OUTAGE_BEFORE, length=9, on=f"objects.{call}"))
    beat(app)
    app.heart.stopped()
    assert (names(lab) == []) == (call != "delete")


def test_what_is_no_sign_is_passed_over(lab: Lab) -> None:
    """So is what goes away between the listing and the reading."""
    app = lab.app()
    beat(app)
    lab.objects.put(f"{FOLDER}notes.txt", b"who put this here?")
    assert names(lab) == [app.heart.name]
    assert lab.app(Meanwhile("objects.open", app.heart.stopped)).monitors() == ()


def test_hosts_may_be_called_anything(lab: Lab) -> None:
    """What keys cannot hold is replaced, and no name leads out of the folder."""
    heart: LeaveHeartbeat = evolve(lab.app().heart, name="../a b\n" + "x" * 999, host="lab/one")
    heart.cycle_done(took=SECOND, faults=0, rest=SECOND)
    heart.called_once(took=SECOND, faults=0)
    first, second = lab.app().monitors()
    assert first.beat.name.startswith("-a-b-xxx")
    assert (second.beat.name, second.beat.host) == ("lab-one-once", "lab/one")


def test_signs_are_no_worksets(lab: Lab) -> None:
    """The folder is not taken for a workset's directory, by a monitor or by who checks the ledger."""
    app = lab.app()
    beat(app)
    assert app.cycle().idle
    assert list(app.check()) == []
    assert lab.worksets() == ()
