"""A server's answers become the errors that a local store raises."""

import io
import json
from collections.abc import Callable

import httpx
import pytest
from attrs import evolve

from daylily.application.submit_workset import Submission
from daylily.domain.errors import (
    ConflictError,
    DaylilyError,
    Fault,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
)
from daylily.domain.manifest import FastqPair, Sample
from daylily.entrypoints.cli.client import Question
from daylily.entrypoints.cli.remote import RemoteClient

Answer = Callable[[httpx.Request], httpx.Response]


def client_of(answer: Answer) -> RemoteClient:
    """Return a client whose server answers as told."""
    return RemoteClient.to(
        "http://127.0.0.1:9", "secret", "acme", transport=httpx.MockTransport(answer)
    )


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidInputError),
        (401, DaylilyError),
        (404, NotFoundError),
        (409, ConflictError),
        (422, InvalidInputError),
        (503, UnavailableError),
        (500, DaylilyError),
    ],
)
def test_statuses_are_errors_again(status: int, kind: type[DaylilyError]) -> None:
    """Each status is the error that it was on the server, with its words."""
    client = client_of(lambda _: httpx.Response(status, json={"detail": "just so"}))
    with pytest.raises(kind, match="just so"):
        client.cancel("ws-1", "")


def test_faults_come_through() -> None:
    """Every fault keeps its place and its message."""
    faults = [{"place": "samples[0].r1", "message": "is gone"}, {"place": "x", "message": "y"}]
    client = client_of(lambda _: httpx.Response(422, json={"detail": "no", "faults": faults}))
    with pytest.raises(InvalidInputError) as caught:
        client.retry("ws-1", "")
    assert caught.value.faults == (Fault("samples[0].r1", "is gone"), Fault("x", "y"))


@pytest.mark.parametrize("failed_samples", [False, True])
def test_a_retry_says_no_more_than_it_has_to(failed_samples: bool) -> None:
    """A server of old refuses fields that it does not know: they are sent where they say something."""
    sent: list[object] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(request.content))
        return httpx.Response(409, json={"detail": "no"})

    with pytest.raises(ConflictError):
        client_of(answer).retry("ws-1", "why", failed_samples=failed_samples)
    assert sent == [{"reason": "why"} | ({"failed_samples": True} if failed_samples else {})]


def test_reads_are_tried_again() -> None:
    """A server that is just restarting is asked again; what comes then counts."""
    answers = iter((httpx.Response(503), httpx.ReadError("reset"), None))

    def answer(request: httpx.Request) -> httpx.Response:
        told = next(answers)
        if isinstance(told, Exception):
            raise told
        log = {"workset_id": "ws-1", "text": "a", "offset": 1, "ended": True, "newer_field": 1}
        return told or httpx.Response(200, json=log)

    assert client_of(answer).log("ws-1", attempt=None, offset=0).text == "a"


def test_a_submission_is_sent_under_one_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have been taken in: it is sent again as the same request, and at last the message says how
    to find out."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        raise httpx.ReadTimeout("no answer")

    sample = Sample(sample_id="NA1", pairs=(FastqPair("a_R1.fq", "a_R2.fq", "1"),))
    with pytest.raises(UnavailableError, match="daylily list"):
        client_of(answer).submit(Submission(name="w", pipeline="fastq-qc", samples=(sample,)))
    assert len(sent) > 1
    assert len({request.headers["idempotency-key"] for request in sent}) == 1
    body = json.loads(sent[0].content)
    assert body["samples"][0]["r2_file"] == "a_R2.fq"
    assert "subsample" not in body["samples"][0]


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"a": 1}'])
def test_something_else_at_the_address(body: bytes) -> None:
    """What is no daylily server is said to be none."""
    client = client_of(lambda _: httpx.Response(200, content=body))
    with pytest.raises(UnavailableError, match="no daylily server"):
        client.estimate(Question(pipeline="wgs"))


def test_uploads_stream_with_their_length_and_token() -> None:
    """A file goes out raw, with its length, behind the token; its name is quoted."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        request.read()
        seen.append(request)
        view = {"key": "k", "size": 3, "etag": "e", "modified_at": "2025-06-02T12:00:00Z"}
        return httpx.Response(201, json=view)

    client_of(answer).put_file("uploads/a b#.fq", io.BytesIO(b"ACG"), 3)
    [request] = seen
    assert request.content == b"ACG"
    assert request.headers["content-length"] == "3"
    assert "transfer-encoding" not in request.headers
    assert request.headers["authorization"] == "Bearer secret"
    assert request.url.raw_path == b"/v1/api/customers/acme/files/uploads/a%20b%23.fq"


@pytest.mark.parametrize("workset_id", ["../admin", "a b", "x?y", ""])
def test_odd_ids_are_never_sent(workset_id: str) -> None:
    """An id that leads elsewhere is not found, without asking."""
    with pytest.raises(NotFoundError):
        client_of(lambda _: pytest.fail("asked")).get(workset_id)


def test_a_download_that_breaks_off_is_told() -> None:
    """Half a file is never taken for a whole one."""

    class Broken(httpx.SyncByteStream):
        def __iter__(self):  # type: ignore[no-untyped-def]
            yield b"half"
            raise httpx.ReadError("reset")

    client = client_of(lambda _: httpx.Response(200, stream=Broken()))
    with (
        client.open_result("ws-1", "report.html", attempt=1) as file,
        pytest.raises(UnavailableError, match="broke"),
    ):
        file.read()


SOUND = Submission(
    name="w", pipeline="wgs", samples=(Sample(sample_id="A", pairs=(FastqPair("a_R1.fq"),)),)
)


def test_the_server_says_what_it_would_refuse() -> None:
    """All but the samples is checked where the workset would run, before anything is uploaded."""
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        faults = [
            {"place": "pipeline_type", "message": "wgs is not set up to run here"},
            {"place": "samples[0].r1_file", "message": "is not so"},
        ]
        return httpx.Response(422, json={"detail": "no", "faults": faults})

    pipeline = Fault("pipeline", "wgs is not set up to run here")
    assert client_of(answer).faults(SOUND) == [pipeline, Fault("samples[0].r1_file", "is not so")]
    # What is wrong with samples here is told here, at their places in the source.
    assert client_of(answer).faults(evolve(SOUND, samples=())) == [pipeline]
    assert {request.url.path for request in asked} == {"/v1/api/customers/acme/worksets/validate"}


def test_the_server_has_nothing_against_it() -> None:
    """A submission that the server would take has no faults."""
    view = {
        "workset_name": "w",
        "pipeline_type": "fastq-qc",
        "reference_genome": "GRCh38",
        "priority": "normal",
        "sample_count": 1,
        "file_count": 2,
    }
    assert list(client_of(lambda _: httpx.Response(200, json=view)).faults(SOUND)) == []


def test_one_name_for_the_pipeline() -> None:
    """The pipeline is at the same place whoever has found the fault, the server or this machine."""
    fault = {"place": "pipeline_type", "message": "no"}
    client = client_of(lambda _: httpx.Response(422, json={"detail": "no", "faults": [fault]}))
    with pytest.raises(InvalidInputError) as caught:
        client.estimate(Question(pipeline="nope"))
    assert caught.value.faults == (Fault("pipeline", "no"),)
