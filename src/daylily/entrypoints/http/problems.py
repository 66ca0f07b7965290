"""One map from errors to RFC 9457 problem details: no route has a ``try`` of its own."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from attrs import evolve, frozen
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from daylily.application.answer_once import UnderWayError
from daylily.domain.errors import (
    ConflictError,
    CursorError,
    DaylilyError,
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    QuotaError,
    StaleVersionError,
    TooManyTriesError,
    UnauthenticatedError,
    UnavailableError,
)
from daylily.entrypoints.http.errors import (
    BadDocumentError,
    ClosedDoorError,
    CutShortError,
    ForbiddenError,
    MediaTypeError,
    MisdirectedError,
    TooManyRequestsError,
    TooManyStreamsError,
)
from daylily.entrypoints.http.prefix import path_asked_for
from daylily.entrypoints.http.security import request_id

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER: Final = "5"
"""Seconds; an outage that a client may wait for."""

_TOLD: Final = 20

_log = logging.getLogger(__name__)


@frozen
class Kind:
    """What all errors of one class have in common."""

    status: int
    slug: str
    title: str
    headers: Mapping[str, str] = {}


KINDS: Final[Mapping[type[DaylilyError], Kind]] = {
    NotFoundError: Kind(404, "not-found", "There is no such thing"),
    StaleVersionError: Kind(412, "stale-version", "It has moved on since it was read"),
    ConflictError: Kind(409, "conflict", "The present state rules this out"),
    UnderWayError: Kind(409, "under-way", "The same is being worked on", {"Retry-After": "1"}),
    CursorError: Kind(400, "bad-cursor", "The cursor is not one of this listing"),
    InvalidInputError: Kind(422, "invalid-input", "Something is wrong with what was sent"),
    UnavailableError: Kind(503, "unavailable", "Not available now", {"Retry-After": RETRY_AFTER}),
    UnauthenticatedError: Kind(
        401, "unauthenticated", "Sign in first", {"WWW-Authenticate": 'Bearer realm="daylily"'}
    ),
    ClosedDoorError: Kind(401, "closed", "Not from there", {"WWW-Authenticate": "Bearer"}),
    QuotaError: Kind(403, "quota", "What was agreed upon is used up"),
    NotAllowedError: Kind(403, "not-allowed", "Not allowed"),
    ForbiddenError: Kind(403, "forbidden", "Not allowed"),
    MisdirectedError: Kind(421, "misdirected", "This is not the host that was asked for"),
    BadDocumentError: Kind(400, "bad-document", "The body cannot be read"),
    MediaTypeError: Kind(415, "media-type", "The body is of another type than is taken here"),
    CutShortError: Kind(400, "cut-short", "The body did not arrive whole"),
    TooManyRequestsError: Kind(429, "too-many-requests", "Too many requests"),
    TooManyStreamsError: Kind(429, "too-many-streams", "Too many streams", {"Retry-After": "10"}),
    TooManyTriesError: Kind(429, "too-many-tries", "Too many tries", {"Retry-After": "300"}),
}
_BROKEN: Final = Kind(500, "internal", "Something went wrong here")
_AWAY: Final = "A store or an engine does not answer, and what became of the request is not known."
_BUG: Final = "This is a fault of ours; the log has it under the request id."


@frozen
class Problem:
    """An error as people and programs are told of it."""

    kind: Kind
    detail: str
    faults: tuple[Mapping[str, str], ...] | None = None


def problem_of(error: Exception) -> Problem:
    """Return what may be told of an error: never a path, a query or a trace of ours."""
    if isinstance(error, HTTPException):
        return _of_framework(error)
    kind = next((KINDS[cls] for cls in type(error).__mro__ if cls in KINDS), _BROKEN)
    if isinstance(error, InvalidInputError):
        faults = tuple({"place": fault.place, "message": fault.message} for fault in error.faults)
        return Problem(kind, _summed_up(error), faults)
    if isinstance(error, NotFoundError):
        text = str(error)
        return Problem(kind, text if " " in text else f"there is no {text}")
    if isinstance(error, UnavailableError):
        return Problem(kind, _AWAY)
    if isinstance(error, TooManyRequestsError):
        kind = evolve(kind, headers={"Retry-After": str(error.wait)})
    return Problem(kind, _BUG if kind is _BROKEN else str(error))


def _summed_up(error: InvalidInputError) -> str:
    """Return the first faults as text; all of them are listed beside it."""
    more = len(error.faults) - _TOLD
    lines = [str(fault) for fault in error.faults[:_TOLD]]
    return "\n".join([*lines, f"and {more} more"] if more > 0 else lines)


def _of_framework(error: HTTPException) -> Problem:
    """Return the problem behind an error that the web framework raised."""
    phrase = HTTPStatus(error.status_code).phrase
    if isinstance(error, ValidationException):
        found = error.extra if isinstance(error.extra, list) else []
        faults = tuple(
            {"place": str(each.get("key", "")), "message": str(each.get("message", ""))}
            for each in found
            if isinstance(each, dict)
        )
        return Problem(KINDS[InvalidInputError], error.detail, faults)
    if error.status_code >= 500:
        return Problem(_BROKEN, _BUG)
    slug = phrase.lower().replace(" ", "-")
    kind = Kind(error.status_code, slug, phrase, dict(error.headers or {}))
    return Problem(kind, _HINTS.get(error.status_code, error.detail))


_HINTS: Final = {
    404: "There is nothing at this address.",
    405: "There is something at this address, but not for this method.",
    413: "The body is larger than is taken here.",
}


def answer_problem(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, object]]:
    """Return an error as problem details, and log what is worth it."""
    problem = problem_of(error)
    note(request, error, problem)
    body: dict[str, object] = {
        "type": f"urn:daylily:problem:{problem.kind.slug}",
        "title": problem.kind.title,
        "status": problem.kind.status,
        "detail": problem.detail,
        "instance": path_asked_for(request.scope),
        "request_id": request_id(request.scope),
    }
    if problem.faults is not None:
        body["faults"] = list(problem.faults)
    return Response(
        body,
        status_code=problem.kind.status,
        media_type=MEDIA_TYPE,
        headers=dict(problem.kind.headers),
    )


def note(request: Request[Any, Any, Any], error: Exception, problem: Problem) -> None:
    """Log an error that an operator has to know of; a client's mistake is the client's business."""
    if problem.kind.status == 503:
        _log.warning("request %s: %s", request_id(request.scope), error)
    elif problem.kind.status >= 500:
        _log.error("request %s failed", request_id(request.scope), exc_info=error)
