"""What the processes of ``test_store_processes.py`` do: a module that a fresh process can import."""

from collections import defaultdict
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from pathlib import Path

from daylily.adapters.local.object_store import DirectoryObjectStore
from daylily.adapters.local.state_store import SQLiteStateStore
from daylily.adapters.sentinel_store import ObjectSentinelStore
from daylily.domain.errors import DaylilyError
from daylily.domain.sentinels import Sentinel, SentinelBody
from daylily.testing.samples import NOON, a_workset, locked

ROUNDS = 15

Outcomes = dict[str, list[str]]


def compete(runner: int, start: Barrier, results: "SimpleQueue[Outcomes]", home: Path) -> None:
    """Open the same stores at the same time as all others, and try the same things."""
    start.wait()
    store = SQLiteStateStore(home / "state.db")
    objects = DirectoryObjectStore(home / "bucket")
    sentinels = ObjectSentinelStore(objects)
    body = SentinelBody(NOON, f"locked by {runner}", 1)
    outcomes: Outcomes = defaultdict(list)

    def attempt(name: str, call: Callable[..., object], *args: object, **options: object) -> None:
        start.wait()
        try:
            outcome = "lost" if call(*args, **options) is False else "won"
        except DaylilyError as error:
            outcome = type(error).__name__
        outcomes[name].append(outcome)
        start.wait()

    for number in range(ROUNDS):
        workset_id, key = f"ws-{number}", f"x/{number}"
        attempt("add", store.add, a_workset(workset_id, name=str(runner)))
        attempt("save", store.save, locked(store.get(workset_id), owner=f"monitor-{runner}"))
        attempt("put", objects.put, key, b"%d" % runner, if_absent=True)
        attempt("delete", objects.delete, key, if_etag=objects.info(key).etag)
        attempt("post", sentinels.post, workset_id, Sentinel.LOCK, body)
    store.close()
    results.put(outcomes)


def save_for_ever(home: Path, told: Connection) -> None:
    """Save one workset again and again, and tell each version once it is saved."""
    store = SQLiteStateStore(home / "state.db")
    workset = store.get("ws-1")
    while True:
        workset = store.save(workset)
        told.send_bytes(b"%d" % workset.version)


def put_for_ever(home: Path, told: Connection) -> None:
    """Replace one object again and again by one of other bytes, and tell each."""
    store = DirectoryObjectStore(home / "bucket")
    number = 0
    while True:
        number += 1
        store.put("x/big", bytes([number % 256]) * 3_000_000)
        told.send_bytes(b"%d" % number)
