"""What keeps the service standing: rates, sites, logs without secrets, clients that stand still."""

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.integration.service.service import MINE, Service, problem

from daylily.config.loading import load
from daylily.domain.errors import InvalidInputError
from daylily.entrypoints.http import access_log, rates
from daylily.entrypoints.http.access_log import Logged, masked_path
from daylily.entrypoints.http.app import create_asgi
from daylily.entrypoints.http.errors import TooManyRequestsError
from daylily.entrypoints.http.rates import Rate

QUESTION = {"pipeline_type": "germline", "sample_count": 5}


def test_d55_rates_of_callers() -> None:
    """D-55: whoever has used up a minute's requests is told when there is room again."""
    with Service.new(rate_limit=3).client() as client:
        for _ in range(3):
            assert client.get(f"{MINE}/files").status_code == 200
        refused = client.get(f"{MINE}/files")
        problem(refused, 429, "too-many-requests")
        assert 1 <= int(refused.headers["retry-after"]) <= 20
        assert client.get("/health/live").status_code == 200


def test_d55_rates_of_addresses() -> None:
    """D-55: what needs no token has a bound for each address, and so has guessing at tokens."""
    with Service.new(rate_limit=20).client() as client:
        for _ in range(2):
            assert client.post("/api/estimate-cost", json=QUESTION).status_code == 200
        problem(client.post("/api/estimate-cost", json=QUESTION), 429, "too-many-requests")
    service = Service.new(rate_limit=20)
    with service.client(token="guess") as guessing:
        for _ in range(2):
            problem(guessing.get(f"{MINE}/files"), 401, "unauthenticated")
        problem(guessing.get(f"{MINE}/files"), 429, "too-many-requests")
    with Service.new(rate_limit=0).client() as client:
        for _ in range(50):
            assert client.post("/api/estimate-cost", json=QUESTION).status_code == 200


def test_a_rate_recovers() -> None:
    """Evenly: of three a minute, one more after twenty seconds; callers do not share."""
    now = [0.0]
    rate = Rate(3, lambda: now[0])
    for _ in range(3):
        rate.take("a")
    with pytest.raises(TooManyRequestsError) as refused:
        rate.take("a")
    assert refused.value.wait == 20
    rate.take("b")
    now[0] = 20.0
    rate.take("a")
    with pytest.raises(TooManyRequestsError):
        rate.take("a")
    now[0] = 1000.0
    for _ in range(3):
        rate.take("a")


def test_nobody_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Addresses that have been quiet are forgotten, and all of them if there are too many at once."""
    monkeypatch.setattr(rates, "MOST_CALLERS", 10)
    now = [0.0]
    rate = Rate(1, lambda: now[0])
    for number in range(10):
        rate.take(f"old-{number}")
    now[0] = 100.0
    rate.take("new")
    with pytest.raises(TooManyRequestsError):
        rate.take("new")
    for number in range(50):
        rate.take(f"flood-{number}")
    assert len(rate._paid_at) <= 10


def test_d55_other_sites_are_shut_out() -> None:
    """D-55: without a setting no page of another site reads an answer, or changes anything."""
    with Service.new().client() as client:
        asked = client.options(
            f"{MINE}/worksets",
            headers={"origin": "https://evil.example", "access-control-request-method": "POST"},
        )
        assert "access-control-allow-origin" not in asked.headers
        answer = client.get(f"{MINE}/files", headers={"origin": "https://evil.example"})
        assert "access-control-allow-origin" not in answer.headers


def test_sites_that_are_named() -> None:
    """Their pages may call the API with a token of theirs, and never with a cookie, nor the portal."""
    lab = "https://lab.example"
    with Service.new(cors_origins=f"{lab} https://two.example").client() as client:
        asked = client.options(
            f"{MINE}/files/create-folder",
            headers={
                "origin": lab,
                "access-control-request-method": "POST",
                "access-control-request-headers": "authorization,idempotency-key",
            },
        )
        assert asked.status_code == 204
        assert asked.headers["access-control-allow-origin"] == lab
        assert "access-control-allow-credentials" not in asked.headers
        theirs = {"origin": lab, "sec-fetch-site": "cross-site"}
        made = client.post(f"{MINE}/files/create-folder", json={"folder_path": "a"}, headers=theirs)
        assert (made.status_code, made.headers["access-control-allow-origin"]) == (201, lab)
        other = {**theirs, "origin": "https://evil.example"}
        folder = f"{MINE}/files/create-folder"
        problem(client.post(folder, json={"folder_path": "b"}, headers=other), 403, "forbidden")
        assert client.post("/portal/login", headers=theirs).status_code == 403


@pytest.mark.parametrize("origins", ["*", "https://a.example/path", "lab.example", "null"])
def test_no_setting_opens_it_to_all(origins: str) -> None:
    """Sites are named one by one."""
    with pytest.raises(InvalidInputError, match="cors_origins"):
        load({"cors_origins": origins}, {})


def test_one_line_a_request(service: Service) -> None:
    """Who asked for what, how it was answered, how long it took; no token, no query, no control."""
    from litestar.testing import TestClient
    from tests.integration.service.service import BASE, TOKEN

    asgi: Any = Logged(create_asgi(service.app, admin_token=TOKEN))
    with capture_logs() as logs, TestClient(asgi, base_url=BASE) as client:
        client.get(
            f"{MINE}/files?prefix=secret",
            headers={"authorization": f"Bearer {TOKEN}", "x-request-id": "abc"},
        )
        client.get("/nothing%0a%1b[2J/here")
        client.get("/signed/0123/secret")
    first, second, third = logs
    assert (first["method"], first["path"], first["status"]) == ("GET", f"{MINE}/files", 200)
    assert (first["caller"], first["client"]) == ("local/admin", "testclient")
    assert (first["request_id"], first["log_level"]) == ("abc", "info")
    assert first["bytes"] > 0
    assert first["ms"] >= 0
    assert (second["path"], second["status"]) == ("/nothing%0a%1b[2J/here", 404)
    assert second["caller"] is None
    assert third["path"] == "/signed/********"
    told = str(logs)
    assert TOKEN not in told
    assert "secret" not in told


def test_paths_in_logs() -> None:
    """On one line, of bounded length, and never with a signature."""
    assert masked_path({"raw_path": b"/a\xff\nb?token=x"}) == "/a??b"
    assert masked_path({"path": "/" + "x" * 1000}) == "/" + "x" * 299 + "..."
    assert masked_path({"raw_path": b"/v1/signed/x"}) == "/v1/signed/********"


def test_clients_that_stand_still(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that does not come, or does not end, is given up; the request is told so."""
    monkeypatch.setattr(access_log, "BODY_WITHIN", 0.05)
    asgi = create_asgi(service.app, admin_token=None)

    async def ask(*messages: dict[str, Any]) -> list[Any]:
        sent: list[Any] = []
        coming = iter(messages)

        async def receive() -> Any:
            found = next(coming, None)
            if found is None:
                await asyncio.sleep(30)
            return found

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http", "method": "POST", "path": f"{MINE}/worksets", "query_string": b"",
            "raw_path": f"{MINE}/worksets".encode(), "root_path": "", "scheme": "http",
            "headers": [(b"host", b"127.0.0.1"), (b"content-type", b"application/json")],
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8000), "http_version": "1.1",
        }  # fmt: skip
        await asyncio.wait_for(asgi(scope, receive, send), 10)  # type: ignore[arg-type]
        return sent

    for messages in ((), ({"type": "http.request", "body": b"{", "more_body": True},)):
        sent = asyncio.run(ask(*messages))
        assert sent[0]["status"] == 400
        assert b"cut-short" in sent[1]["body"]


def test_d64_one_estimator(service: Service, client: Any) -> None:
    """D-64: the guide's question costs 13.04, its parts add up, and what is absurd is refused."""
    body = client.post("/api/estimate-cost", json={**QUESTION, "reference_genome": "GRCh38"}).json()
    assert body["estimated_cost_usd"] == 13.04
    for priority in ("urgent", "normal", "low", "high"):
        for count in (1, 5, 24):
            told = client.post(
                "/api/estimate-cost",
                json={"pipeline_type": "wgs", "sample_count": count, "priority": priority},
            ).json()
            parts = told["compute_cost_usd"] + told["storage_cost_usd"] + told["transfer_cost_usd"]
            assert told["estimated_cost_usd"] == pytest.approx(parts, abs=1e-9)
    for wrong in (
        {"sample_count": -5}, {"pipeline_type": "unknown"}, {"priority": "weird"}, {"data_size_gb": -1},
        {"estimated_coverage": 1e9}, {"sample_count": 1.5}, {"estimated_coverage": -0.1},
    ):  # fmt: skip
        answer = client.post("/api/estimate-cost", json={**QUESTION, **wrong})
        problem(answer, 422, "invalid-input")


def test_methods_that_callers_make_up_are_counted_as_one(client: Any) -> None:
    """Nobody fills the server's memory, or whoever scrapes it, with words of their own."""
    for number in range(20):
        problem(client.request(f"WORD{number}", f"{MINE}/worksets"), 405, "method-not-allowed")

    figures = client.get("/metrics").text

    assert "WORD" not in figures
    assert 'daylily_http_answers_total{method="other",route="none",status="405"} 20.0' in figures
