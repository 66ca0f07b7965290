"""Talking to a server: retries, and problems that become our errors again."""

import io
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NoReturn, Self, TypeVar, cast
from urllib.parse import urlsplit
from uuid import uuid4

import cattrs
import httpx
import stamina
import stamina.instrumentation
from attrs import define

from daylily.domain.errors import (
    ConflictError,
    DaylilyError,
    Fault,
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    StaleVersionError,
    UnauthenticatedError,
    UnavailableError,
)
from daylily.entrypoints.views import from_json

if TYPE_CHECKING:
    from typing_extensions import Buffer

T = TypeVar("T")

CHUNK: Final = 1 << 20
# Uploads and the copying on submission may take as long as they take; a connection may not.
_TIMEOUT: Final = httpx.Timeout(30, connect=5, write=120, read=120)
_NOT_NOW: Final = frozenset({429, 502, 503, 504})


class _NotNowError(UnavailableError):
    """Worth asking again at once: the server is starting, or restarting."""


@define
class Connection:
    """Sends requests, again where that may help and does no harm."""

    http: httpx.Client
    url: str
    attempts: int = 4

    @classmethod
    def to(cls, url: str, token: str | None, *, transport: httpx.BaseTransport | None = None) -> Self:
        """
        Return a connection to the server at *url*; nothing is asked of it yet.

        Args:
            transport: How to reach it, if not over the network.

        Raises:
            InvalidInputError: That is no address of a server.
        """
        if not re.match(r"https?://[^/?#\s]", url):
            raise InvalidInputError.of("url", "is no address such as https://daylily.example")
        # What is retried is nobody's business until it fails.
        stamina.instrumentation.set_on_retry_hooks([])
        headers = {"accept": "application/json", "accept-encoding": "identity"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        host = urlsplit(url).hostname
        http = httpx.Client(
            base_url=url.rstrip("/"),
            headers=headers,
            timeout=_TIMEOUT,
            transport=transport,
            # A proxy of the company's has no way to this machine's own loopback.
            trust_env=host not in {"localhost", "127.0.0.1", "::1"},
        )
        return cls(http, url)

    def ask(self, path: str, params: Mapping[str, Any] | None = None) -> httpx.Response:
        """Ask for what may be asked for again and again."""
        return self._again("GET", path, params=given(params or {}))

    def post(self, path: str, body: Mapping[str, Any], **more: Any) -> httpx.Response:
        """Have something done, once: a key lets the server know a request that it has had before."""
        headers = {**more.pop("headers", {}), "idempotency-key": uuid4().hex}
        return self._again("POST", path, json=body, headers=headers, **more)

    def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        """
        Send a request once.

        Raises:
            DaylilyError: What the server says; UnavailableError if it does not answer.
        """
        try:
            answer = self.http.request(method, path, **more)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            self._away(error)
        check(answer)
        return answer

    def stream(self, path: str, **more: Any) -> httpx.Response:
        """Ask for what is read as it comes; the caller closes it."""
        request = self.http.build_request("GET", path, **more)
        try:
            answer = self.http.send(request, stream=True)
            if answer.is_error:
                answer.read()
        except httpx.HTTPError as error:
            self._away(error)
        check(answer)
        return answer

    def view(self, answer: httpx.Response, kind: type[T]) -> T:
        """
        Return what the server has answered.

        Raises:
            UnavailableError: That is nothing that a server of ours answers.
        """
        try:
            return cast(T, from_json(answer.json(), kind))
        except (ValueError, KeyError, TypeError, cattrs.BaseValidationError) as error:
            raise UnavailableError(f"what answers at {self.url} is no daylily server") from error

    def _again(self, method: str, path: str, **more: Any) -> httpx.Response:
        for attempt in stamina.retry_context(
            on=_NotNowError, attempts=self.attempts, timeout=20, wait_initial=0.2, wait_max=3
        ):
            with attempt:
                return self.send(method, path, **more)
        raise AssertionError("unreachable")  # pragma: no cover

    def _away(self, error: Exception) -> NoReturn:
        reason = str(error) or type(error).__name__
        raise _NotNowError(f"the server at {self.url} does not answer: {reason}") from error


@define(slots=False, eq=False)
class Reading(io.RawIOBase):
    """The body of an answer, read as it comes in."""

    _answer: httpx.Response
    _parts: Iterator[bytes] | None = None
    _left: bytes = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "Buffer") -> int:
        view = memoryview(buffer).cast("B")
        if self._parts is None:
            self._parts = self._answer.iter_bytes(CHUNK)
        try:
            while not self._left:
                self._left = next(self._parts)
        except StopIteration:
            return 0
        except httpx.HTTPError as error:
            raise UnavailableError(f"the connection broke while reading: {error}") from error
        count = min(len(view), len(self._left))
        view[:count], self._left = self._left[:count], self._left[count:]
        return count

    def close(self) -> None:
        self._answer.close()
        super().close()


def opened(answer: httpx.Response) -> BinaryIO:
    """Return the body of an answer as a file."""
    return io.BufferedReader(Reading(answer), CHUNK)


def chunks(source: BinaryIO, size: int, key: str) -> Iterator[bytes]:
    """
    Yield a file, part by part.

    Raises:
        InvalidInputError: It has another size than was said: a file that is being written.
    """
    left = size
    while chunk := source.read(CHUNK):
        left -= len(chunk)
        if left < 0:
            break
        yield chunk
    if left:
        told = "more" if left < 0 else f"{size - left}"
        raise InvalidInputError.of(key, f"has {told} bytes, not {size}: it changed while it was sent")


def given(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what has been said; the rest is the server's to say."""
    return {name: value for name, value in params.items() if value is not None and value != []}


def check(answer: httpx.Response) -> None:
    """
    Return if all went well.

    Raises:
        DaylilyError: What the server said, as the error that it was there.
    """
    if answer.is_success:
        return
    status = answer.status_code
    problem = _problem(answer)
    text = str(problem.get("detail") or problem.get("title") or f"the server answered {status}")
    if status in {400, 413, 422}:
        raise InvalidInputError(_faults(problem) or [Fault("", text)])
    if status == 401:
        raise UnauthenticatedError(text)
    if status == 403:
        raise NotAllowedError(text)
    if status == 404:
        raise NotFoundError(text)
    if status == 412:
        raise StaleVersionError(text)
    if status == 409:
        raise ConflictError(text)
    if status in _NOT_NOW:
        raise _NotNowError(text)
    raise DaylilyError(f"{text} (HTTP {status})")


def _problem(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        problem = answer.json()
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}


def _faults(problem: Mapping[str, Any]) -> list[Fault]:
    listed = problem.get("faults")
    return [
        Fault(_place(str(each.get("place", ""))), str(each.get("message", "")))
        for each in (listed if isinstance(listed, list) else ())
        if isinstance(each, dict)
    ]


def _place(place: str) -> str:
    """Return where a fault stands by the name that it has here: that of the option, and of YAML."""
    return "pipeline" if place == "pipeline_type" else place
