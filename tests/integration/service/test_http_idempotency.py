"""``Idempotency-Key`` over HTTP: one answer, however often and by however many it is asked for."""

import asyncio
from typing import Any, cast

import httpx
import pytest
from attrs import evolve
from tests.integration.service.service import BASE, MINE, READS, TOKEN, Service, places, problem

from daylily.application.answer_once import LEASE, AnswerOnce
from daylily.domain.errors import UnavailableError
from daylily.entrypoints.http import idempotency
from daylily.entrypoints.http.app import create_asgi
from daylily.ports.state_store import Filter

BODY: dict[str, Any] = {
    "workset_name": "Run 7",
    "pipeline_type": "fastq-qc",
    "samples": [{"sample_id": "A", "r1_file": "a_R1.fastq"}],
}
KEY = {"idempotency-key": "7c1f"}


@pytest.fixture
def ready(client: Any) -> Any:
    """A client whose files are there."""
    client.put(f"{MINE}/files/a_R1.fastq", content=READS)
    return client


def count(service: Service) -> int:
    return len(service.app.world.store.list(Filter(), limit=1000).items)


def test_the_same_answer(ready: Any, service: Service) -> None:
    """Status, body and the headers that matter; one workset; also below the other prefix."""
    first = ready.post(f"{MINE}/worksets", json=BODY, headers=KEY)
    again = ready.post(f"{MINE}/worksets", json=BODY, headers=KEY)
    versioned = ready.post(f"/v1{MINE}/worksets", json=BODY, headers=KEY)

    assert first.status_code == 201
    assert "idempotent-replayed" not in first.headers
    for answer in (again, versioned):
        assert (answer.status_code, answer.content) == (201, first.content)
        assert answer.headers["location"] == first.headers["location"]
        assert answer.headers["content-type"] == first.headers["content-type"]
        assert answer.headers["idempotent-replayed"] == "true"
        assert answer.headers["x-request-id"] != first.headers["x-request-id"]
    assert count(service) == 1


def test_another_request_under_it(ready: Any, service: Service) -> None:
    """Another body, query or address under the same key is 422, and nothing is done."""
    workset_id = ready.post(f"{MINE}/worksets", json=BODY, headers=KEY).json()["workset_id"]
    for path, body in (
        (f"{MINE}/worksets", {**BODY, "workset_name": "Run 8"}),
        (f"{MINE}/worksets/validate", BODY),
        ("/api/customers/acme/worksets", BODY),
        (f"{MINE}/worksets/{workset_id}/cancel", {}),
    ):
        answer = problem(ready.post(path, json=body, headers=KEY), 422, "invalid-input")
        assert places(answer) == ["Idempotency-Key"]
    assert count(service) == 1


def test_refusals_are_answers(ready: Any) -> None:
    """What was refused is refused again in the same words: also a second cancel."""
    wrong = {**BODY, "samples": []}
    first = ready.post(f"{MINE}/worksets", json=wrong, headers=KEY)
    again = ready.post(f"{MINE}/worksets", json=wrong, headers=KEY)
    problem(first, 422, "invalid-input")
    assert (again.status_code, again.content) == (422, first.content)
    assert again.headers["content-type"] == "application/problem+json"

    workset_id = ready.post(f"{MINE}/worksets", json=BODY).json()["workset_id"]
    path, key = f"{MINE}/worksets/{workset_id}/cancel", {"idempotency-key": "once"}
    assert ready.post(path, headers=key).status_code == 202
    assert ready.post(path, headers=key).status_code == 202
    problem(ready.post(path), 409, "conflict")


def test_what_failed_is_done_when_it_is_asked_for_again(ready: Any, service: Service) -> None:
    """An outage is no answer to keep; what had been stored is found by the same key."""
    store = service.app.world.store

    class Lost:
        """Stores, and says that it did not; and then shows nothing for a while."""

        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        def add(self, workset: Any) -> Any:
            store.add(workset)
            raise UnavailableError("lost")

        def get(self, workset_id: str) -> Any:
            raise UnavailableError("lost")

    with service.replacing(store=Lost()).client() as unlucky:
        problem(unlucky.post(f"{MINE}/worksets", json=BODY, headers=KEY), 503, "unavailable")
    answer = ready.post(f"{MINE}/worksets", json=BODY, headers=KEY)
    assert answer.status_code == 201
    assert count(service) == 1


def test_keys_that_are_none(ready: Any) -> None:
    """Empty, endless, or with what no header should hold."""
    for key in ("", "x" * 256, "a b", "é"):
        answer = ready.post(f"{MINE}/worksets", json=BODY, headers=[("idempotency-key", key.encode())])
        assert places(problem(answer, 422, "invalid-input")) == ["Idempotency-Key"]


def test_nobody_is_answered_who_is_not_signed_in(ready: Any, service: Service) -> None:
    """A key is no token."""
    ready.post(f"{MINE}/worksets", json=BODY, headers=KEY)
    with service.client(token=None) as stranger:
        problem(stranger.post(f"{MINE}/worksets", json=BODY, headers=KEY), 401, "unauthenticated")


def test_who_is_slow(ready: Any, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another server is at it, 409 says so; and later the request is taken up."""
    monkeypatch.setattr(idempotency, "PATIENCE", 0.0)
    claimed: list[Any] = []
    real = service.app.once

    def died(*what: Any) -> Any:
        claimed.append(real.claim(*what))
        raise UnavailableError("died")

    class Dying:
        claim = staticmethod(died)

    other = evolve(service, app=evolve(service.app, once=cast(AnswerOnce, Dying())), up={})
    with other.client() as dying:
        problem(dying.post(f"{MINE}/worksets", json=BODY, headers=KEY), 503, "unavailable")
    answer = ready.post(f"{MINE}/worksets", json=BODY, headers=KEY)
    problem(answer, 409, "under-way")
    assert answer.headers["retry-after"] == "1"
    service.clock.advance(LEASE)
    made = ready.post(f"{MINE}/worksets", json=BODY, headers=KEY).json()["workset_id"]
    assert made.endswith(claimed[0].seed)


def test_fifty_at_once(ready: Any, service: Service) -> None:
    """Fifty requests with one key at the same time: one workset, and fifty times its answer."""

    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(cast(Any, create_asgi(service.app, admin_token=TOKEN)))
        headers = {"authorization": f"Bearer {TOKEN}", **KEY}
        async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers) as client:
            calls = (client.post(f"{MINE}/worksets", json=BODY) for _ in range(50))
            return list(await asyncio.gather(*calls))

    answers = asyncio.run(ask())

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert count(service) == 1
