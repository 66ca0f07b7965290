"""What a customer uses: by month, as far as anybody may see it."""

from datetime import timedelta
from decimal import Decimal

import pytest
from attrs import evolve
from tests.unit.application.lab import ADA, Lab

from daylily.domain.customers import Principal
from daylily.domain.errors import NotFoundError
from daylily.domain.lifecycle import State
from daylily.testing.samples import NOON, a_workset

EVE = Principal(name="eve", customer_id="evil")


@pytest.fixture
def lab() -> Lab:
    """A world in memory."""
    return Lab()


def test_months_add_up(lab: Lab) -> None:
    """Each month of UTC has its own worksets, latest first; those without any stand there, too."""
    app = lab.app()
    lab.submit("now")
    old = a_workset("ws-old", at=NOON - timedelta(days=33))
    lab.store.add(old.with_cost(Decimal("1.25")))
    lab.store.add(a_workset("ws-too-old", at=NOON - timedelta(days=500)))
    lab.store.add(a_workset("ws-theirs", customer_id="zenith"))

    usage = app.usage(ADA, "acme", months=3)

    assert [month.month for month in usage.months] == ["2025-06", "2025-05", "2025-04"]
    assert [month.worksets for month in usage.months] == [1, 0, 1]
    assert usage.months[0].estimated_usd > 0
    assert usage.months[2].estimated_usd == 0
    assert usage.months[2].recorded_usd == Decimal("1.25")


def test_the_turn_of_the_year(lab: Lab) -> None:
    """January follows December."""
    lab.clock.advance(timedelta(days=240))
    usage = lab.app().usage(ADA, "acme", months=3)
    assert [month.month for month in usage.months] == ["2026-01", "2025-12", "2025-11"]


def test_storage_is_what_lies_there(lab: Lab) -> None:
    """Files and directories are added up, once a minute; what was deleted is not looked for."""
    app = lab.app()
    workset_id = lab.submit().workset_id
    gone = evolve(a_workset("ws-gone"), state=State.DELETED)
    lab.store.add(gone)
    lab.put("ws-gone", "results/x", b"x" * 1000)
    first = app.usage(ADA, "acme")
    lab.put(workset_id, "results/big", b"x" * 5000)

    assert app.usage(ADA, "acme").worksets_bytes == first.worksets_bytes
    lab.clock.advance(timedelta(minutes=1))
    assert app.usage(ADA, "acme").worksets_bytes == first.worksets_bytes + 5000
    assert first.files_bytes == sum(info.size for info in lab.objects.list("files/acme/").items)


def test_what_is_complete_is_counted_even_in_the_archive(lab: Lab) -> None:
    """Whoever puts worksets away does not make them undone."""
    for name, state in (("ws-a", State.COMPLETE), ("ws-b", State.ARCHIVED)):
        archived_from = State.COMPLETE if state is State.ARCHIVED else None
        lab.store.add(evolve(a_workset(name), state=state, archived_from=archived_from))
    assert lab.app().usage(ADA, "acme").months[0].complete == 2


@pytest.mark.parametrize("customer_id", ["acme", "unheard-of"])
def test_others_are_not_there(lab: Lab, customer_id: str) -> None:
    """Another customer's usage is told to nobody, word for word as that of none."""
    with pytest.raises(NotFoundError, match=f"there is no customer {customer_id}"):
        lab.app().usage(EVE, customer_id)
    operator = Principal(name="op", customer_id="ops", operator=True)
    with pytest.raises(NotFoundError, match="there is no customer nobody"):
        lab.app().usage(operator, "nobody")
