"""``daylily why``, on the local store and on a server."""

from datetime import timedelta

import httpx
from tests.integration.service.service import TOKEN, Service
from tests.unit.cli.desk import Desk

from daylily.entrypoints.cli.remote import RemoteClient


def test_why(desk: Desk, submitted: str) -> None:
    """It is said in words; with --json each fact has a name."""
    text = desk.ok("why", submitted)

    assert "ready" in text
    assert "number 1 in the queue" in text
    assert "daylily monitor" in text
    found = desk.json("why", submitted)
    assert (found["state"], found["cause"], found["rank"]) == ("ready", "monitor", 1)


def test_why_of_nothing(desk: Desk) -> None:
    """A workset that is not there is said so, with the exit code for that."""
    assert desk.run("why", "nowhere-1234").exit_code == 3


def test_until(desk: Desk, submitted: str) -> None:
    """A wait whose end is known is told with it."""
    world = desk.world
    workset = world.store.get(submitted)
    world.store.save(workset.lock_for("m", at=world.clock(), timeout=timedelta(hours=1)))

    assert "(in " in desk.ok("why", submitted)


def test_why_of_a_server() -> None:
    """A server says the same."""
    service = Service.new()
    with service.client() as client:
        workset_id = service.submitted(client)

        def answer(request: httpx.Request) -> httpx.Response:
            found = client.get(request.url.path)
            return httpx.Response(found.status_code, json=found.json())

        remote = RemoteClient.to(
            "http://127.0.0.1:9", TOKEN, "local", transport=httpx.MockTransport(answer)
        )

        assert remote.why(workset_id).cause == "monitor"
