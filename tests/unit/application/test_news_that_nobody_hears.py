"""News is owed only where a channel passes it on."""

from tests.unit.application.lab import ADA, Lab

from daylily.adapters.memory.notifier import InMemoryNotifier
from daylily.domain.events import EventKind
from daylily.testing.faults import Blow, FaultInjector


def test_what_no_channel_passes_on_costs_nothing() -> None:
    """A channel that hears of ends alone: from the lock on, no write is there to strike off a start."""
    lab = Lab(notifier=InMemoryNotifier(kinds=frozenset({EventKind.COMPLETE})))
    workset_id = lab.submit().workset_id
    assert lab.get(workset_id).debts == ()
    counting = FaultInjector()
    app = lab.app(counting)
    app.cycle()
    assert lab.get(workset_id).debts == ()
    lab.compute.end(f"{workset_id}/1")
    app.cycle()

    assert counting.calls.count("store.save") == 4
    assert counting.calls.count("objects.delete_all") == 1
    assert lab.sent() == ["complete"]
    lab.check()


def test_old_news_waits_until_the_launch_is_recorded() -> None:
    """A channel that takes long to fail must not use up the time in which a launch is safe."""
    lab = Lab()
    down = FaultInjector(1, Blow.OUTAGE_BEFORE, length=1, on="notifier.send")
    lab.app(down).submit(ADA, "acme", lab.submission())
    assert lab.sent() == []
    counting = FaultInjector()
    lab.app(counting).cycle()
    calls = counting.calls
    assert calls.index("compute.submit") < calls.index("notifier.send")
    assert lab.sent() == ["registered", "started"]
    lab.check()
