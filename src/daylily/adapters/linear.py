"""Issues in Linear for worksets that ended (contract 7)."""

import hashlib
import re
import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final, Self

import httpx
from attrs import define, field, frozen

from daylily.adapters import notices
from daylily.domain.errors import ThrottledError, UnavailableError
from daylily.domain.events import Event, EventKind
from daylily.domain.lifecycle import Priority
from daylily.ports.clock import Clock

URL: Final = "https://api.linear.app/graphql"
TIMEOUT: Final = 10.0
"""Seconds."""

_TOLD: Final = frozenset({EventKind.COMPLETE, EventKind.ERROR, EventKind.FAILED})
_URGENT, _HIGH, _MEDIUM = 1, 2, 3

_CREATE: Final = """
mutation Create($input: IssueCreateInput!) {
  issueCreate(input: $input) { success issue { id identifier url } }
}
"""
_FIND: Final = "query Find($id: String!) { issue(id: $id) { id identifier url } }"
# Those that are not there are left out, and are no error. The filters keep the query cheap, too.
_OPENED: Final = """
query Opened($ids: [ID!]!, $comments: [ID!]!) {
  issues(filter: { id: { in: $ids } }, first: 10) {
    nodes {
      id
      state { type }
      team { states(filter: { type: { eq: "completed" } }, first: 10) { nodes { id position } } }
      comments(filter: { id: { in: $comments } }, first: 10) { nodes { id } }
    }
  }
}
"""
_CLOSE: Final = """
mutation Close($id: String!, $input: IssueUpdateInput!) {
  issueUpdate(id: $id, input: $input) { success }
}
"""
_COMMENT: Final = """
mutation Comment($input: CommentCreateInput!) {
  commentCreate(input: $input) { success }
}
"""
_ENDED: Final = frozenset({"completed", "canceled", "duplicate"})
"""Types of states of an issue that nobody works on any more."""
_RATE_LIMITED: Final = "RATELIMITED"
_LIMITS: Final = ("Requests", "Endpoint-Requests", "Complexity")
"""Each has headers of its own: ``X-RateLimit-<limit>-Remaining``, and ``-Reset`` in ms since 1970."""
_PAUSE: Final = timedelta(minutes=1)
"""Where Linear does not say how long."""
_LONGEST_PAUSE: Final = timedelta(hours=1)
"""All of its limits are by the hour."""
_MESSAGE_LENGTH: Final = 300
_MARKS: Final = re.compile("`+")


class _RefusedError(UnavailableError):
    """Linear has answered, and not done what it was asked."""


@frozen(eq=False)
class LinearNotifier:
    """
    A Notifier that opens an issue for each workset that is complete or has failed; no other news.

    The issue's id is made of the event's, so that the same news is the same issue however often it
    is sent: Linear refuses a second of one id, and then has the first. That a workset is complete
    which had failed before closes the issues of its errors instead, or, where their team has no state
    for what is done, comments them; the comment, whose id is made of the event's too, tells that all
    of it has been done. Linear's limits are kept: until they are reset, nothing is asked.

    Args:
        api_key: A personal key, sent as it is: Linear wants no ``Bearer`` before it.
        team_id: Whose issues they are.
        clock: Tells when a pause is over.
        url: Of the API.
    """

    _api_key: str = field(repr=False)
    team_id: str
    clock: Clock = field(repr=False)
    url: str = URL
    _client: httpx.Client = field(init=False, repr=False)
    _pause: "_Pause" = field(init=False, repr=False, factory=lambda: _Pause())

    @_client.default
    def _new_client(self) -> httpx.Client:
        return httpx.Client(timeout=TIMEOUT, headers={"authorization": self._api_key})

    @property
    def kinds(self) -> frozenset[EventKind]:
        """How worksets end."""
        return _TOLD

    def send(self, event: Event) -> None:
        """
        See Notifier.send.

        Raises:
            ThrottledError: Linear asks for a pause, now or since it was last asked for something.
        """
        if event.kind not in _TOLD or (event.settles and self._settled(event)):
            return
        issue_id = issue_id_of(event)
        issue = {
            "id": issue_id,
            "teamId": self.team_id,
            "title": f"[Daylily] {notices.clean(event.subject)} - {event.state}",
            "description": _description(event),
            "priority": _priority(event),
        }
        try:
            self._change(_CREATE, {"input": issue}, "create the issue")
        except _RefusedError:
            # It may be there since the last time; Linear has no word of its own for that.
            if not self._is_there(issue_id):
                raise

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def _is_there(self, issue_id: str) -> bool:
        try:
            return bool(self._ask(_FIND, {"id": issue_id}).get("issue"))
        except UnavailableError:
            return False  # what went wrong first is what is told

    def _settled(self, event: Event) -> bool:
        """Close the issues of the errors that *event* settles; tell whether there are any."""
        opened = self._opened(event)
        for issue in opened:
            self._conclude(issue, event)
        return bool(opened)

    def _opened(self, event: Event) -> tuple["_Opened", ...]:
        ids = [_uuid_of(error) for error in event.settles]
        variables = {"ids": ids, "comments": [_comment_id(event, each) for each in ids]}
        found = self._ask(_OPENED, variables)
        try:
            return tuple(map(_Opened.of, found["issues"]["nodes"]))
        except (KeyError, TypeError, AttributeError):
            raise UnavailableError("linear does not say which issues there are") from None

    def _conclude(self, issue: "_Opened", event: Event) -> None:
        """Close an issue and say why, unless that has been done: who opens it again has a reason."""
        if issue.commented:
            return
        if issue.done is not None:
            close = {"id": issue.issue_id, "input": {"stateId": issue.done}}
            self._change(_CLOSE, close, "close the issue")
        # Last: whoever dies before it does all of this once more.
        text = f"{notices.clean(event.subject)} is {event.state}: {notices.clean(event.message)}"
        comment_id = _comment_id(event, issue.issue_id)
        comment = {"id": comment_id, "issueId": issue.issue_id, "body": _plain(text)}
        try:
            self._change(_COMMENT, {"input": comment}, "comment the issue")
        except _RefusedError:
            # Another may have been faster.
            now = {each.issue_id: each for each in self._opened(event)}
            if issue.issue_id not in now or not now[issue.issue_id].commented:
                raise

    def _change(self, mutation: str, variables: dict[str, Any], what: str) -> None:
        answer = self._ask(mutation, variables)
        if not any(isinstance(each, dict) and each.get("success") for each in answer.values()):
            raise UnavailableError(f"linear did not {what}, and does not say why")

    def _ask(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        """
        Return the data of an answer without errors.

        Raises:
            ThrottledError: A limit has been reached; nothing is asked until it is reset.
            UnavailableError: There is none. The message never holds the key, whoever repeats it.
        """
        self._pause.check(self.clock())
        try:
            answer = self._client.post(self.url, json={"query": query, "variables": variables})
            content = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise self._away(f"does not answer: {type(error).__name__}: {error}") from None
        if not isinstance(content, dict):
            raise self._away(f"answers {answer.status_code}, and not in GraphQL")
        errors = content.get("errors")
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS or _RATE_LIMITED in _codes(errors):
            self._pause.begin(self.clock(), _pause_of(answer.headers))
            self._pause.check(self.clock())
        if errors or answer.status_code != httpx.codes.OK:
            told = f"answers {answer.status_code}: {_said(errors)}"
            raise _RefusedError(*self._away(told).args)
        data = content.get("data")
        return data if isinstance(data, dict) else {}

    def _away(self, what: str) -> UnavailableError:
        masked = what.replace(self._api_key, notices.MASK) if self._api_key else what
        return UnavailableError(f"linear {notices.clean(masked)[:_MESSAGE_LENGTH]}")


@frozen
class _Opened:
    """An issue of an error, as a completion finds it."""

    issue_id: str
    commented: bool
    """Whether this completion has been told there."""
    done: str | None
    """The state to bring it to; None if it has ended already, or its team has no such state."""

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        states = sorted(told["team"]["states"]["nodes"], key=lambda state: float(state["position"]))
        ended = not states or told["state"]["type"] in _ENDED
        done = None if ended else str(states[0]["id"])
        return cls(str(told["id"]), bool(told["comments"]["nodes"]), done)


@define
class _Pause:
    """How long Linear wants to be left alone; known to this process alone."""

    since: datetime | None = None
    length: timedelta = timedelta()

    def begin(self, at: datetime, length: timedelta) -> None:
        self.since, self.length = at, length

    def check(self, at: datetime) -> None:
        """
        Let through who may ask.

        Raises:
            ThrottledError: It is not over yet.
        """
        if self.since is not None and timedelta() <= at - self.since < self.length:
            left = self.length - (at - self.since)
            raise ThrottledError(
                f"linear asks for a pause: {left.total_seconds():.0f} s are left of it"
            )


def _pause_of(headers: Mapping[str, str]) -> timedelta:
    """Return how long to wait for the limits that are used up, by the clock of Linear."""
    waits = [*_waits(headers)]
    return min(max(waits, default=_PAUSE), _LONGEST_PAUSE)


def _waits(headers: Mapping[str, str]) -> Iterator[timedelta]:
    try:
        sent_at = parsedate_to_datetime(headers.get("date", "")).timestamp()
    except ValueError:
        return
    for limit in _LIMITS:
        remaining = headers.get(f"x-ratelimit-{limit}-remaining", "")
        reset = headers.get(f"x-ratelimit-{limit}-reset", "")
        if remaining.isdecimal() and reset.isdecimal() and float(remaining) < 1:
            seconds = float(reset[:16]) / 1000 - sent_at
            yield timedelta(seconds=min(max(seconds, 1.0), _LONGEST_PAUSE.total_seconds()))


def _codes(errors: Any) -> frozenset[object]:
    """Return the codes of errors, as GraphQL has them in its extensions."""
    if not isinstance(errors, list):
        return frozenset()
    found = (each.get("extensions") for each in errors if isinstance(each, dict))
    codes = (each.get("code") for each in found if isinstance(each, dict))
    return frozenset(code for code in codes if isinstance(code, str))


def issue_id_of(event: Event) -> str:
    """Return the id of the issue of an event: a UUID in the form of version 4, as Linear wants it."""
    return _uuid_of(event.event_id)


def _comment_id(event: Event, issue_id: str) -> str:
    return _uuid_of(f"{event.event_id}:{issue_id}")


def _uuid_of(name: str) -> str:
    digest = hashlib.sha256(f"daylily:{name}".encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


def _priority(event: Event) -> int:
    if event.priority is Priority.URGENT:
        return _URGENT
    return _MEDIUM if event.kind is EventKind.COMPLETE else _HIGH


def _description(event: Event) -> str:
    named = (fact.partition(": ") for fact in notices.facts(event))
    parts = ["\n".join(f"**{name}:** {_plain(value)}  " for name, _, value in named)]
    parts.append(_plain(notices.clean(event.message)))
    if event.error_details:
        parts.append(f"## Error Details\n\n{_fenced(notices.clean(event.error_details))}")
    return "\n\n".join(parts)


def _fenced(text: str) -> str:
    """Return *text* as a block that nothing in it can end."""
    longest = max(map(len, _MARKS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text}\n{fence}"


def _plain(text: str) -> str:
    """Return *text* so that Markdown takes it for what it is: no link, no picture, no mention."""
    return "".join(f"\\{each}" if each in "\\`*_{}[]<>()#!|@" else each for each in text)


def _said(errors: Any) -> str:
    if not isinstance(errors, list):
        return "no reason given"
    said = [str(each.get("message", "")) for each in errors if isinstance(each, dict)]
    return "; ".join(filter(None, said)) or "no reason given"
