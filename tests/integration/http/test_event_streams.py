"""Events of a workset over a real connection: told once, resumed without a gap, one look for all."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from tests.integration.http.live import TOKEN, Live

from daylily.entrypoints.http import streams

AUTH = {"authorization": f"Bearer {TOKEN}"}
READS = b"@read-1\nACGT\n+\nIIII\n"


@pytest.fixture(autouse=True)
def _in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "LOOK_EVERY", 0.05)


@pytest.fixture
def running(live: Live) -> str:
    """A workset that the engine is at."""
    with httpx.Client(base_url=live.url, headers=AUTH, timeout=60) as client:
        assert client.put("/api/customers/local/files/a.fastq", content=READS).status_code == 201
        body = {
            "workset_name": "Streamed",
            "pipeline_type": "fastq-qc",
            "samples": [{"sample_id": "A", "r1_file": "a.fastq"}],
        }
        made = client.post("/api/customers/local/worksets", json=body)
        assert made.status_code == 201, made.text
    live.app.cycle()
    return str(made.json()["workset_id"])


@contextmanager
def listening(live: Live, workset_id: str, **headers: str) -> Iterator[Iterator[dict[str, Any]]]:
    """Yield the events of a workset as they arrive."""
    url = f"{live.url}/v1/api/customers/local/worksets/{workset_id}/events"
    with (
        httpx.Client(timeout=60) as client,
        client.stream("GET", url, headers={**AUTH, **headers}) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield _events(answer.iter_lines())


def _events(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    event: dict[str, Any] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if not line and "event" in event:
            yield event
            event = {}
        elif name in {"event", "id"}:
            event[name] = value
        elif name == "data":
            event["data"] = json.loads(value)


def text_of(events: list[dict[str, Any]]) -> str:
    return "".join(each["data"]["text"] for each in events if each["event"] == "log")


def test_from_running_to_the_end(live: Live, running: str) -> None:
    """The state it is in, what it writes, how it ends; then the stream is over."""
    key = f"{running}/1"
    live.compute.write(key, "first line\n")
    with listening(live, running) as events:
        first, second = next(events), next(events)
        assert (first["event"], first["data"]["state"]) == ("state", "in_progress")
        assert (second["event"], second["data"]["text"]) == ("log", "first line\n")
        live.compute.write(key, "second line é\n")
        assert next(events)["data"]["text"] == "second line é\n"
        live.end(running)
        rest = list(events)
    assert [each["event"] for each in rest] == ["state", "end"]
    assert rest[0]["data"]["state"] == rest[1]["data"]["state"] == "complete"


def test_who_comes_back_misses_nothing(live: Live, running: str) -> None:
    """Cut anywhere and resumed by its last id, a stream tells each thing exactly once."""
    key = f"{running}/1"
    live.compute.write(key, "one\n")
    live.compute.write(key, "two\n")
    with listening(live, running) as events:
        seen = [next(events)]
    live.compute.write(key, "three\n")
    live.end(running)
    while seen[-1]["event"] != "end":
        with listening(live, running, **{"last-event-id": seen[-1]["id"]}) as events:
            seen.append(next(events))
    assert text_of(seen) == "one\ntwo\nthree\n"
    states = [each["data"]["state"] for each in seen if each["event"] == "state"]
    assert states == ["in_progress", "complete"]


def test_one_look_for_all(live: Live, running: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many listen to a workset, one look serves them all."""
    looks: Counter[int] = Counter()
    look = streams._Source.look

    def counted(source: Any, seen: Any) -> Any:
        looks[id(source)] += bool(source.task)
        return look(source, seen)

    monkeypatch.setattr(streams._Source, "look", counted)
    ready, heard = threading.Barrier(13), []

    def listen() -> None:
        with listening(live, running) as events:
            next(events)
            ready.wait(60)
            heard.append([each["event"] for each in events])

    threads = [threading.Thread(target=listen) for _ in range(12)]
    for thread in threads:
        thread.start()
    ready.wait(60)
    live.compute.write(f"{running}/1", "x\n")
    live.end(running)
    for thread in threads:
        thread.join(60)

    assert [kinds[-1] for kinds in heard] == ["end"] * 12
    assert len([number for number in looks.values() if number]) == 1, "one source looked"


def test_what_is_no_id_is_refused(live: Live, running: str) -> None:
    """A Last-Event-ID that no stream has given, or another customer's workset, is no stream."""
    url = f"{live.url}/api/customers/local/worksets"
    bad = httpx.get(f"{url}/{running}/events", headers={**AUTH, "last-event-id": "x"}, timeout=60)
    assert bad.status_code == 422
    assert httpx.get(f"{url}/unknown-1/events", headers=AUTH, timeout=60).status_code == 404
    assert httpx.get(f"{url}/{running}/events", timeout=60).status_code == 401
