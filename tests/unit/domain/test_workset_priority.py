"""How urgent a workset is, changed after its submission; and what it is said to cost, and has cost."""

from datetime import timedelta
from decimal import Decimal

import pytest

from daylily.domain.errors import IllegalTransitionError
from daylily.domain.estimate import estimate
from daylily.domain.lifecycle import Priority, State
from daylily.testing.samples import NOON, a_workset, locked, running, settled

LATER = NOON + timedelta(minutes=1)


def test_a_change_is_told_in_the_history() -> None:
    """State, sentinels and debts stay as they are; who changed what, and when, is recorded."""
    before = settled(a_workset())

    after = before.prioritised(Priority.URGENT, by="ada", at=LATER)

    assert (after.priority, after.state, after.debts) == (Priority.URGENT, State.READY, ())
    assert after.posted == before.posted
    assert after.updated_at == LATER
    assert after.sequence == len(after.history) == 2
    last = after.history[-1]
    assert (last.state, last.actor) == (State.READY, "ada")
    assert last.reason == "priority urgent, was normal: changed by ada"


@pytest.mark.parametrize("state", ["locked", "running", "complete", "canceled", "archived"])
def test_what_has_its_price_keeps_it(state: str) -> None:
    """What is being launched, runs or is over is refused: it is paid for by the priority it had."""
    busy = running(a_workset())
    done = busy.completed(at=LATER, actor="m")
    found = {
        "locked": locked(a_workset()),
        "running": busy,
        "complete": done,
        "canceled": a_workset().request_cancel(by="ada", at=LATER),
        "archived": done.archive(by="ada", at=LATER),
    }[state]

    with pytest.raises(IllegalTransitionError):
        found.prioritised(Priority.URGENT, by="ada", at=LATER)


def test_an_estimate_follows_the_priority() -> None:
    """What it is said to cost is that of its new priority, where somebody can say."""
    dear = estimate(pipeline="wgs", vcpu_hours_per_sample=12, priority=Priority.URGENT)
    cheap = estimate(pipeline="wgs", vcpu_hours_per_sample=12, priority=Priority.LOW)

    workset = a_workset().prioritised(Priority.URGENT, by="ada", at=LATER, estimate=dear)

    assert workset.estimate == dear
    assert workset.prioritised(Priority.LOW, by="ada", at=LATER).estimate == dear
    later = workset.prioritised(Priority.LOW, by="ada", at=LATER, estimate=cheap)
    assert later.estimate == cheap


def test_costs_are_noted() -> None:
    """To note a cost is no transition."""
    workset = a_workset()

    assert workset.with_cost(Decimal("1.20")).recorded_usd == Decimal("1.20")
    assert workset.with_cost(Decimal("1.20")).sequence == workset.sequence


def test_reasons_are_kept() -> None:
    """Who archives or deletes may say why; who does not is named all the same."""
    done = running(a_workset()).completed(at=LATER, actor="m")

    archived = done.archive(by="ada", at=LATER, reason="published")
    deleted = archived.delete(by="bo", at=LATER, reason="consent withdrawn")

    assert archived.history[-1].reason == "published"
    assert deleted.history[-1].reason == "consent withdrawn"
    assert done.archive(by="ada", at=LATER).history[-1].reason == "archived by ada"


def test_tags_are_in_order_and_each_stands_once() -> None:
    """However they were given."""
    assert a_workset(tags=("b", "a", "b")).tags == ("a", "b")
