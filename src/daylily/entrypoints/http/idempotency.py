"""``Idempotency-Key``: the same request, sent again, is answered as it was before."""

import hashlib
import logging
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import anyio
from anyio import to_thread
from attrs import define, field
from litestar import Request, Response
from litestar.types import Message, Scope

from daylily.application.answer_once import Answer, AnswerOnce, Claim, UnderWayError
from daylily.domain.errors import ConflictError, DaylilyError, InvalidInputError
from daylily.entrypoints.http.forms import LONGEST_TEXT as LARGEST_BODY
from daylily.entrypoints.http.forms import is_form
from daylily.entrypoints.http.prefix import path_asked_for, unprefixed
from daylily.entrypoints.http.uploads import body_within

T = TypeVar("T")

HEADER: Final = "idempotency-key"
REPLAYED: Final = "idempotent-replayed"
SECRET: Final = "answer_is_secret"  # noqa: S105 - the name of an option
"""Option of a route whose answer is shown once, and so never kept."""
PATIENCE: Final = 10.0
"""Seconds that a request waits for the answer of its twin."""

_KEY: Final = re.compile(r"[!-~]{1,255}")
_MATTERS: Final = frozenset({"content-type", "location", "etag", "x-next-cursor", "retry-after"})
_UNKEPT: Final = frozenset({401, 403, 408, 413, 415, 421, 429})
"""Answers that are about the caller or the moment, and not about what was asked for."""

_log = logging.getLogger(__name__)


class AnsweredError(DaylilyError):
    """The request was answered before; ``answer`` is how."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__("answered before")


@define
class _Call:
    """A request with a key, and the answer to it in the making."""

    once: AnswerOnce
    key: str
    secret: bool
    claim: Claim | None = None
    status: int = 0
    headers: dict[str, str] = field(factory=dict)
    body: bytearray = field(factory=bytearray)


async def begin(request: Request[Any, Any, Any]) -> Response[bytes] | None:
    """
    Answer a request that was answered before; else see to it that its answer is kept.

    A form with files is looked at by its route, when all of it has come: see ``claim_form``.

    Raises:
        InvalidInputError: The key is none, or was used for a request that asked for something else.
        UnderWayError: The same request is being worked on, and has not come to an end in time.
    """
    given = request.headers.get(HEADER)
    if given is None or request.method != "POST":
        return None
    if not _KEY.fullmatch(given):
        raise InvalidInputError.of("Idempotency-Key", "is not 1 to 255 visible characters of ASCII")
    call = _Call(request.app.state["answer_once"], given, bool(request.route_handler.opt.get(SECRET)))
    _notes(request.scope)["call"] = call
    if is_form(request):
        return None
    # Where a route sets no bound of its own, since it takes forms, it is that of a submission.
    bounded = request.route_handler.resolve_request_max_body_size() is not None
    body = await (request.body() if bounded else body_within(request, LARGEST_BODY))
    fingerprint = _fingerprint(request, body)
    found = await in_turn(lambda: _claim(request, call, fingerprint))
    return None if found is None else replayed(found)


async def in_turn(claim: Callable[[], T]) -> T:
    """
    Return what *claim* does in a thread, once the twin of a request has come to an end.

    Raises:
        UnderWayError: It has not, in time.
    """
    waited, rest = 0.0, 0.05
    while True:
        try:
            return await to_thread.run_sync(claim)
        except UnderWayError:
            if waited >= PATIENCE:
                raise
            await anyio.sleep(rest)
            waited, rest = waited + rest, min(2 * rest, 1.0)


def claim_form(request: Request[Any, Any, Any], digest: str) -> None:
    """
    Do as ``begin`` for a form, of which *digest* says what it asks for.

    Raises:
        AnsweredError: It was answered before.
        InvalidInputError: The key was used for a request that asked for something else.
        UnderWayError: The same request is being worked on.
    """
    call = _notes(request.scope).get("call")
    if call is not None:
        found = _claim(request, call, _fingerprint(request, digest.encode()))
        if found is not None:
            raise AnsweredError(found)


def seed_of(request: Request[Any, Any, Any]) -> str | None:
    """Return what ids are to be made of, the same for each time that a request is sent."""
    call = _notes(request.scope).get("call")
    return None if call is None or call.claim is None else call.claim.seed


def replayed(answer: Answer) -> Response[bytes]:
    """
    Return an answer again.

    Raises:
        ConflictError: It held a secret, which is not kept.
    """
    if answer.body is None:
        raise ConflictError("this was answered before, by a secret that is shown once: ask anew")
    headers = {name: value for name, value in answer.headers.items() if name != "content-type"}
    return Response(
        answer.body,
        status_code=answer.status,
        headers={**headers, REPLAYED: "true"},
        media_type=answer.headers.get("content-type", "application/json"),
    )


async def keep_answer(message: Message, scope: Scope) -> None:
    """Keep what is answered to a request with a key, before the last of it is sent."""
    call = _notes(scope).get("call")
    if call is None or call.claim is None:
        return
    if message["type"] == "http.response.start":
        call.status = message["status"]
        call.headers = _that_matter(message["headers"])
    elif message["type"] == "http.response.body":
        call.body += message.get("body", b"")
        if not message.get("more_body", False):
            claim, call.claim = call.claim, None
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(_keep, call, claim)


def _keep(call: _Call, claim: Claim) -> None:
    try:
        if call.status >= 500 or call.status in _UNKEPT:
            call.once.release(claim)
        else:
            body = None if call.secret and call.status < 300 else bytes(call.body)
            call.once.keep(claim, Answer(status=call.status, headers=call.headers, body=body))
    except DaylilyError as error:
        # What was done is done: asked again, it is found by the ids that were made of the seed.
        _log.warning("an answer cannot be kept: %s", error)


def _claim(request: Request[Any, Any, Any], call: _Call, fingerprint: str) -> Answer | None:
    who = request.user
    found = call.once.claim(who.customer_id, who.name, call.key, fingerprint)
    if isinstance(found, Answer):
        return found
    call.claim = found
    return None


def _fingerprint(request: Request[Any, Any, Any], body: bytes) -> str:
    """Return a digest of all that a request asks for."""
    path = unprefixed(path_asked_for(request.scope)).encode("latin-1")
    digest = hashlib.sha256()
    for part in (request.method.encode(), path, request.scope["query_string"], body):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def _that_matter(headers: Any) -> Mapping[str, str] | Any:
    return {
        name.decode("latin-1").lower(): value.decode("latin-1")
        for name, value in headers
        if name.decode("latin-1").lower() in _MATTERS
    }


def _notes(scope: Scope) -> dict[str, Any]:
    notes: dict[str, Any] = scope.setdefault("daylily", {})  # type: ignore[typeddict-item]
    return notes
