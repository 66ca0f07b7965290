"""How things stand, for whom, and over which days."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from tests.unit.application.lab import ADA, Lab

import daylily.application.show_dashboard as dashboard
from daylily.domain.customers import Principal
from daylily.domain.lifecycle import State
from daylily.testing.samples import NOON, a_workset

OPERATOR = Principal(name="olga", customer_id="local", operator=True)


@pytest.fixture
def lab() -> Lab:
    """A world in memory."""
    return Lab()


def put(lab: Lab, workset_id: str, state: State, days: int = 0, **more: Any) -> None:
    """Store a workset that has come to a state, submitted so many days ago."""
    workset = a_workset(workset_id, at=NOON - timedelta(days=days), **more)
    lab.store.add(evolve(workset, state=state))


def test_what_runs_waits_and_failed(lab: Lab) -> None:
    """Each is counted, however old; what a person has to look at comes newest first."""
    put(lab, "ws-ready", State.READY, 40)
    put(lab, "ws-later", State.RETRYING)
    put(lab, "ws-locked", State.LOCKED)
    put(lab, "ws-runs", State.IN_PROGRESS)
    put(lab, "ws-old-error", State.ERROR, 50)
    put(lab, "ws-failed", State.FAILED, 1)
    put(lab, "ws-done", State.COMPLETE, 2)
    put(lab, "ws-canceled", State.CANCELED, 2)

    found = lab.app().dashboard(ADA)

    assert (found.waiting, found.running, found.failed, found.finished) == (2, 2, 2, 1)
    assert [each.workset_id for each in found.attention] == ["ws-failed", "ws-old-error"]
    assert found.longest_waiting is not None
    assert found.longest_waiting.workset_id == "ws-ready"
    assert not found.more


def test_thirty_days(lab: Lab) -> None:
    """Each day has its own, the latest last; days without any stand there, too, and none before."""
    put(lab, "ws-today", State.READY)
    put(lab, "ws-done", State.COMPLETE, 29)
    put(lab, "ws-error", State.ERROR, 29)
    put(lab, "ws-off", State.CANCELED, 29)
    put(lab, "ws-before", State.COMPLETE, 30)
    archived = evolve(a_workset("ws-kept", at=NOON - timedelta(days=29)), state=State.ARCHIVED)
    lab.store.add(evolve(archived, archived_from=State.COMPLETE))

    days = lab.app().dashboard(ADA).days

    assert len(days) == 30
    assert (days[0].complete, days[0].failed, days[0].other, days[0].submitted) == (2, 1, 1, 4)
    assert (days[-1].under_way, days[-1].submitted) == (1, 1)
    assert sum(day.submitted for day in days) == 5


def test_the_month_has_its_cost(lab: Lab) -> None:
    """What was recorded and estimated of this month's worksets, and of no other's."""
    lab.submit("now")
    lab.store.add(a_workset("ws-paid").with_cost(Decimal("1.25")))
    lab.store.add(a_workset("ws-may", at=NOON - timedelta(days=2)).with_cost(Decimal(9)))

    found = lab.app().dashboard(ADA)

    assert found.month == "2025-06"
    assert found.recorded_usd == Decimal("1.25")
    assert found.estimated_usd > 0


def test_a_month_is_longer_than_thirty_days(lab: Lab) -> None:
    """On the 31st the first of the month still counts to its cost."""
    lab.clock.advance(timedelta(days=59))  # the 31st of July
    put(lab, "ws-first", State.COMPLETE, -29)
    found = lab.app().dashboard(ADA)
    assert found.month == "2025-07"
    assert found.days[0].day.isoformat() == "2025-07-02"
    assert found.finished == 0


def test_nobody_sees_anothers(lab: Lab) -> None:
    """Customers see their own, operators all."""
    put(lab, "ws-ours", State.ERROR)
    put(lab, "ws-theirs", State.ERROR, customer_id="zenith")
    app = lab.app()
    assert [each.workset_id for each in app.dashboard(ADA).attention] == ["ws-ours"]
    assert app.dashboard(OPERATOR).failed == 2
    assert app.dashboard(ADA).failed == 1


def test_days_are_added_up_once_a_minute(lab: Lab) -> None:
    """What is under way is always as it is now; the days follow within a minute."""
    app = lab.app()
    app.dashboard(ADA)
    put(lab, "ws-new", State.IN_PROGRESS)
    found = app.dashboard(ADA)
    assert (found.running, found.days[-1].submitted) == (1, 0)
    lab.clock.advance(timedelta(minutes=1))
    assert app.dashboard(ADA).days[-1].submitted == 1


def test_counting_has_an_end(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of very many it is said that there are more."""
    monkeypatch.setattr(dashboard, "MOST", 2)
    for number in range(3):
        put(lab, f"ws-{number}", State.ERROR)
    found = lab.app().dashboard(ADA)
    assert (found.failed, found.more) == (2, True)
