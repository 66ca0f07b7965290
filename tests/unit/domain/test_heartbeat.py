"""Signs of life: what they say, and what it says that there is none."""

from datetime import timedelta
from typing import Final

import pytest
from attrs import evolve

from daylily.domain.heartbeat import (
    BEAT_EVERY,
    FORGOTTEN_AFTER,
    SILENT_AFTER,
    Heard,
    Heartbeat,
    Vitality,
)
from daylily.testing.samples import NOON

BEAT: Final = Heartbeat(
    name="lab-1",
    host="lab",
    pid=1,
    started_at=NOON,
    rest=timedelta(seconds=2),
    cycles=3,
    last_cycle_at=NOON,
    last_cycle_took=timedelta(seconds=5),
    faults=1,
)
DUE: Final = NOON + BEAT_EVERY + timedelta(seconds=7)
"""When the next sign is due of a monitor heard of at noon."""


@pytest.mark.parametrize("beat", [BEAT, evolve(BEAT, rest=None, last_cycle_at=None)], ids=str)
def test_what_is_stored_is_read(beat: Heartbeat) -> None:
    """All of it comes back."""
    assert Heartbeat.parse(beat.render()) == beat


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b"[" * 5000,
        BEAT.render().replace(b"+00:00", b""),
        BEAT.render().replace(b'"rest_seconds": 2.0', b'"rest_seconds": 1e300'),
        BEAT.render().replace(b'"pid": 1', b'"pid": null'),
    ],
)
def test_what_makes_no_sense_is_nothing(data: bytes) -> None:
    """Anybody may put an object there."""
    assert Heartbeat.parse(data) is None


def test_live_until_it_is_late() -> None:
    """A sign is due after a minute, the rest and a cycle; who misses three is silent."""
    heard = Heard(BEAT, NOON)
    assert (heard.lag(NOON), heard.vitality(NOON)) == (timedelta(), Vitality.LIVE)
    assert heard.lag(DUE) == timedelta()
    late = NOON + SILENT_AFTER * (DUE - NOON)
    assert (heard.lag(late), heard.vitality(late)) == (late - DUE, Vitality.LIVE)
    assert heard.vitality(late + timedelta(seconds=1)) is Vitality.SILENT


def test_alive_and_failing() -> None:
    """Whose cycles come to nothing lives; who is silent is silent, whatever it said last."""
    heard = Heard(evolve(BEAT, failures=2), NOON)
    assert heard.vitality(NOON) is Vitality.FAILING
    assert heard.vitality(NOON + timedelta(hours=1)) is Vitality.SILENT


def test_one_that_is_called() -> None:
    """Nothing is due of it, so it is never late."""
    heard = Heard(evolve(BEAT, rest=None), NOON)
    assert (heard.lag(DUE), heard.vitality(DUE + timedelta(hours=9))) == (None, Vitality.ONCE)


def test_forgotten_after_a_day() -> None:
    """Not before."""
    heard = Heard(BEAT, NOON)
    assert heard.forgotten(NOON + FORGOTTEN_AFTER)
    assert not heard.forgotten(NOON + FORGOTTEN_AFTER - timedelta(seconds=1))
