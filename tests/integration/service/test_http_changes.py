"""Priority, archive, restore, delete over HTTP; lists and their cursors; usage."""

from datetime import timedelta
from typing import Any

import pytest
from tests.integration.service.service import MINE, Service, places, problem

ONE = f"{MINE}/worksets"


def test_priority(service: Service, client: Any) -> None:
    """A waiting workset moves up the queue; one that is over keeps its price."""
    first, second = service.submitted(client, "First"), service.submitted(client, "Second")
    answer = client.put(f"{ONE}/{second}/priority", json={"priority": "high"})
    assert (answer.status_code, answer.json()["priority"]) == (200, "urgent")
    assert client.get(f"{ONE}/{second}/why").json()["rank"] == 1
    assert answer.json()["state_history"][-1]["reason"].startswith("priority urgent, was normal")

    stale = {"if-match": f'"{answer.json()["version"] - 1}"'}
    again = client.put(f"{ONE}/{second}/priority", json={"priority": "low"}, headers=stale)
    problem(again, 412, "stale-version")
    wrong = client.put(f"{ONE}/{first}/priority", json={"priority": "soon", "x": 1})
    assert places(problem(wrong, 422, "invalid-input"))
    service.app.cycle()
    service.ended(second)
    over = client.put(f"{ONE}/{second}/priority", json={"priority": "low"})
    problem(over, 409, "conflict")


def test_archive_restore_delete(service: Service, client: Any) -> None:
    """Only what is over is put away, and only what is put away deleted; lists follow."""
    workset_id = service.launched(client)
    one = f"{ONE}/{workset_id}"
    problem(client.post(f"{one}/archive"), 409, "conflict")
    service.result(workset_id, "x.txt", b"x")
    service.ended(workset_id)
    problem(client.post(f"{one}/delete"), 409, "conflict")
    problem(client.post(f"{one}/restore"), 409, "conflict")

    archived = client.post(f"{one}/archive", json={"reason": "published"})
    assert (archived.status_code, archived.json()["state"]) == (200, "archived")
    assert client.get(ONE).json()["worksets"] == []
    listed = client.get(f"{ONE}/archived").json()["worksets"]
    assert [each["workset_id"] for each in listed] == [workset_id]
    assert client.get(f"{one}/results/x.txt").content == b"x"

    assert client.post(f"{one}/restore").json()["state"] == "complete"
    client.post(f"{one}/archive")
    deleted = client.post(f"{one}/delete", json={"hard_delete": True, "reason": "consent"})
    assert (deleted.status_code, deleted.json()["state"]) == (200, "deleted")
    assert client.get(f"{one}/results/x.txt").status_code == 404
    problem(client.post(f"{one}/restore"), 409, "conflict")


@pytest.mark.parametrize("change", ["cancel", "archive", "restore", "delete", "retry"])
def test_changes_are_for_what_was_seen(service: Service, client: Any, change: str) -> None:
    """Another version than was seen is 412; ``*`` takes any."""
    workset_id = service.submitted(client)
    headers = {"if-match": '"77"'}
    answer = client.post(f"{ONE}/{workset_id}/{change}", headers=headers)
    problem(answer, 412, "stale-version")
    answer = client.post(f"{ONE}/{workset_id}/{change}", headers={"if-match": "*"})
    assert answer.status_code in {202, 409}


def test_lists_narrow(service: Service, client: Any) -> None:
    """By pipeline, tag and time, either way round; what makes no sense is told, each at its place."""
    for name, tags in (("First", ["trio"]), ("Second", [])):
        body = {
            "workset_name": name,
            "pipeline_type": "qc",
            "samples": [{"sample_id": "A", "r1_file": "a.fastq"}],
            "tags": tags,
        }
        client.put(f"{MINE}/files/a.fastq", content=b"@r\nA\n+\nI\n")
        assert client.post(ONE, json=body).status_code == 201
        service.clock.advance(timedelta(seconds=60))

    def names(**query: str) -> list[str]:
        answer = client.get(ONE, params=query)
        assert answer.status_code == 200, answer.text
        return [each["workset_name"] for each in answer.json()["worksets"]]

    assert names() == ["Second", "First"]
    assert names(sort="created_at") == ["First", "Second"]
    assert names(tag="trio") == ["First"]
    assert names(pipeline="qc") == names(pipeline="fastq-qc") == ["Second", "First"]
    assert names(pipeline="wgs") == names(pipeline="unheard-of") == []
    assert names(created_from="2025-06-02T12:00:30Z") == ["Second"]
    assert names(created_before="2025-06-02T14:00:30+02:00") == ["First"]
    assert names(created_before="2025-06-02") == []
    wrong = {"created_from": "yesterday", "sort": "name", "limit": "0", "priority": "x", "nope": "1"}
    found = problem(client.get(ONE, params=wrong), 422, "invalid-input")
    assert sorted(places(found)) == ["created_from", "limit", "nope", "priority", "sort"]


def test_tags_are_the_callers_words(client: Any) -> None:
    """What is no list of texts is refused at its place."""
    for tags in ("trio", [1], ["x" * 65], ["ok"] * 21):
        body = {"workset_name": "x", "pipeline_type": "qc", "samples": [], "tags": tags}
        found = problem(client.post(ONE, json=body), 422, "invalid-input")
        assert any(place.startswith("tags") for place in places(found)), (tags, places(found))


def test_d54_cursors_lead_on_in_one_listing(service: Service, client: Any) -> None:
    """No other customer's listing, and no other question, takes a cursor; nor is one made up."""
    for name in ("First", "Second", "Third"):
        service.submitted(client, name)
    service.submitted(client, "Theirs", "acme")
    page = client.get(ONE, params={"limit": 1}).json()
    cursor = page["cursor"]
    assert cursor
    rest = client.get(ONE, params={"limit": 5, "cursor": cursor}).json()
    assert [each["workset_name"] for each in rest["worksets"]] == ["Second", "First"]
    for path, more in (
        ("/api/customers/acme/worksets", {}),
        ("/api/customers/-/worksets", {}),
        ("/worksets", {}),
        (ONE, {"state": "ready"}),
        (ONE, {"sort": "created_at"}),
        (f"{ONE}/archived", {}),
    ):
        problem(client.get(path, params={"cursor": cursor, **more}), 400, "bad-cursor")
    for forged in ("x", cursor[:-4], cursor + "A" * 9000, "WyJsaXN0Il0"):
        problem(client.get(ONE, params={"cursor": forged}), 400, "bad-cursor")


def test_d54_another_tenants_rows_hide_nothing(service: Service, client: Any) -> None:
    """However many others there are, the first page has my own; limits are bounded both ways."""
    mine = service.submitted(client, "Mine")
    client.put(f"/worksets/{mine}/priority", json={"priority": "urgent"})
    for number in range(5):
        service.submitted(client, f"Theirs {number}", "acme")
    found = client.get(ONE, params={"limit": 3}).json()["worksets"]
    assert [each["workset_id"] for each in found] == [mine]
    for limit in ("-1", "0", "1001", "x"):
        problem(client.get(ONE, params={"limit": limit}), 422, "invalid-input")


def test_usage(service: Service, client: Any) -> None:
    """Real numbers: what is stored, what was submitted, what it was said to cost and has cost."""
    workset_id = service.launched(client)
    service.result(workset_id, "big.bin", bytes(1 << 20))
    service.clock.advance(timedelta(seconds=3600))
    service.ended(workset_id)
    for path in (f"{MINE}/usage", "/customers/local/usage", "/v1/api/customers/local/usage"):
        found = client.get(path).json()
        assert found["customer_id"] == "local"
        assert found["storage_gb"] > 1 / 1024
        assert found["max_storage_gb"] == 1000.0
        assert found["worksets"] == 1
        assert found["recorded_cost_usd"] == 0.03
        assert found["estimated_cost_usd"] > 0
        assert found["months"][0] | {"month": ""} == {
            "month": "",
            "worksets": 1,
            "samples": 1,
            "complete": 1,
            "estimated_cost_usd": found["estimated_cost_usd"],
            "recorded_cost_usd": 0.03,
        }
        assert found["months"][0]["month"] == "2025-06"
        assert len(found["months"]) == 12
    assert len(client.get(f"{MINE}/usage", params={"months": 2}).json()["months"]) == 2
    problem(client.get("/api/customers/nobody/usage"), 404, "not-found")
    problem(client.get(f"{MINE}/usage", params={"months": 99}), 422, "invalid-input")


def test_d53_a_sibling_is_left_alone(service: Service, client: Any) -> None:
    """Deleting a workset with its files touches none whose name begins with its own."""
    for name in ("run1", "run10"):
        words = {"workset_id": name, "bucket": "memory://", "prefix": f"worksets/{name}/"}
        assert client.post("/worksets", json=words).status_code == 201
        service.result(name, "x.txt", b"x")
        client.post(f"/api/customers/local/worksets/{name}/cancel")
    client.post(f"{ONE}/run1/archive")
    client.post(f"{ONE}/run1/delete", json={"hard_delete": True})
    keys = [info.key for info in service.app.world.objects.list("worksets/").items]
    assert "worksets/run10/results/attempt-1/x.txt" in keys
    assert "worksets/run1/results/attempt-1/x.txt" not in keys
