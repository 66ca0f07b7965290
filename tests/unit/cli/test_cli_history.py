"""``daylily history``, on the local store and on a server."""

from datetime import timedelta

import httpx
from tests.integration.service.service import TOKEN, Service
from tests.unit.cli.desk import Desk

from daylily.entrypoints.cli.remote import RemoteClient

LONG = timedelta(hours=1)


def told(desk: Desk, *arguments: str) -> list[str]:
    """Return the reasons that the command tells of."""
    return [step["reason"] for step in desk.json("history", *arguments)["transitions"]]


def test_history(desk: Desk, submitted: str) -> None:
    """All of it is told, latest first, with who did it; --limit keeps the latest."""
    desk.ok("cancel", submitted, "--reason", "wrong genome")
    text = desk.ok("history", submitted)

    assert text.index("canceled") < text.index("ready")
    reasons = told(desk, submitted)
    assert len(reasons) == len(desk.world.store.get(submitted).history)
    assert "wrong genome" in reasons[0]
    assert told(desk, submitted, "--limit", "1") == reasons[:1]


def test_long_history(desk: Desk, submitted: str) -> None:
    """More than fits a page is read page by page."""
    world = desk.world
    workset = world.store.get(submitted)
    for number in range(600):
        held = workset.lock_for("m", at=world.clock(), timeout=LONG)
        workset = held.release(held.fence, at=world.clock(), reason=f"no room, {number}")
    world.store.save(workset)

    reasons = told(desk, submitted)
    assert len(reasons) == 1201
    assert reasons[0] == "no room, 599"


def test_history_of_nothing(desk: Desk) -> None:
    """A workset that is not there is said so, with the exit code for that."""
    assert desk.run("history", "nowhere-1234").exit_code == 3


def test_history_of_a_server() -> None:
    """A server says the same."""
    service = Service.new()
    with service.client() as client:
        workset_id = service.submitted(client)

        def answer(request: httpx.Request) -> httpx.Response:
            found = client.get(request.url.path, params=dict(request.url.params))
            return httpx.Response(found.status_code, json=found.json())

        remote = RemoteClient.to(
            "http://127.0.0.1:9", TOKEN, "local", transport=httpx.MockTransport(answer)
        )

        page = remote.history(workset_id, cursor=None, limit=5)
        assert [step.state for step in page.transitions] == ["ready"]
        assert page.cursor is None
