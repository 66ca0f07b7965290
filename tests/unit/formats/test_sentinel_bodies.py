"""Sentinel bodies as all systems wrote them over the years (contract 2.3)."""

from datetime import UTC, datetime

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daylily.domain.sentinels import SentinelBody
from daylily.testing.strategies import sentinel_bodies

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

AT = datetime(2026, 1, 14, 10, 45, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("2026-01-14T10:45:09.123456Z", SentinelBody(AT.replace(microsecond=123456))),
        ("2026-01-14T10:45:09Z", SentinelBody(AT)),
        ("2026-01-14T10:45:09Z\n", SentinelBody(AT)),
        ("20260114T104509", SentinelBody(AT)),
        ("2026-01-14T10:45:09Z\tstage failed", SentinelBody(AT, "stage failed")),
        ("2026-01-14T10:45:09Z\ta\tb\nc\r\n\td", SentinelBody(AT, "a b c d")),
        ("Locked by ip-10-0-0-1-4711", SentinelBody(None, "Locked by ip-10-0-0-1-4711")),
        ("pipeline\tfailed", SentinelBody(None, "pipeline failed")),
        ("", SentinelBody(None)),
        (" \n\t ", SentinelBody(None)),
        ("2026-01-14T10:45:09Z\tready (daylily #7)", SentinelBody(AT, "ready", 7)),
        ("2026-01-14T10:45:09Z\t(daylily #7)", SentinelBody(AT, "", 7)),
        ("2026-13-14T10:45:09Z", SentinelBody(None, "2026-13-14T10:45:09Z")),
        ("daylily #7", SentinelBody(None, "daylily #7")),
    ],
)
def test_found_in_the_field(text: str, body: SentinelBody) -> None:
    """Times in all three forms, reasons without a time, nothing at all: every body is read."""
    assert SentinelBody.parse(text) == body


@unhurried
@given(sentinel_bodies())
def test_round_trip(body: SentinelBody) -> None:
    """What we write reads back the same."""
    assert SentinelBody.parse(body.render()) == body


@unhurried
@given(sentinel_bodies(), st.text())
def test_single_line(body: SentinelBody, detail: str) -> None:
    """Whatever the detail, a body is one line of UTF-8 with at most one TAB."""
    text = evolve(body, detail=detail).render()

    assert len(text.splitlines()) <= 1
    assert text.count("\t") <= 1
    assert text.encode().decode() == text


@unhurried
@given(st.text() | st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z\t?.*( \(daylily #\d+\))?"))
def test_garbage(text: str) -> None:
    """No text is too odd to be read, and what was read is written so that it reads the same again."""
    body = SentinelBody.parse(text)

    again = SentinelBody.parse(body.render())
    assert (again.detail, again.sequence) == (body.detail, body.sequence)
