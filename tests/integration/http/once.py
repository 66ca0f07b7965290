"""Fifty requests under one key, at servers that share nothing but their stores."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final, cast

import httpx
from attrs import evolve
from tests.integration.http.live import TOKEN

from daylily.bootstrap import App
from daylily.entrypoints.http.app import create_asgi
from daylily.ports.state_store import Filter

_SPACE: Final = "/api/customers/acme"
_BODY: Final = {
    "workset_name": "once",
    "pipeline_type": "fastq-qc",
    "samples": [{"sample_id": "A", "r1_file": "a_R1.fastq"}],
}


def submit_fifty_times(apps: Sequence[App]) -> None:
    """Submit one workset by fifty requests at once, and check that there is one, and one answer."""

    async def ask() -> list[httpx.Response]:
        headers = {"authorization": f"Bearer {TOKEN}", "idempotency-key": "one-and-only"}
        clients = [
            httpx.AsyncClient(
                transport=httpx.ASGITransport(cast(Any, create_asgi(app, admin_token=TOKEN))),
                base_url="http://127.0.0.1:8000",
                headers=headers,
                timeout=120,
            )
            for app in apps
        ]
        stored = await clients[0].put(f"{_SPACE}/files/a_R1.fastq", content=b"@r\nACGT\n+\nIIII\n")
        assert stored.status_code == 201, stored.text
        calls = [
            clients[number % len(clients)].post(f"{_SPACE}/worksets", json=_BODY)
            for number in range(50)
        ]
        answers = list(await asyncio.gather(*calls))
        # Whoever was told that it is under way asks again, as the answer says.
        for number, answer in enumerate(answers):
            if answer.status_code == 409:
                assert answer.json()["type"] == "urn:daylily:problem:under-way"
                again = await clients[number % len(clients)].post(f"{_SPACE}/worksets", json=_BODY)
                answers[number] = again
        for client in clients:
            await client.aclose()
        return answers

    answers = asyncio.run(ask())
    assert {answer.status_code for answer in answers} == {201}, {answer.text for answer in answers}
    assert len({answer.content for answer in answers}) == 1
    stored = apps[0].world.store.list(evolve(Filter(), customer_id="acme"), limit=100)
    assert [each.name for each in stored.items] == ["once"]
