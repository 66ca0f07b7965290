"""What is noted of a monitor that has gone silent."""

from datetime import timedelta

import pytest
from attrs import evolve

from daylily.domain.events import EventKind
from daylily.domain.heartbeat import FORGOTTEN_AFTER
from daylily.domain.lifecycle import Priority
from daylily.domain.silence import KEPT, Silence
from daylily.testing.samples import NOON

LATER = NOON + timedelta(minutes=4)
SILENCE = Silence.of("lab-1-77-0a1b", NOON, LATER)


def test_its_news() -> None:
    """Urgent where nobody is left who works; in words that say what may have happened."""
    event = SILENCE.event()
    assert (event.event_id, event.kind) == (
        "monitor-lab-1-77-0a1b-silent-20250602T120000Z", EventKind.MONITOR_SILENT
    )  # fmt: skip
    assert (event.monitor, event.subject) == ("lab-1-77-0a1b", "lab-1-77-0a1b")
    assert (event.priority, event.at, event.workset_id) == (Priority.NORMAL, LATER, None)
    assert event.message == (
        "monitor lab-1-77-0a1b has given no sign of life since 2025-06-02T12:00:00Z: it has died,"
        " is cut off from its bucket, or has been at one cycle for long"
    )
    alone = evolve(SILENCE, alone=True).event()
    assert (alone.event_id, alone.priority) == (event.event_id, Priority.URGENT)
    assert alone.message.endswith("; no other monitor is alive, so nothing is launched or followed")


def test_whoever_notices_knows_the_same() -> None:
    """Another sign in between makes it another; names may be anything, and of any length."""
    assert Silence.of("lab-1-77-0a1b", NOON, LATER + timedelta(hours=1)).key == SILENCE.key
    assert Silence.of("lab-1-77-0a1b", NOON + timedelta(minutes=1), LATER).key != SILENCE.key
    odd = Silence.of(f"{'x' * 250}/é\n-1-0a1b", NOON, LATER)
    assert odd.key == f"monitor-{odd.monitor}-silent-20250602T120000Z"
    assert odd.key.isascii()
    assert len(odd.key) < 100


def test_how_long_it_is_kept() -> None:
    """Until somebody could tell it; then as long as its sign may be seen by a clock that is late."""
    assert SILENCE.expires_at == LATER + KEPT
    assert SILENCE.over().expires_at == NOON + 2 * FORGOTTEN_AFTER


def test_what_is_stored_is_read() -> None:
    """All of it comes back."""
    for each in (SILENCE, SILENCE.over(), evolve(SILENCE, alone=True)):
        assert Silence.parse(each.render()) == each


@pytest.mark.parametrize("text", ["", "[]", "{}", SILENCE.render().replace('"lab-1-77-0a1b"', "7")])
def test_what_cannot_be_read_is_nothing(text: str) -> None:
    """A newer version may have written it."""
    assert Silence.parse(text) is None
