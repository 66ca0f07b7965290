"""The routes of old for programs (contract 4.1), by the lifecycle, for operators alone."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from tests.integration.service.service import BASE, MINE, TOKEN, Service, places, problem

from daylily.adapters.formats.work_yaml import parse
from daylily.domain.customers import Principal
from daylily.domain.lifecycle import State
from daylily.entrypoints.http import app as http_app
from daylily.entrypoints.http.app import create_asgi
from daylily.entrypoints.http.auth import AdminToken

MEMORY = "memory://"
WORDS = {"bucket": MEMORY, "prefix": "worksets/run-7/", "workset_id": "run-7"}


@pytest.fixture
def customer(service: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client that is signed in as somebody of the customer ``local``."""
    bo = Principal(name="bo", customer_id="local")
    monkeypatch.setattr(http_app, "_authenticator", lambda *_: AdminToken.of(TOKEN, bo))
    asgi: Litestar = create_asgi(service.app, admin_token=TOKEN)
    with TestClient(asgi, base_url=BASE) as client:
        client.headers["authorization"] = f"Bearer {TOKEN}"
        yield client


def test_registering(service: Service, client: Any) -> None:
    """A workset under an id of the caller's own: 201 and where it is; a second time 409."""
    answer = client.post("/worksets", json={**WORDS, "metadata": {"pipeline_type": "germline"}})
    assert answer.status_code == 201, answer.text
    view = answer.json()
    assert {"workset_id", "state", "priority", "bucket", "prefix", "created_at", "updated_at"} <= (
        view.keys()
    )
    assert view["cluster_name"] is view["error_details"] is view["metrics"] is None
    assert answer.headers["location"] == "/worksets/run-7"
    seen = client.get(answer.headers["location"])
    assert seen.headers["etag"] == f'"{view["version"]}"'

    problem(client.post("/worksets", json=WORDS), 409, "conflict")


def test_what_is_elsewhere_is_not_registered(client: Any) -> None:
    """Neither bucket nor prefix can lead out of this service (D-46); all faults at once."""
    body = {"workset_id": "run-7", "bucket": "theirs", "prefix": "worksets/run-8/"}
    assert places(problem(client.post("/worksets", json=body), 422, "invalid-input")) == [
        "bucket",
        "prefix",
    ]
    wrong = {"workset_id": "run-7", "priority": 1, "x": 2}
    found = places(problem(client.post("/worksets", json=wrong), 422, "invalid-input"))
    assert found == ["bucket", "prefix", "priority", "x"]
    body = {**WORDS, "metadata": []}  # type: ignore[dict-item]
    assert places(problem(client.post("/worksets", json=body), 422, "invalid-input")) == ["metadata"]


def test_by_hand_from_lock_to_complete(service: Service, client: Any) -> None:
    """Who runs a workset by other means locks it, says that it has begun, and how it ended."""
    client.post("/worksets", json=WORDS)
    lock = client.post("/worksets/run-7/lock", params={"owner_id": "node1"})
    assert lock.json() == {"status": "locked", "workset_id": "run-7", "owner_id": "node1"}
    problem(client.post("/worksets/run-7/lock", params={"owner_id": "node2"}), 409, "conflict")
    problem(client.delete("/worksets/run-7/lock", params={"owner_id": "node2"}), 403, "not-allowed")

    begun = {"state": "in_progress", "reason": "begun", "owner_id": "node1", "metrics": {"x": 1}}
    answer = client.put("/worksets/run-7/state", json=begun)
    assert (answer.status_code, answer.json()["state"]) == (200, "in_progress")
    ended = {"state": "error", "reason": "no space", "error_details": "disk", "cluster_name": "c1"}
    answer = client.put("/worksets/run-7/state", json=ended)
    assert answer.json()["state"] == "error"
    assert answer.json()["error_details"] == "no space: disk (cluster c1)"


def test_a_lock_is_given_back(client: Any) -> None:
    """The workset is ready again; the answer is that of old."""
    client.post("/worksets", json=WORDS)
    client.post("/worksets/run-7/lock", params={"owner_id": "node1"})
    answer = client.delete("/worksets/run-7/lock", params={"owner_id": "node1"})
    assert answer.status_code == 200
    assert answer.json()["status"] == "unlocked"
    assert client.get("/worksets/run-7").json()["state"] == "ready"
    problem(client.post("/worksets/run-7/lock"), 422, "invalid-input")
    for method in (client.post, client.delete):
        problem(method("/worksets/unknown/lock", params={"owner_id": "x"}), 404, "not-found")


def test_no_step_is_forced(service: Service, client: Any) -> None:
    """What the lifecycle does not have is 409, whoever asks (D-04): complete stays complete."""
    workset_id = service.launched(client)
    service.ended(workset_id)
    for state in ("ready", "in_progress", "error", "ignored"):
        body = {"state": state, "reason": "because"}
        problem(client.put(f"/worksets/{workset_id}/state", json=body), 409, "conflict")
    assert client.get(f"/worksets/{workset_id}").json()["state"] == "complete"
    body = {"state": "retrying", "reason": "because"}
    found = problem(client.put(f"/worksets/{workset_id}/state", json=body), 422, "invalid-input")
    assert places(found) == ["state"]


def test_a_state_is_told_for_what_was_seen(client: Any) -> None:
    """If-Match names the version that was seen: any other is 412, and nothing happens."""
    client.post("/worksets", json=WORDS)
    etag = client.get("/worksets/run-7").headers["etag"]
    body = {"state": "ignored", "reason": "later"}
    for given in ('"999"', '"abc"', 'W/"1"'):
        answer = client.put("/worksets/run-7/state", json=body, headers={"if-match": given})
        problem(answer, 412, "stale-version")
    answer = client.put("/worksets/run-7/state", json=body, headers={"if-match": "nonsense"})
    assert places(problem(answer, 422, "invalid-input")) == ["If-Match"]
    answer = client.put("/worksets/run-7/state", json=body, headers={"if-match": etag})
    assert (answer.status_code, answer.json()["state"]) == (200, "ignored")
    assert answer.headers["etag"] != etag


def test_d42_next_is_no_workset_called_next(service: Service, client: Any) -> None:
    """``/worksets/next`` is what is to run next, or null: urgent before what came before it."""
    answer = client.get("/worksets/next")
    assert (answer.status_code, answer.json()) == (200, None)
    service.submitted(client, "First")
    second = service.submitted(client, "Second")
    client.put(f"/worksets/{second}/priority", json={"priority": "urgent"})
    for path in ("/worksets/next", "/v1/worksets/next"):
        assert client.get(path).json()["workset_id"] == second


def test_d42_cancel_retry_logs_and_states(service: Service, client: Any) -> None:
    """What was always 500 works: cancel is 202, retry follows the lifecycle, logs are read; an unknown
    state is the caller's fault."""
    workset_id = service.launched(client)
    one = f"{MINE}/worksets/{workset_id}"
    service.compute.write(f"{workset_id}/1", "line one\nline two\n")
    assert client.get(f"{one}/logs").json()["logs"] == ["line one", "line two"]
    problem(client.post(f"{one}/retry"), 409, "conflict")
    assert client.post(f"{one}/cancel").status_code == 202
    problem(client.get(f"{MINE}/worksets", params={"state": "no-such"}), 422, "invalid-input")
    created = client.post("/worksets", json=WORDS)
    assert created.status_code == 201


def test_queue_and_scheduler(service: Service, client: Any) -> None:
    """The figures of old, of what is not over."""
    service.launched(client, "First")
    service.submitted(client, "Second")
    stats = client.get("/queue/stats").json()
    assert stats["queue_depth"]["ready"] == stats["ready_worksets"] == 1
    assert (stats["in_progress_worksets"], stats["error_worksets"]) == (1, 0)
    assert stats["total_worksets"] == 2
    found = client.get("/scheduler/stats").json()
    assert found["total_active_worksets"] == 1
    assert found["queue_depth"] == 1
    assert found["total_clusters"] == 1


def test_figures_for_prometheus(service: Service, client: Any) -> None:
    """How the store is, what waits, and what has been answered, in Prometheus's words."""
    service.submitted(client)
    client.get("/worksets/unknown")
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'daylily_worksets{state="ready"} 1.0' in answer.text
    assert 'method="GET",route="/v1/worksets/{workset_id}",status="404"} 1.0' in answer.text
    assert "daylily_http_streams 0.0" in answer.text


def test_operators_alone(service: Service, customer: Any) -> None:
    """What is for operators tells others nothing, not even whether there is such a workset."""
    service.submitted(customer)
    calls = [
        ("POST", "/worksets"), ("PUT", "/worksets/x-1/state"), ("POST", "/worksets/x-1/lock"),
        ("DELETE", "/worksets/x-1/lock"), ("GET", "/worksets/next"), ("POST", "/worksets/validate"),
        ("GET", "/queue/stats"), ("GET", "/scheduler/stats"), ("GET", "/metrics"),
    ]  # fmt: skip
    for method, path in calls:
        problem(customer.request(method, path), 403, "not-allowed")


def test_d41_what_is_generated_is_what_is_taken(service: Service, client: Any) -> None:
    """The generator's YAML is read as it was meant; what portals send is no fault; nobody else's bucket
    is looked at."""
    body = {
        "samples": [
            {"sample_id": "A", "fastq_r1": "sample_data/a_R1.fastq.gz", "coverage": "30"},
            {"sample_id": "B", "fastq_r1": "s3://elsewhere/b_R1.fastq.gz", "coverage": 10},
        ],
        "reference_genome": "GRCh38",
        "pipeline": "rna-seq",
    }
    answer = client.post("/worksets/generate-yaml", json=body)
    assert answer.status_code == 200, answer.text
    made = answer.json()
    read = parse(made["yaml_content"].encode(), default_name="x")
    assert [sample.sample_id for sample in read.samples] == ["A", "B"]
    assert (read.pipeline, read.reference_genome, read.samples[0].coverage) == ("rnaseq", "GRCh38", 30)
    assert made["config"]["samples"][1]["fastq_r1"] == "s3://elsewhere/b_R1.fastq.gz"

    wrong = {**body, "pipeline": "nonsense", "samples": [{"sample_id": "A"}]}
    found = problem(client.post("/worksets/generate-yaml", json=wrong), 422, "invalid-input")
    assert len(places(found)) >= 1


def test_d41_an_empty_file_is_no_crash(service: Service, client: Any) -> None:
    """A directory without sound files is not valid, and what is wrong is listed; nothing is changed."""
    objects = service.app.world.objects
    ask = {"bucket": MEMORY, "prefix": "worksets/run-7/", "dry_run": "true"}
    for content in (b"", b"- 1\n", b"\xff", b"pipeline: nonsense\n"):
        objects.put("worksets/run-7/daylily_work.yaml", content)
        answer = client.post("/worksets/validate", params=ask)
        assert answer.status_code == 200, answer.text
        assert answer.json()["is_valid"] is False
        assert answer.json()["errors"]
    assert [info.key for info in objects.list("").items] == ["worksets/run-7/daylily_work.yaml"]
    other = client.post("/worksets/validate", params={**ask, "bucket": "global-references"})
    problem(other, 422, "invalid-input")


def test_d64_there_is_one_estimator(service: Service, client: Any) -> None:
    """The validator, the API and the workset itself say the same of the same work."""
    workset_id = service.submitted(client)
    kept = service.app.world.store.get(workset_id).estimate
    assert kept is not None
    ask = {"pipeline_type": "fastq-qc", "sample_count": 1}
    made = client.post("/api/estimate-cost", json=ask).json()
    parts = ("compute_cost_usd", "storage_cost_usd", "transfer_cost_usd")
    assert made["estimated_cost_usd"] == float(kept.total_usd)
    assert made["estimated_cost_usd"] == pytest.approx(sum(made[part] for part in parts))
    view = client.get(f"/worksets/{workset_id}").json()
    assert view["estimated_cost_usd"] == made["estimated_cost_usd"]
    directory = {"bucket": MEMORY, "prefix": f"worksets/{workset_id}/"}
    checked = client.post("/worksets/validate", params=directory).json()
    assert checked["is_valid"] is True, checked
    assert checked["estimated_cost_usd"] == made["estimated_cost_usd"]
    assert checked["estimated_duration_minutes"] == made["estimated_duration_minutes"]
    for absurd in ({"sample_count": -5}, {"estimated_coverage": -1}, {"sample_count": 10**9}):
        problem(client.post("/api/estimate-cost", json=ask | absurd), 422, "invalid-input")


def test_estimate_and_recorded_cost_are_shown(service: Service, client: Any) -> None:
    """While it runs there is no cost yet; once over, what its vCPUs have cost stands beside it."""
    workset_id = service.launched(client)
    assert client.get(f"/worksets/{workset_id}").json()["recorded_compute_usd"] is None
    service.clock.advance(timedelta(seconds=3600))
    service.ended(workset_id)
    view = client.get(f"/worksets/{workset_id}").json()
    assert view["state"] == State.COMPLETE
    assert view["recorded_compute_usd"] == view["metrics"]["compute_cost_usd"] == 0.03
