"""Sentinels: precedence, projection, and bodies of every form found in the field."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import chain, combinations
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from daylily.domain.lifecycle import State
from daylily.domain.sentinels import (
    DETAIL_MOST,
    STEPS_MOST,
    Sentinel,
    SentinelBody,
    known,
    projection,
    state_shown,
)
from daylily.testing.samples import NOON

PRECEDENCE: Final = (
    ("daylily.ignore", State.IGNORED),
    ("daylily.complete", State.COMPLETE),
    ("daylily.error", State.ERROR),
    ("daylily.in_progress", State.IN_PROGRESS),
    ("daylily.lock", State.LOCKED),
    ("daylily.ready", State.READY),
)
SUBSETS: Final = tuple(
    chain.from_iterable(combinations(Sentinel, size) for size in range(len(Sentinel) + 1))
)

seconds: Final = st.datetimes(min_value=NOON.replace(tzinfo=None), timezones=st.just(UTC)).map(
    lambda at: at.replace(microsecond=0)
)
one_line: Final = st.text().map(lambda text: " ".join(text.split()))


@pytest.mark.parametrize("present", SUBSETS, ids=lambda subset: "+".join(s[8:] for s in subset) or "-")
def test_precedence(present: tuple[Sentinel, ...]) -> None:
    """Of whatever stands there, the first in precedence tells the state; nothing tells nothing."""
    expected = next((state for name, state in PRECEDENCE if name in present), None)

    assert state_shown(present) is expected
    assert state_shown(frozenset(present)) is expected


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (State.READY, State.READY),
        (State.LOCKED, State.LOCKED),
        (State.IN_PROGRESS, State.IN_PROGRESS),
        (State.RETRYING, State.IN_PROGRESS),
        (State.COMPLETE, State.COMPLETE),
        (State.ERROR, State.ERROR),
        (State.FAILED, State.ERROR),
        (State.IGNORED, State.IGNORED),
        (State.CANCELED, State.IGNORED),
        (State.DELETED, State.IGNORED),
    ],
)
def test_projection_shows_the_state(state: State, shown: State) -> None:
    """The sentinels of a state stand for it, or for what keeps others' hands off it."""
    assert state_shown(projection(state)) is shown


@pytest.mark.parametrize("kept", [State.COMPLETE, State.ERROR, State.FAILED, State.CANCELED])
def test_archived_shows_what_it_was(kept: State) -> None:
    """Archiving changes nothing in the directory."""
    assert projection(State.ARCHIVED, kept) == projection(kept)


def test_archived_from_nowhere_is_left_alone() -> None:
    """Rows of old do not say what an archived workset was: nobody is to touch it."""
    assert projection(State.ARCHIVED) == {Sentinel.IGNORE}


def test_every_state_has_a_projection() -> None:
    """No state is without sentinels of its own, and ``ready`` shows alone only if it is ready."""
    for state in State:
        wanted = projection(state)
        assert wanted
        assert (wanted == {Sentinel.READY}) is (state is State.READY)


@pytest.mark.parametrize(
    ("text", "body"),
    [
        # contract 2.3: microseconds, none, the worker's, hand-made, with detail, and garbage
        (
            "2026-01-14T10:45:09.123456Z",
            SentinelBody(datetime(2026, 1, 14, 10, 45, 9, 123456, tzinfo=UTC)),
        ),
        ("2026-01-14T10:45:09Z", SentinelBody(datetime(2026, 1, 14, 10, 45, 9, tzinfo=UTC))),
        ("20251016T111111", SentinelBody(datetime(2025, 10, 16, 11, 11, 11, tzinfo=UTC))),
        ("2026-01-14T10:45:09Z\n", SentinelBody(datetime(2026, 1, 14, 10, 45, 9, tzinfo=UTC))),
        (
            "2026-01-14T10:45:09Z\tout of\tdisk\nspace\r\n",
            SentinelBody(datetime(2026, 1, 14, 10, 45, 9, tzinfo=UTC), "out of disk space"),
        ),
        ("Locked by monitor-1", SentinelBody(None, "Locked by monitor-1")),
        ("Pipeline failed: exit 1", SentinelBody(None, "Pipeline failed: exit 1")),
        ("", SentinelBody(None)),
        (" \r\n\t ", SentinelBody(None)),
        ("2026-13-45T99:99:99Z", SentinelBody(None, "2026-13-45T99:99:99Z")),
        ("\ufffd\ufffd\x00", SentinelBody(None, "\ufffd\ufffd\x00")),
        (
            "2026-01-14T10:45:09Z\tlocked by m (daylily #2)",
            SentinelBody(datetime(2026, 1, 14, 10, 45, 9, tzinfo=UTC), "locked by m", 2),
        ),
    ],
)
def test_bodies_of_the_field(text: str, body: SentinelBody) -> None:
    """Every form of contract 2.3 is read; what gives no time is all detail."""
    assert SentinelBody.parse(text) == body


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    """No body, however broken, keeps a directory from being read."""
    body = SentinelBody.parse(text)

    assert SentinelBody.parse(body.render()) == body


@given(st.builds(SentinelBody, st.none() | seconds, one_line, st.integers(0, STEPS_MOST)))
@example(SentinelBody(NOON, "", 1))
@example(SentinelBody(None, "", 1))
@example(SentinelBody(NOON, "reason (daylily #9)", 5))
@example(SentinelBody(NOON, "(daylily #9)", 5))
@example(SentinelBody(NOON, "2026-01-14T10:45:09Z", 5))
@example(SentinelBody(None, "2026-01-14T10:45:09Z", 5))
def test_ours_comes_back_as_written(body: SentinelBody) -> None:
    """Whatever the detail says, a body with our mark reads back as it was, mark and all."""
    text = body.render()

    assert SentinelBody.parse(text) == body
    assert SentinelBody.parse(text + "\n") == body
    assert body.ours
    assert len(text.splitlines()) == 1


@given(st.none() | seconds, one_line.filter(lambda text: "(daylily #" not in text))
@example(None, "2026-01-14T10:45:09Z")
@example(None, "20251016T111111")
def test_foreign_body_comes_back_as_written(at: datetime | None, detail: str) -> None:
    """A body without a mark reads back too, and is nobody's of ours."""
    body = SentinelBody(at, detail)

    assert SentinelBody.parse(body.render()) == body
    assert not body.ours


@given(st.text(st.characters()), st.integers(0, 10**9 - 1))
@example("two\nlines\tand a TAB", 3)
@example("a file name with \udcff undecoded", 3)
def test_detail_never_breaks_the_line(detail: str, sequence: int) -> None:
    """Line ends and TABs in a detail become blanks; what is stored can always be encoded."""
    text = SentinelBody(NOON, detail, sequence).render()

    assert text.encode().decode() == text
    assert "\n" not in text
    assert text.count("\t") == 1
    assert SentinelBody.parse(text).sequence == sequence


def test_time_is_written_in_utc_and_whole_seconds() -> None:
    """The form that every reader of old understands."""
    at = datetime(2026, 1, 14, 12, 45, 9, 999999, tzinfo=timezone(timedelta(hours=2)))

    assert SentinelBody(at).render() == "2026-01-14T10:45:09Z"
    assert SentinelBody(at, "go", 4).render() == "2026-01-14T10:45:09Z\tgo (daylily #4)"


@pytest.mark.parametrize(
    "text", ["(daylily #)", "(daylily #1234567890)", "(daylily #٣)", "x(daylily #3)"]
)
def test_what_only_looks_like_a_mark_is_none(text: str) -> None:
    """The mark is a blank, our name and one to nine ASCII digits, at the very end."""
    assert not SentinelBody.parse(f"2026-01-14T10:45:09Z\t{text}").ours


def test_a_sentinel_is_known_by_all_of_its_text() -> None:
    """One that was written again with another time or other words is news; the same one is not."""
    body = SentinelBody(NOON, "no disk")
    bodies = {Sentinel.ERROR: body, Sentinel.READY: SentinelBody(None)}
    others = (SentinelBody(NOON + timedelta(seconds=1), "no disk"), SentinelBody(NOON, "no disks"))

    assert known([Sentinel.READY, Sentinel.ERROR], bodies) == known(bodies, bodies)
    for other in others:
        assert known([Sentinel.ERROR], {Sentinel.ERROR: other}) != known([Sentinel.ERROR], bodies)


def test_a_long_detail_keeps_its_mark() -> None:
    """However much an error has to say, we know our own sentinel by the start of its body."""
    body = SentinelBody(NOON, "\N{DNA DOUBLE HELIX}" * 100_000, 7)

    text = body.render()

    assert len(text.encode()) < 20_000
    read = SentinelBody.parse(text)
    assert (read.sequence, len(read.detail), read.detail[-1]) == (7, DETAIL_MOST, "…")
    assert read.render() == text
