"""The API on a real socket: what only a server, a disk and a rude client can show."""

import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from tests.integration.http.live import TOKEN, Live

MINE = "/api/customers/local"
BEARER = {"authorization": f"Bearer {TOKEN}"}
READS = b"@read-1\nACGT\n+\nIIII\n"


@pytest.fixture
def client(live: Live) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=live.url, headers=BEARER, timeout=60) as client:
        yield client


def raw(live: Live, request: bytes) -> socket.socket:
    """Send bytes as they are, and return the socket."""
    connection = socket.create_connection(("127.0.0.1", live.port), timeout=30)
    connection.sendall(request)
    return connection


def head(method: str, path: str, *lines: str) -> bytes:
    """Return the head of a request, with nothing tidied up."""
    rest = "".join(f"{line}\r\n" for line in lines)
    token = f"authorization: Bearer {TOKEN}\r\n"
    return f"{method} {path} HTTP/1.1\r\nhost: localhost\r\n{token}{rest}\r\n".encode("latin-1")


def answer_to(live: Live, request: bytes) -> tuple[int, dict[str, Any]]:
    """Return status and problem of a request."""
    with raw(live, request) as connection:
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return answer.status, json.loads(answer.read() or b"{}")


def stored(live: Live) -> list[Path]:
    """Return every file on the disk of the object store, temporary ones too."""
    bucket = live.app.settings.home / "bucket"
    return sorted(
        p for p in bucket.rglob("*") if p.is_file() and not p.is_relative_to(bucket / ".lock")
    )


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until the server has noticed."""
    waiting = threading.Event()
    for _ in range(200):
        if holds():
            return
        waiting.wait(0.05)
    raise AssertionError("it did not come to hold")


def test_submit_to_result(live: Live, client: httpx.Client) -> None:
    """A workset goes all the way from an upload to its result over the wire."""
    client.put(f"{MINE}/files/a.fastq", content=READS).raise_for_status()
    body = {
        "workset_name": "Run",
        "pipeline_type": "fastq-qc",
        "samples": [{"sample_id": "A", "fq1": "a.fastq"}],
    }
    answer = client.post(f"{MINE}/worksets", json=body)
    place = answer.headers["location"]
    workset_id = answer.json()["workset_id"]
    live.app.cycle()
    live.app.world.objects.put(f"worksets/{workset_id}/results/attempt-1/out.tsv", b"1\t2\n")
    live.end(workset_id)

    assert client.get(place).json()["state"] == "complete"
    assert client.get(f"{place}/results/out.tsv").content == b"1\t2\n"


def test_a_client_that_goes_away_leaves_nothing(live: Live) -> None:
    """Of an upload that breaks off, no byte is left under its name or any other."""
    before = stored(live)
    connection = raw(
        live, head("PUT", f"{MINE}/files/a", "content-length: 50000000") + b"x" * 5_000_000
    )
    eventually(lambda: stored(live) != before)
    connection.close()
    eventually(lambda: stored(live) == before)


def test_a_broken_off_upload_leaves_the_old_file(live: Live, client: httpx.Client) -> None:
    """What was there under the name stays whole."""
    client.put(f"{MINE}/files/a", content=READS).raise_for_status()
    before = stored(live)
    raw(live, head("PUT", f"{MINE}/files/a", "transfer-encoding: chunked") + b"5\r\nhello\r\n").close()
    eventually(lambda: stored(live) == before)

    with live.app.world.objects.open("files/local/a") as file:
        assert file.read() == READS


def test_raw_paths(live: Live) -> None:
    """Paths that no tidy client sends are judged as they come."""
    bad = (
        "./a", "../../acme/files/a", "a/../b", "/etc/passwd", "a//b", "%2e%2e%2f%2e%2e%2fstate.db",
        "a%00", "a\\b", "%c0%ae%c0%ae/a",
    )  # fmt: skip
    for key in bad:
        status, body = answer_to(
            live, head("PUT", f"{MINE}/files/{key}", "content-length: 1", "connection: close") + b"x"
        )
        assert status in {404, 422}, key
        assert body["status"] == status
    assert stored(live) == []


def test_large_files_in_constant_memory(live: Live, client: httpx.Client) -> None:
    """A file goes up and down in far less memory than it has bytes."""
    size, block = 192 << 20, bytes(range(256)) * 4096
    process = psutil.Process()
    peak, done = [process.memory_info().rss], threading.Event()

    def watch() -> None:
        while not done.wait(0.01):
            peak[0] = max(peak[0], process.memory_info().rss)

    before = peak[0]
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        blocks = (block for _ in range(size // len(block)))
        put = client.put(f"{MINE}/files/big.fastq", content=blocks)
        assert put.json()["size"] == size
    finally:
        done.set()
        watcher.join()

    assert peak[0] - before < size // 3


def test_uploads_do_not_hold_others_up(live: Live, client: httpx.Client) -> None:
    """While many uploads stand still, other requests are answered."""
    started = head("PUT", f"{MINE}/files/slow", "content-length: 10") + b"x"
    stuck = [raw(live, started) for _ in range(60)]
    try:
        for _ in range(5):
            assert client.get(f"{MINE}/worksets", timeout=20).status_code == 200
    finally:
        for connection in stuck:
            connection.close()


def test_many_clients(live: Live, client: httpx.Client) -> None:
    """Uploads, submissions and listings from many clients at once all come to a good end."""

    def work(number: int) -> str:
        with httpx.Client(base_url=live.url, headers=BEARER, timeout=60) as own:
            own.put(f"{MINE}/files/{number}.fastq", content=READS).raise_for_status()
            body = {
                "workset_name": f"Set {number}",
                "pipeline_type": "fastq-qc",
                "samples": [{"sample_id": "A", "r1": f"{number}.fastq"}],
            }
            answer = own.post(f"{MINE}/worksets", json=body)
            own.get(f"{MINE}/worksets?limit=5").raise_for_status()
            return str(answer.json()["workset_id"])

    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(work, range(24)))

    listed = client.get(f"{MINE}/worksets?limit=1000").json()["worksets"]
    assert {view["workset_id"] for view in listed} == made
    assert len(made) == 24
