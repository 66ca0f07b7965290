"""A server as the place where worksets live: its problems become our errors again."""

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NoReturn, Self, cast
from urllib.parse import quote, urlsplit

import cattrs
import httpx
import stamina
import stamina.instrumentation
from attrs import define

from daylily.application.submit_workset import Submission
from daylily.domain.errors import (
    ConflictError,
    DaylilyError,
    Fault,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
)
from daylily.domain.manifest import FastqPair, Manifest, Sample
from daylily.domain.names import check_id, check_key
from daylily.entrypoints.cli.client import Query, Question
from daylily.entrypoints.views import (
    EstimateView,
    FilePage,
    FileView,
    HistoryPage,
    LogView,
    WhyView,
    WorksetPage,
    WorksetView,
    from_json,
)

if TYPE_CHECKING:
    from typing_extensions import Buffer

EVERYBODY: Final = "-"
"""Stands for all customers in a path; for operators only."""

_CHUNK: Final = 1 << 20
# Uploads and the copying on submission may take as long as they take; a connection may not.
_TIMEOUT: Final = httpx.Timeout(30, connect=5, write=120, read=120)
_NOT_NOW: Final = frozenset({429, 502, 503, 504})


class _NotNowError(UnavailableError):
    """Worth asking again at once: the server is starting, or restarting."""


@define
class RemoteClient:
    """A Client of a daylily server."""

    _http: httpx.Client
    _url: str
    _customer: str
    _attempts: int = 4

    @classmethod
    def to(
        cls,
        url: str,
        token: str | None,
        customer: str,
        *,
        transport: httpx.BaseTransport | None = None,
    ) -> Self:
        """
        Return a client of the server at *url*; nothing is asked of it yet.

        Args:
            transport: How to reach it, if not over the network.
        """
        # Standard output is for results: what is retried is nobody's business until it fails.
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
        return cls(http, url, customer)

    def faults(self, submission: Submission) -> Sequence[Fault]:
        """See Client.faults; the server is asked, since it is the server that would refuse."""
        try:
            self._send("POST", self._path("worksets/validate"), json=_body(submission))
        except InvalidInputError as error:
            # What is wrong with samples has been told already, at the places of the source.
            manifest = Manifest(samples=submission.samples, pipeline=submission.pipeline)
            told = any(True for _ in manifest.faults())
            return [each for each in error.faults if not (told and each.place.startswith("samples"))]
        return ()

    def submit(self, submission: Submission) -> WorksetView:
        """See Client.submit."""
        try:
            answer = self._send("POST", self._path("worksets"), json=_body(submission))
        except UnavailableError as error:
            raise UnavailableError(
                f"{error}. Whether the workset was taken in is not known: look with "
                f"'daylily list --name', before you submit it again"
            ) from error
        return cast(WorksetView, self._view(answer, WorksetView))

    def get(self, workset_id: str) -> WorksetView:
        """See Client.get."""
        return cast(WorksetView, self._view(self._ask(self._workset(workset_id)), WorksetView))

    def why(self, workset_id: str) -> WhyView:
        """See Client.why."""
        return cast(WhyView, self._view(self._ask(f"{self._workset(workset_id)}/why"), WhyView))

    def history(self, workset_id: str, *, cursor: str | None, limit: int) -> HistoryPage:
        """See Client.history."""
        params = _given({"cursor": cursor, "limit": limit})
        answer = self._ask(f"{self._workset(workset_id)}/history", params)
        return cast(HistoryPage, self._view(answer, HistoryPage))

    def list(self, query: Query) -> WorksetPage:
        """See Client.list."""
        params = {
            "state": list(query.states),
            "priority": query.priority,
            "name": query.name,
            "limit": query.limit,
            "cursor": query.cursor,
        }
        customer = EVERYBODY if query.all_customers else self._customer
        answer = self._ask(f"/api/customers/{customer}/worksets", _given(params))
        return cast(WorksetPage, self._view(answer, WorksetPage))

    def cancel(self, workset_id: str, reason: str) -> WorksetView:
        """See Client.cancel."""
        path = f"{self._workset(workset_id)}/cancel"
        return cast(
            WorksetView, self._view(self._send("POST", path, json={"reason": reason}), WorksetView)
        )

    def retry(self, workset_id: str, reason: str, *, failed_samples: bool = False) -> WorksetView:
        """See Client.retry."""
        path = f"{self._workset(workset_id)}/retry"
        asked: dict[str, object] = {"reason": reason}
        if failed_samples:  # what servers of old do not know, they refuse
            asked["failed_samples"] = True
        return cast(WorksetView, self._view(self._send("POST", path, json=asked), WorksetView))

    def log(self, workset_id: str, *, attempt: int | None, offset: int) -> LogView:
        """See Client.log."""
        params = _given({"offset": offset, "attempt": attempt})
        return cast(
            LogView, self._view(self._ask(f"{self._workset(workset_id)}/logs", params), LogView)
        )

    def results(self, workset_id: str, *, attempt: int | None, cursor: str | None) -> FilePage:
        """See Client.results."""
        params = _given({"attempt": attempt, "cursor": cursor})
        answer = self._ask(f"{self._workset(workset_id)}/results", params)
        return cast(FilePage, self._view(answer, FilePage))

    def open_result(self, workset_id: str, key: str, *, attempt: int | None) -> BinaryIO:
        """See Client.open_result."""
        path = f"{self._workset(workset_id)}/results/{quote(check_key(key))}"
        request = self._http.build_request("GET", path, params=_given({"attempt": attempt}))
        try:
            answer = self._http.send(request, stream=True)
            if answer.is_error:
                answer.read()
        except httpx.HTTPError as error:
            self._away(error)
        _check(answer)
        return io.BufferedReader(_Body(answer), _CHUNK)

    def put_file(self, key: str, source: BinaryIO, size: int) -> FileView:
        """See Client.put_file."""
        answer = self._send(
            "PUT",
            self._path(f"files/{quote(check_key(key))}"),
            content=_chunks(source),
            headers={
                "content-length": str(size),
                "content-type": "application/octet-stream",
            },
        )
        return cast(FileView, self._view(answer, FileView))

    def delete_file(self, key: str) -> bool:
        """See Client.delete_file."""
        try:
            self._send("DELETE", self._path(f"files/{quote(check_key(key))}"))
        except NotFoundError:
            return False
        return True

    def estimate(self, question: Question) -> EstimateView:
        """See Client.estimate."""
        body = {
            "pipeline_type": question.pipeline,
            "sample_count": question.sample_count,
            "estimated_coverage": question.coverage,
            "priority": question.priority,
            "data_size_gb": question.data_gb,
        }
        answer = self._send("POST", "/api/estimate-cost", json=body)
        return cast(EstimateView, self._view(answer, EstimateView))

    def ready(self) -> Mapping[str, Any]:
        """
        Return what the server says of its own health.

        Raises:
            UnavailableError: It does not answer, or is not well.
        """
        return cast("Mapping[str, Any]", self._ask("/health/ready").json())

    def close(self) -> None:
        """See Client.close."""
        self._http.close()

    def _path(self, rest: str) -> str:
        return f"/api/customers/{self._customer}/{rest}"

    def _workset(self, workset_id: str) -> str:
        try:
            # Whose it is, the token decides: an operator's own store has no such walls either.
            return f"/api/customers/{EVERYBODY}/worksets/{check_id(workset_id)}"
        except InvalidInputError:
            # What no workset can be called, no store has: the same answer as from a local one.
            raise NotFoundError(f"there is no workset {workset_id[:80]}") from None

    def _ask(self, path: str, params: Mapping[str, Any] | None = None) -> httpx.Response:
        """Ask for what may be asked for again and again."""
        for attempt in stamina.retry_context(
            on=_NotNowError, attempts=self._attempts, timeout=20, wait_initial=0.2, wait_max=3
        ):
            with attempt:
                return self._send("GET", path, params=params)
        raise AssertionError("unreachable")  # pragma: no cover

    def _send(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, path, **more)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            self._away(error)
        _check(answer)
        return answer

    def _away(self, error: Exception) -> NoReturn:
        reason = str(error) or type(error).__name__
        raise _NotNowError(f"the server at {self._url} does not answer: {reason}") from error

    def _view(self, answer: httpx.Response, kind: type[Any]) -> object:
        try:
            return from_json(answer.json(), kind)
        except (ValueError, KeyError, TypeError, cattrs.BaseValidationError) as error:
            raise UnavailableError(f"what answers at {self._url} is no daylily server") from error


@define(slots=False, eq=False)
class _Body(io.RawIOBase):
    """The body of an answer, read as it comes in."""

    _answer: httpx.Response
    _parts: Iterator[bytes] | None = None
    _left: bytes = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "Buffer") -> int:
        view = memoryview(buffer).cast("B")
        if self._parts is None:
            self._parts = self._answer.iter_bytes(_CHUNK)
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


def _chunks(source: BinaryIO) -> Iterator[bytes]:
    while chunk := source.read(_CHUNK):
        yield chunk


def _given(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value is not None and value != []}


def _body(submission: Submission) -> dict[str, Any]:
    return {
        "workset_name": submission.name,
        "pipeline_type": submission.pipeline,
        "reference_genome": submission.reference_genome,
        "priority": submission.priority,
        "notification_email": submission.notification_email,
        "max_retries": submission.max_retries,
        "preferred_cluster": submission.requirements.cluster,
        "availability_zone": submission.requirements.availability_zone,
        "time_limit_hours": submission.requirements.time_limit_hours,
        "samples": [_lane(sample, pair) for sample in submission.samples for pair in sample.pairs],
    }


def _lane(sample: Sample, pair: FastqPair) -> dict[str, Any]:
    """Return one lane of a sample as the API takes it; what nobody said is left out."""
    fields = {
        "sample_id": sample.sample_id,
        "lane": pair.lane,
        "r1_file": pair.r1,
        "r2_file": pair.r2,
        "run_id": sample.run_id,
        "experiment_id": sample.experiment_id,
        "sample_type": sample.sample_type,
        "library_prep": sample.library_prep,
        "vendor": sample.vendor.value,
        "platform": sample.platform,
        "barcode": sample.barcode,
        "concordance_dir": sample.concordance_dir,
        "subsample": sample.subsample,
        "positive_control": sample.positive_control,
        "negative_control": sample.negative_control,
        "n_x": sample.n_x,
        "n_y": sample.n_y,
        "external_id": sample.external_id,
        "coverage": sample.coverage,
    }
    return _given(fields)


def _check(answer: httpx.Response) -> None:
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
    if status in {401, 403}:
        raise DaylilyError(
            f"{text}: give the server's token by DAYLILY_TOKEN or --token-file"
            if status == 401
            else text
        )
    if status == 404:
        raise NotFoundError(text)
    if status in {409, 412}:
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
