"""LinearNotifier, held to the contract of its port; the server refuses a second issue of one id."""

import uuid
from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest
from attrs import evolve
from tests.integration.notices.linear_server import DONE, KEY, TEAM, Linear, linear_server

from daylily.adapters.linear import LinearNotifier, issue_id_of
from daylily.adapters.system import utc_now
from daylily.domain.errors import ThrottledError, UnavailableError
from daylily.domain.events import Event, EventKind
from daylily.domain.lifecycle import Priority, State
from daylily.ports.notifier import Notifier
from daylily.testing.clock import ManualClock
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
    channel = LinearNotifier(KEY, TEAM, utc_now, linear.url)
    yield channel
    channel.close()


class TestLinearNotifier(NotifierContract):
    """The contract, on issues."""

    @pytest.fixture
    def notifier(self, linear: Linear) -> Iterator[Notifier]:
        """Return a channel that has not been told anything."""
        self.linear = linear
        channel = LinearNotifier(KEY, TEAM, utc_now, linear.url)
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
    other = LinearNotifier(KEY, TEAM, utc_now, linear.url)
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
        ((429, b'{"errors": [{"message": "Rate limit exceeded"}]}'), "asks for a pause: 60 s"),
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
    notifier = LinearNotifier(secret, TEAM, utc_now, linear.url)
    with pytest.raises(UnavailableError) as caught:
        notifier.send(an_event())
    notifier.close()
    assert "not authenticated as ********" in str(caught.value)
    shown = "".join(map(repr, (caught.value, caught.value.__cause__, notifier)))
    assert secret not in shown


def failure(number: int = 7) -> Event:
    """Return the news that a workset has failed."""
    failed = evolve(an_event(f"ws-1-{number}-error", kind=EventKind.ERROR), state=State.ERROR)
    return evolve(failed, message="step 3 failed")


def success(*errors: Event) -> Event:
    """Return the news that it is complete after all."""
    return evolve(an_event("ws-1-12-complete"), settles=tuple(each.event_id for each in errors))


def test_completion_closes_what_errors_have_opened(linear: Linear, notifier: LinearNotifier) -> None:
    """All of them, with a word why, into the first state that means done; no issue is opened for it."""
    first, second = failure(7), failure(9)
    for error in (first, second):
        notifier.send(error)
    notifier.send(success(second, first))
    assert list(linear.issues) == [issue_id_of(first), issue_id_of(second)]
    for issue in linear.issues.values():
        assert issue["state"] == DONE
        assert [each["body"] for each in issue["comments"]] == ["ws-1 is complete: attempt 1 complete"]


def test_repeats_close_once(linear: Linear, notifier: LinearNotifier) -> None:
    """Whoever opens it again after that has a reason: a repeat leaves it so, and adds no word."""
    notifier.send(failure())
    notifier.send(success(failure()))
    (issue,) = linear.issues.values()
    issue["state"] = linear.states[0]
    other = LinearNotifier(KEY, TEAM, utc_now, linear.url)
    for channel in (notifier, other):
        channel.send(success(failure()))
    other.close()
    assert linear.changes == ["issueCreate", "issueUpdate", "commentCreate"]


@pytest.mark.parametrize("lost", ["issueUpdate", "commentCreate"])
def test_an_answer_that_is_lost_on_the_way_to_close(
    linear: Linear, notifier: LinearNotifier, lost: str
) -> None:
    """What had been done is not done again, and what had not is."""
    notifier.send(failure())
    linear.lose_answers = lost
    with pytest.raises(UnavailableError, match="linear does not answer"):
        notifier.send(success(failure()))
    linear.lose_answers = False
    notifier.send(success(failure()))
    assert linear.changes == ["issueCreate", "issueUpdate", "commentCreate"]


def test_where_a_team_has_no_state_for_what_is_done(linear: Linear, notifier: LinearNotifier) -> None:
    """The issue is commented, and stays open."""
    linear.states = linear.states[:1]
    notifier.send(failure())
    for _ in range(2):
        notifier.send(success(failure()))
    (issue,) = linear.issues.values()
    assert issue["state"] == linear.states[0]
    assert len(issue["comments"]) == 1


def test_what_a_person_has_closed_is_only_commented(linear: Linear, notifier: LinearNotifier) -> None:
    """Canceled stays canceled."""
    notifier.send(failure())
    (issue,) = linear.issues.values()
    issue["state"] = {**DONE, "id": "state-canceled", "type": "canceled"}
    notifier.send(success(failure()))
    assert issue["state"]["type"] == "canceled"
    assert len(issue["comments"]) == 1


def test_where_no_error_has_opened_an_issue(linear: Linear, notifier: LinearNotifier) -> None:
    """Somebody has deleted it, or errors do not go there: completion opens its own, as ever."""
    notifier.send(success(failure()))
    assert list(linear.issues) == [issue_id_of(success())]


@pytest.mark.parametrize("issues", [b"null", b"7", b'{"nodes": [7]}', b'{"nodes": [{"id": "x"}]}'])
def test_odd_issues(linear: Linear, notifier: LinearNotifier, issues: bytes) -> None:
    """They are an outage, and the news stays owed."""
    linear.answer = (200, b'{"data": {"issues": ' + issues + b"}}")
    with pytest.raises(UnavailableError, match="does not say which issues"):
        notifier.send(success(failure()))


def test_two_that_comment_at_once(linear: Linear, notifier: LinearNotifier) -> None:
    """Linear refuses the second of one id; that is no failure."""
    notifier.send(failure())
    other = LinearNotifier(KEY, TEAM, utc_now, linear.url)

    def overtaken(query: str) -> None:
        if "commentCreate" in query:
            linear.before = lambda _: None
            other.send(success(failure()))

    linear.before = overtaken
    notifier.send(success(failure()))
    other.close()
    (issue,) = linear.issues.values()
    assert len(issue["comments"]) == 1


def test_a_comment_that_is_refused(linear: Linear, notifier: LinearNotifier) -> None:
    """It stays owed, and is written later."""
    notifier.send(failure())
    linear.before = lambda query: b'{"errors": [{"message": "no"}]}' if "commentC" in query else None
    with pytest.raises(UnavailableError, match="400: no"):
        notifier.send(success(failure()))
    linear.before = lambda _: None
    notifier.send(success(failure()))
    assert linear.changes == ["issueCreate", "issueUpdate", "commentCreate"]


@pytest.mark.parametrize("ahead", [timedelta(), timedelta(minutes=-10), timedelta(minutes=10)])
def test_limits_are_kept(linear: Linear, ahead: timedelta) -> None:
    """
    Linear answers 400 and RATELIMITED: nothing is asked until it is over, and the news stays owed.

    When that is, Linear says by its own clock, which ours need not agree with.
    """
    linear.ahead = ahead
    linear.limited = {
        "Requests": linear.now + timedelta(minutes=20),
        "Endpoint-Requests": linear.now + timedelta(minutes=5),
    }
    clock = ManualClock()
    notifier = LinearNotifier(KEY, TEAM, clock, linear.url)
    for _ in range(3):
        with pytest.raises(ThrottledError, match=r"linear asks for a pause: 1(20[01]|19[0-9]) s"):
            notifier.send(an_event())
    assert len(linear.asked) == 1

    linear.limited = {}
    clock.advance(timedelta(minutes=19))
    with pytest.raises(ThrottledError):
        notifier.send(an_event())
    clock.advance(timedelta(minutes=1, seconds=1))
    notifier.send(an_event())
    notifier.close()
    assert len(linear.asked) == 2
    assert len(linear.issues) == 1


def test_a_limit_that_is_not_explained(linear: Linear) -> None:
    """A minute, then; and never more than an hour, whatever the headers say."""
    clock = ManualClock()
    notifier = LinearNotifier(KEY, TEAM, clock, linear.url)
    linear.answer = (400, b'{"errors": [{"message": "slow", "extensions": {"code": "RATELIMITED"}}]}')
    with pytest.raises(ThrottledError, match="60 s"):
        notifier.send(an_event())
    clock.advance(timedelta(minutes=1))
    linear.limited = {"Complexity": linear.now + timedelta(days=99)}
    with pytest.raises(ThrottledError, match="3600 s"):
        notifier.send(an_event())
    notifier.close()


@pytest.mark.parametrize(
    "errors", [b'[{"extensions": 7}]', b'[{"extensions": {"code": ["RATELIMITED"]}}]', b'{"code": 1}']
)
def test_odd_errors_are_no_limits(linear: Linear, notifier: LinearNotifier, errors: bytes) -> None:
    """They are refusals."""
    linear.answer = (400, b'{"errors": ' + errors + b"}")
    with pytest.raises(UnavailableError, match="answers 400") as caught:
        notifier.send(an_event())
    assert not isinstance(caught.value, ThrottledError)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/graphql", "http://[/graphql"])
def test_nobody_there(url: str) -> None:
    """An outage is told as one, and without a second question."""
    notifier = LinearNotifier(KEY, TEAM, utc_now, url)
    with pytest.raises(UnavailableError, match="linear does not answer"):
        notifier.send(an_event())
    notifier.close()
