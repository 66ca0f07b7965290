"""What goes wrong is told in one shape, and nothing of our inside with it."""

import json
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.integration.service.service import MINE, READS, Service, places, problem

from daylily.adapters.memory.state_store import InMemoryStateStore
from daylily.domain.errors import UnavailableError

SECRET = "/srv/private/state.db"


class BrokenStore(InMemoryStateStore):
    """A store that is away, or has a bug."""

    error: Exception = UnavailableError(f"{SECRET} is locked")

    def list(self, *args: Any, **more: Any) -> Any:
        """Fail."""
        raise self.error

    def get(self, workset_id: str) -> Any:
        """Fail."""
        raise self.error


def test_unknown_routes(client: Any) -> None:
    """What is not there is a problem like any other."""
    for path in ("/nope", "/api", "/v1/nope", "/api/customers/local", "/openapi.json/x", "/v1"):
        problem(client.get(path), 404, "not-found")


def test_unknown_methods(client: Any) -> None:
    """A method that a route does not have is told with those it has."""
    answer = client.request("PATCH", f"{MINE}/worksets")

    problem(answer, 405, "method-not-allowed")
    assert {"GET", "POST"} <= set(answer.headers["allow"].split(", "))
    problem(client.put(f"{MINE}/files", content=READS), 405, "method-not-allowed")


def test_an_outage_is_503_and_names_nothing(service: Service) -> None:
    """A store that is away is no empty list; the client may try again, and hears of no path of ours."""
    with service.replacing(store=BrokenStore()).client() as client:
        listing, one = client.get(f"{MINE}/worksets"), client.get(f"{MINE}/worksets/ws-1")

    for answer in (listing, one):
        problem(answer, 503, "unavailable")
        assert int(answer.headers["retry-after"]) > 0
        assert SECRET not in answer.text


def test_a_bug_is_500_and_shows_nothing(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    """A fault of ours is logged with its trace under the request's id; the caller hears none of it."""
    store = BrokenStore()
    store.error = RuntimeError(f"unexpected row in {SECRET}")
    with service.replacing(store=store).client() as client:
        answer = client.get(f"{MINE}/worksets")

    found = problem(answer, 500, "internal")
    assert SECRET not in answer.text
    assert "RuntimeError" not in answer.text
    (record,) = [each for each in caplog.records if found["request_id"] in each.getMessage()]
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None


def test_request_ids(client: Any) -> None:
    """A caller's plain id is taken over; anything that could forge a line of a log is not."""
    for given, kept in (("job-7.a_B", True), ("a b", False), ("x" * 65, False), ('"', False)):
        answer = client.get("/health/live", headers={"x-request-id": given})
        assert (answer.headers["x-request-id"] == given) is kept
    assert len({client.get("/health/live").headers["x-request-id"] for _ in range(3)}) == 3


def test_security_headers(client: Any) -> None:
    """Every response, whatever its kind, has a policy and may not be sniffed or framed."""
    for path in ("/", "/nope", f"{MINE}/worksets", "/portal", "/portal/static/portal.css"):
        headers = client.get(path).headers
        assert {"default-src 'none'", "frame-ancestors 'none'"} <= set(
            headers["content-security-policy"].split("; ")
        )
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        if "static" not in path:
            assert headers["cache-control"] == "no-store"


def posted(client: Any, content: bytes | str | Iterator[bytes]) -> Any:
    headers = {"content-type": "application/json"}
    return client.post(f"{MINE}/worksets", content=content, headers=headers)


def test_what_is_no_json_object(client: Any) -> None:
    """A body that is no JSON object is 400: there is no place in it to point at."""
    texts = "", "{", "[]", '"text"', "7", "null", '{"a": NaN}', '{"a": Infinity}', '{"a": "\x00"}'
    numbers = b'{"a": ' + b"9" * 5000 + b"}"
    for content in (*(text.encode() for text in texts), b"\xff\xfe", numbers):
        problem(posted(client, content), 400, "bad-document")


def test_json_that_readers_differ_about(client: Any) -> None:
    """What is said twice in one object counts neither first nor last; nothing of Python is told."""
    twice = b'{"workset_name": "a", "workset_name": "b"}'
    told = problem(posted(client, twice), 400, "bad-document")["detail"]
    assert "'workset_name' is given more than once" in told
    inside = b'{"samples": [{"sample_id": "A", "sample_id": "B"}]}'
    assert "'sample_id'" in problem(posted(client, inside), 400, "bad-document")["detail"]
    told = problem(posted(client, b'{"a": ' + b"9" * 5000 + b"}"), 400, "bad-document")["detail"]
    assert told.endswith("a number has 5000 digits")


def test_each_fault_is_told_once(client: Any) -> None:
    """Though a field may be looked for in several places."""
    told = problem(posted(client, b'{"workset_name": "\\ud800"}'), 422, "invalid-input")
    assert places(told).count("workset_name") == 1


def test_deep_json(client: Any) -> None:
    """Nesting without end neither kills the process nor counts as a bug."""
    for content in ("[" * 100_000, '{"a":' * 100_000, "[" * 100_000 + "]" * 100_000):
        problem(posted(client, content), 400, "bad-document")


def test_large_bodies(client: Any) -> None:
    """Ten megabytes of junk are told what they are; what is larger is not read, announced or not."""
    junk = b"x" * 10_000_000
    for sent in (junk, b"[" * 10_000_000):
        problem(posted(client, sent), 400, "bad-document")

    junk *= 2
    problem(posted(client, junk), 413, "request-entity-too-large")
    problem(posted(client, iter([junk])), 413, "request-entity-too-large")
    answer = client.post(
        "/api/estimate-cost", content=junk[: 2 << 20], headers={"content-type": "application/json"}
    )
    problem(answer, 413, "request-entity-too-large")


def test_odd_numbers_and_letters(client: Any) -> None:
    """Numbers beyond sense and letters that no file can hold are told at their places."""
    content = (
        '{"workset_name": "\\ud800", "pipeline_type": "fastq-qc", "max_retries": 1e400,'
        ' "\\udfff": 1, "samples": [{"sample_id": "A", "r1": "a.fastq", "coverage": -1e308,'
        ' "n_x": 9999999999999999999999}]}'
    )
    found = problem(posted(client, content), 422, "invalid-input")

    assert set(places(found)) == {
        "workset_name", "max_retries", "?", "samples[0].coverage", "samples[0].n_x", "samples[0].r1",
    }  # fmt: skip


def test_estimate(service: Service) -> None:
    """The guide's question is answered without credentials, with the guide's sum."""
    with service.client(None) as client:
        answer = client.post(
            "/api/estimate-cost",
            json={"pipeline_type": "germline", "reference_genome": "GRCh38", "sample_count": 5},
        )

    assert answer.status_code == 200
    made = answer.json()
    assert made["estimated_cost_usd"] == 13.04
    assert made["cost_breakdown"] == {
        "compute": "$0.60", "storage": "$1.44", "fsx": "$8.75", "transfer": "$2.25",
    }  # fmt: skip
    assert (made["vcpu_hours"], made["estimated_duration_minutes"], made["data_size_gb"]) == (
        20,
        75,
        250,
    )


def test_estimate_faults(client: Any) -> None:
    """Negative, absurd and misspelt questions are refused under the names of the API."""

    def asked(**question: Any) -> list[str]:
        return places(problem(client.post("/api/estimate-cost", json=question), 422, "invalid-input"))

    assert asked() == ["pipeline_type"]
    assert asked(pipeline_type="nope") == ["pipeline_type"]
    assert asked(pipeline_type="wgs", reference_genome="hg99", sample_count="5", samples=5) == [
        "sample_count", "samples", "reference_genome",
    ]  # fmt: skip
    assert asked(pipeline_type="wgs", sample_count=-5, estimated_coverage=1e9, data_size_gb=-1) == [
        "sample_count", "estimated_coverage", "data_size_gb",
    ]  # fmt: skip
    assert asked(pipeline_type="x", priority="weird", sample_count=-1) == [
        "pipeline_type", "priority", "sample_count",
    ]  # fmt: skip
    assert asked(pipeline_type="x", reference_genome="y", sample_count="5", priority="z") == [
        "sample_count", "reference_genome", "pipeline_type", "priority",
    ]  # fmt: skip


def test_front_door(client: Any) -> None:
    """Programs get JSON as of old, browsers the portal."""
    program, browser = client.get("/"), client.get("/", headers={"accept": "text/html,*/*"})

    assert program.json() == {
        "status": "healthy",
        "service": "daylily-workset-monitor",
        "timestamp": "2025-06-02T12:00:00Z",
    }
    assert (browser.status_code, browser.headers["location"]) == (302, "/portal")


def test_health(service: Service) -> None:
    """The process lives while a store is down; it is not ready then, and says which store it is."""
    with service.client(None) as client:
        assert client.get("/health/live").json() == {"status": "live"}
        assert client.get("/health/ready").json()["status"] == "ready"
    with service.replacing(store=BrokenStore()).client(None) as client:
        answer = client.get("/health/ready")
        assert client.get("/health/live").status_code == 200

    assert answer.status_code == 503
    assert answer.json()["checks"] == {
        "state_store": "down", "object_store": "up", "customers": "up",
    }  # fmt: skip
    assert SECRET not in answer.text


def test_openapi_names_no_other_host(client: Any) -> None:
    """The API's description is one document that refers to nothing elsewhere."""
    answer = client.get("/openapi.json")
    described = answer.json()

    assert "/v1/api/customers/{cid}/worksets" in described["paths"]
    assert not any(path.startswith(("/api", "/portal", "/docs")) for path in described["paths"])
    assert "http://" not in json.dumps(described)
    assert "https://" not in json.dumps(described)


def test_many_at_once(service: Service, client: Any) -> None:
    """Submissions and readings from many threads neither fail nor mix."""
    client.put(f"{MINE}/files/a.fastq", content=READS)
    start = threading.Barrier(8)

    def submit(number: int) -> str:
        start.wait()
        body = {
            "workset_name": f"Set {number}",
            "pipeline_type": "fastq-qc",
            "samples": [{"sample_id": f"S{number}", "r1": "a.fastq"}],
        }
        answer = client.post(f"{MINE}/worksets", json=body)
        seen = client.get(answer.headers["location"]).json()
        assert seen["samples"][0]["sample_id"] == f"S{number}"
        return str(seen["workset_id"])

    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(submit, range(16)))

    assert len(made) == 16
    assert {view["workset_id"] for view in client.get(f"{MINE}/worksets").json()["worksets"]} == made
