"""``GET .../worksets/{id}/why``."""

from typing import Any

from tests.integration.service.service import MINE, Service, problem


def test_why(service: Service, client: Any) -> None:
    """It says what a workset waits for, in a word for programs and a sentence for people."""
    workset_id = service.submitted(client)

    answer = client.get(f"{MINE}/worksets/{workset_id}/why")

    assert answer.status_code == 200
    assert answer.json() | {"text": "", "remedy": ""} == {
        "workset_id": workset_id,
        "state": "ready",
        "cause": "monitor",
        "text": "",
        "rank": 1,
        "until": None,
        "remedy": "",
    }


def test_why_of_what_is_not_there(client: Any) -> None:
    """There is nothing to say of a workset that the caller does not have."""
    problem(client.get(f"{MINE}/worksets/nowhere-1234/why"), 404, "not-found")
