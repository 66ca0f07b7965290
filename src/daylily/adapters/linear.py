"""Issues in Linear for worksets that ended (contract 7)."""

import hashlib
import re
import uuid
from typing import Any, Final

import httpx
from attrs import field, frozen

from daylily.adapters import notices
from daylily.domain.errors import UnavailableError
from daylily.domain.events import Event, EventKind
from daylily.domain.lifecycle import Priority

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
_MESSAGE_LENGTH: Final = 300
_MARKS: Final = re.compile("`+")


class _RefusedError(UnavailableError):
    """Linear has answered, and not done what it was asked."""


@frozen(eq=False)
class LinearNotifier:
    """
    A Notifier that opens an issue for each workset that is complete or has failed; no other news.

    The issue's id is made of the event's, so that the same news is the same issue however often it
    is sent: Linear refuses a second of one id, and then has the first.

    Args:
        api_key: A personal key, sent as it is: Linear wants no ``Bearer`` before it.
        team_id: Whose issues they are.
        url: Of the API.
    """

    _api_key: str = field(repr=False)
    team_id: str
    url: str = URL
    _client: httpx.Client = field(init=False, repr=False)

    @_client.default
    def _new_client(self) -> httpx.Client:
        return httpx.Client(timeout=TIMEOUT, headers={"authorization": self._api_key})

    @property
    def kinds(self) -> frozenset[EventKind]:
        """How worksets end."""
        return _TOLD

    def send(self, event: Event) -> None:
        """See Notifier.send."""
        if event.kind not in _TOLD:
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
            answer = self._ask(_CREATE, {"input": issue})
        except _RefusedError:
            # It may be there since the last time; Linear has no word of its own for that.
            if self._is_there(issue_id):
                return
            raise
        if not (answer.get("issueCreate") or {}).get("success"):
            raise UnavailableError("linear did not create the issue, and does not say why")

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def _is_there(self, issue_id: str) -> bool:
        try:
            return bool(self._ask(_FIND, {"id": issue_id}).get("issue"))
        except UnavailableError:
            return False  # what went wrong first is what is told

    def _ask(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        """
        Return the data of an answer without errors.

        Raises:
            UnavailableError: There is none. The message never holds the key, whoever repeats it.
        """
        try:
            answer = self._client.post(self.url, json={"query": query, "variables": variables})
            content = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise self._away(f"does not answer: {type(error).__name__}: {error}") from None
        if not isinstance(content, dict):
            raise self._away(f"answers {answer.status_code}, and not in GraphQL")
        if content.get("errors") or answer.status_code != httpx.codes.OK:
            told = f"answers {answer.status_code}: {_said(content.get('errors'))}"
            raise _RefusedError(*self._away(told).args)
        data = content.get("data")
        return data if isinstance(data, dict) else {}

    def _away(self, what: str) -> UnavailableError:
        masked = what.replace(self._api_key, notices.MASK) if self._api_key else what
        return UnavailableError(f"linear {notices.clean(masked)[:_MESSAGE_LENGTH]}")


def issue_id_of(event: Event) -> str:
    """Return the id of the issue of an event: a UUID in the form of version 4, as Linear wants it."""
    digest = hashlib.sha256(f"daylily:{event.event_id}".encode()).digest()
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
