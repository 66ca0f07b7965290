"""News in words: the forms that subscribers of old read, and nothing that a channel would refuse."""

import json
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from daylily.adapters import notices
from daylily.domain.events import Event, EventKind
from daylily.domain.lifecycle import Priority, State
from daylily.testing.samples import an_event, news_of_a_monitor


def failed(**changes: Any) -> Event:
    """Return the news of an urgent workset that failed."""
    event = an_event("ws-1-7-error", kind=EventKind.ERROR)
    event = evolve(event, state=State.ERROR, priority=Priority.URGENT, message="step 3 failed")
    return evolve(event, **{"error_details": "exit code 2\ndisk full", **changes})


@pytest.mark.parametrize(
    ("kind", "word", "title"),
    [
        (EventKind.COMPLETE, "completion", "Completion"),
        (EventKind.ERROR, "error", "Error"),
        (EventKind.FAILED, "error", "Error"),
        (EventKind.REGISTERED, "state_change", "State Change"),
        (EventKind.STARTED, "state_change", "State Change"),
        (EventKind.RETRYING, "state_change", "State Change"),
        (EventKind.CANCELED, "state_change", "State Change"),
    ],
)
def test_words_of_old(kind: EventKind, word: str, title: str) -> None:
    """Filters of subscriptions know three types."""
    event = an_event(kind=kind)
    assert notices.event_type(event) == word
    assert notices.subject(event) == f"Daylily Workset {title}: ws-1"


def test_the_body_of_old() -> None:
    """Line by line as contract 7 has it."""
    text, _, details = notices.body(failed()).partition("\n\nAdditional Details:\n")
    assert text.splitlines() == [
        *("Workset: ws-1", "Event: error", "State: error", "Priority: urgent", ""),
        *("step 3 failed", "", "Error Details:", "exit code 2", "disk full"),
    ]
    assert json.loads(details) == {
        "event_id": "ws-1-7-error",
        "customer_id": "acme",
        "at": "2025-06-02T12:00:00Z",
    }


def test_no_error_no_details() -> None:
    """Good news has no such part."""
    assert "Error Details" not in notices.body(an_event())


@given(workset_id=st.text())
def test_d62_a_subject_is_one_line_of_ascii(workset_id: str) -> None:
    """Rows of others have any id; a subject that SNS refuses would be owed for ever."""
    told = notices.subject(evolve(an_event(), workset_id=workset_id))
    assert told.isascii()
    assert told.isprintable()
    assert 0 < len(told) <= notices.SUBJECT_LENGTH


@given(text=st.text(st.characters(exclude_categories=())))
def test_d62_a_body_can_be_sent(text: str) -> None:
    """Whatever a pipeline has written last: what cannot be sent is replaced."""
    told = notices.body(failed(message=text, error_details=text))
    told.encode()
    assert all(each.isprintable() or ord(each) > 159 or each in "\n\t" for each in told)


@pytest.mark.parametrize("letter", ["x", "\u00e9", "\U0001f9ec", "\x00"])
def test_a_body_fits(letter: str) -> None:
    """Into the 256 KiB that SNS takes, whatever letters it is of."""
    long = letter * 300_000
    assert len(notices.body(failed(message=long, error_details=long)).encode()) < 256 * 1024


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abc123HUSH",
        "curl -H 'authorization: HUSH'",
        "password=HUSH",
        'db_password: "HUSH"',
        "AWS_SECRET_ACCESS_KEY=HUSH",
        "https://host/x?X-Amz-Signature=HUSH&y=1",
        "postgres://ada:HUSH@db/x",
        "LINEAR_API_KEY='HUSH'",
        "token = HUSH",
        "Bearer eyJhbGciHUSH",
    ],
)
def test_d62_secrets_are_masked(text: str) -> None:
    """What a pipeline has let slip is not mailed around."""
    told = notices.clean(f"step 3: {text} and so on")
    assert "HUSH" not in told
    assert notices.MASK in told
    assert told.startswith("step 3: ")


def test_d62_keys_are_masked_wherever_they_stand() -> None:
    """Those of AWS and of Linear are known by their form."""
    told = notices.clean("as AKIAIOSFODNN7EXAMPLE with lin_api_abcDEF123")
    assert told == f"as {notices.MASK} with {notices.MASK}"


def test_plain_words_stay() -> None:
    """People have to read what went wrong."""
    text = "no token was given; the password file is missing: /etc/daylily/x (exit code 2)"
    assert notices.clean(text) == text


def test_words_for_a_monitor() -> None:
    """It is no state of a workset: filters of old do not take it for one."""
    event = news_of_a_monitor()
    assert notices.event_type(event) == "monitor_silent"
    assert notices.subject(event) == "Daylily Monitor Silent: lab-1"
    assert notices.body(event).splitlines()[:4] == [
        "Monitor: lab-1", "Event: monitor_silent", "Priority: urgent", ""
    ]  # fmt: skip
    assert "customer" not in notices.body(event)
