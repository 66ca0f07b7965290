"""What every Notifier owes."""

from collections.abc import Sequence

import pytest

from daylily.domain.events import EventKind
from daylily.ports.notifier import Notifier
from daylily.testing.racing import RUNNERS, race
from daylily.testing.samples import an_event, news_of_a_monitor


class NotifierContract:
    """
    Subclass it, give a fixture ``notifier``, and say what has been told.

    What it owes when nobody answers asks ``contracts.outages``.
    """

    @pytest.fixture
    def notifier(self) -> Notifier:
        """Return a channel that has not been told anything."""
        raise NotImplementedError(
            "override the fixture `notifier` with one that returns a fresh channel"
        )

    def told(self, notifier: Notifier) -> Sequence[str]:
        """Return the ``event_id`` of each event that the channel has taken, in order."""
        raise NotImplementedError("override `told`: return the event ids that the channel has taken")

    @pytest.mark.parametrize("kind", EventKind)
    def test_every_kind_is_taken(self, notifier: Notifier, kind: EventKind) -> None:
        """When ``send`` returns, the channel has the event, if it is of a kind that it passes on."""
        notifier.send(an_event("ws-1-1", kind=kind))
        assert list(self.told(notifier)) == ["ws-1-1"] or kind not in notifier.kinds

    def test_it_says_what_it_passes_on(self, notifier: Notifier) -> None:
        """News of other kinds is not even noted as owed."""
        assert notifier.kinds
        assert notifier.kinds <= {*EventKind}

    def test_a_repeat_keeps_its_id(self, notifier: Notifier) -> None:
        """An event may be sent twice; whoever reads the channel can tell by its id."""
        kind = min(notifier.kinds)
        for event_id in ("ws-1-1", "ws-1-1", "ws-1-2"):
            notifier.send(an_event(event_id, kind=kind))
        assert set(self.told(notifier)) == {"ws-1-1", "ws-1-2"}

    def test_news_of_no_workset(self, notifier: Notifier) -> None:
        """That a monitor is silent concerns no customer; who passes that on has words for it."""
        event = news_of_a_monitor()
        notifier.send(event)
        heard = [event.event_id] if event.kind in notifier.kinds else []
        assert list(self.told(notifier)) == heard

    def test_many_at_once(self, notifier: Notifier) -> None:
        """Of 32 threads that each send an event, none is lost or garbled."""
        kind = min(notifier.kinds)
        race(lambda runner: notifier.send(an_event(f"ws-1-{runner}", kind=kind)))
        assert sorted(self.told(notifier)) == sorted(f"ws-1-{runner}" for runner in range(RUNNERS))
