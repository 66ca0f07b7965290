"""LinearNotifier, held to the contract of its port; the server refuses a second issue of one id."""

import uuid
from collections.abc import Iterator, Sequence

import pytest
from attrs import evolve
from tests.integration.notices.linear_server import KEY, Linear, linear_server

from daylily.adapters.linear import LinearNotifier, issue_id_of
from daylily.domain.errors import UnavailableError
from daylily.domain.events import EventKind
from daylily.domain.lifecycle import Priority, State
from daylily.ports.notifier import Notifier
from daylily.testing.contracts.notifier import NotifierContract
from daylily.testing.samples import an_event


@pytest.fixture
def linear() -> Iterator[Linear]:
    """A server without issues."""
    with linear_server() as server:
        yield server


@pytest.fixture
def notifier(linear: Linear) -> Iterator[LinearNotifier]:
    """A channel to it."""
    channel = LinearNotifier(KEY, "team-7", linear.url)
    yield channel
    channel.close()


class TestLinearNotifier(NotifierContract):
    """The contract, on issues."""

    @pytest.fixture
    def notifier(self, linear: Linear) -> Iterator[Notifier]:
        """Return a channel that has not been told anything."""
        self.linear = linear
        channel = LinearNotifier(KEY, "team-7", linear.url)
        yield channel
        channel.close()

    def told(self, notifier: Notifier) -> Sequence[str]:
        """Return the events whose issues are there."""
        known = {issue_id_of(an_event(each)): each for each in _event_ids()}
        return [known[issue_id] for issue_id in self.linear.issues]

    @pytest.mark.parametrize("kind", [EventKind.COMPLETE, EventKind.ERROR, EventKind.FAILED])
    def test_every_kind_is_taken(self, notifier: Notifier, kind: EventKind) -> None:
        """Of those that are to become issues."""
        super().test_every_kind_is_taken(notifier, kind)


def _event_ids() -> Iterator[str]:
    return (f"ws-1-{number}" for number in range(64))


@pytest.mark.parametrize(
    "kind", [EventKind.REGISTERED, EventKind.STARTED, EventKind.RETRYING, EventKind.CANCELED]
)
def test_other_news_is_no_issue(linear: Linear, notifier: LinearNotifier, kind: EventKind) -> None:
    """It counts as taken, and Linear is not asked."""
    notifier.send(an_event(kind=kind))
    assert linear.asked == []


def test_what_an_issue_says(linear: Linear, notifier: LinearNotifier) -> None:
    """As contract 7 has it; the key goes as it is."""
    event = evolve(
        an_event("ws-1-7-error", kind=EventKind.ERROR),
        state=State.ERROR,
        message="step 3 failed",
        error_details="disk ```full```",
    )
    notifier.send(event)
    assert linear.keys == [KEY]
    (issue,) = linear.issues.values()
    assert (issue["teamId"], issue["title"]) == ("team-7", "[Daylily] ws-1 - error")
    assert issue["description"].split("\n\n") == [
        "**Workset:** ws-1  \n**Event:** error  \n**State:** error  \n**Priority:** normal  ",
        "step 3 failed",
        "## Error Details",
        "````\ndisk ```full```\n````",
    ]


@pytest.mark.parametrize(
    ("kind", "priority", "number"),
    [
        (EventKind.ERROR, Priority.URGENT, 1),
        (EventKind.COMPLETE, Priority.URGENT, 1),
        (EventKind.ERROR, Priority.NORMAL, 2),
        (EventKind.FAILED, Priority.LOW, 2),
        (EventKind.COMPLETE, Priority.NORMAL, 3),
    ],
)
def test_how_urgent_it_is(
    linear: Linear, notifier: LinearNotifier, kind: EventKind, priority: Priority, number: int
) -> None:
    """In Linear's numbers."""
    notifier.send(evolve(an_event(kind=kind), priority=priority))
    assert [issue["priority"] for issue in linear.issues.values()] == [number]


def test_d62_a_repeat_is_the_same_issue(linear: Linear, notifier: LinearNotifier) -> None:
    """Also of another process, after an answer that was lost on the way."""
    linear.lose_answers = True
    with pytest.raises(UnavailableError, match="linear does not answer"):
        notifier.send(an_event())
    linear.lose_answers = False
    other = LinearNotifier(KEY, "team-7", linear.url)
    other.send(an_event())
    other.close()
    assert len(linear.issues) == 1


def test_an_id_has_the_form_that_linear_wants() -> None:
    """Version 4, and another for each event."""
    one, two = (uuid.UUID(issue_id_of(an_event(each))) for each in ("ws-1-1", "ws-1-2"))
    assert (one.version, two.version) == (4, 4)
    assert one != two


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((502, b"<html>bad gateway</html>"), "does not answer"),
        ((500, b"[]"), "answers 500, and not in GraphQL"),
        ((200, b'{"data": {"issueCreate": {"success": false}}}'), "did not create the issue"),
        ((200, b'{"data": {"issueCreate": null}}'), "did not create the issue"),
        ((200, b'{"data": null}'), "did not create the issue"),
        ((429, b'{"errors": [{"message": "Rate limit exceeded"}]}'), "429: Rate limit exceeded"),
        ((200, b'{"errors": "odd"}'), "no reason given"),
        ((200, b'{"errors": [7]}'), "no reason given"),
    ],
)
def test_what_is_not_taken_stays_owed(
    linear: Linear, notifier: LinearNotifier, answer: tuple[int, bytes], told: str
) -> None:
    """Whatever Linear says; the message is for people."""
    linear.answer = answer
    with pytest.raises(UnavailableError, match=told):
        notifier.send(an_event())


def test_no_error_holds_the_key(linear: Linear) -> None:
    """Not even where the server repeats it, nor in what the channel shows of itself."""
    secret = "a-key-without-a-form"
    notifier = LinearNotifier(secret, "team-7", linear.url)
    with pytest.raises(UnavailableError) as caught:
        notifier.send(an_event())
    notifier.close()
    assert "not authenticated as ********" in str(caught.value)
    shown = "".join(map(repr, (caught.value, caught.value.__cause__, notifier)))
    assert secret not in shown


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/graphql", "http://[/graphql"])
def test_nobody_there(url: str) -> None:
    """An outage is told as one, and without a second question."""
    notifier = LinearNotifier(KEY, "team-7", url)
    with pytest.raises(UnavailableError, match="linear does not answer"):
        notifier.send(an_event())
    notifier.close()
