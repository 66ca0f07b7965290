"""``GET .../worksets/{id}/history``."""

from typing import Any

from tests.integration.service.service import MINE, Service, problem


def test_history_in_pages(service: Service, client: Any) -> None:
    """All that has happened is told, latest first, a page at a time."""
    workset_id = service.submitted(client)
    client.post(f"{MINE}/worksets/{workset_id}/cancel", json={"reason": "wrong genome"})
    path = f"{MINE}/worksets/{workset_id}/history"

    first = client.get(path, params={"limit": 1}).json()
    second = client.get(path, params={"limit": 1, "cursor": first["cursor"]}).json()

    assert [step["state"] for step in first["transitions"]] == ["canceled"]
    assert [step["state"] for step in second["transitions"]] == ["ready"]
    assert second["cursor"] is None


def test_history_of_what_is_not_there(client: Any) -> None:
    """There is nothing to say of a workset that the caller does not have."""
    problem(client.get(f"{MINE}/worksets/nowhere-1234/history"), 404, "not-found")


def test_a_made_up_cursor(service: Service, client: Any) -> None:
    """A cursor that is none of ours is said to be that."""
    path = f"{MINE}/worksets/{service.submitted(client)}/history"
    answer = client.get(path, params={"cursor": "x", "limit": 5})
    problem(answer, 400, "bad-cursor")
