"""The local stores among several processes, some of which are killed."""

import multiprocessing
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from tests.integration.local.stores_workers import (
    ROUNDS,
    Outcomes,
    compete,
    put_for_ever,
    save_for_ever,
)

from daylily.adapters.local.object_store import DirectoryObjectStore
from daylily.adapters.local.state_store import SQLiteStateStore
from daylily.domain.errors import NotFoundError
from daylily.testing.samples import a_workset

RUNNERS = 5
SPAWN = multiprocessing.get_context("spawn")


def test_of_many_processes_one_wins(tmp_path: Path) -> None:
    """Processes that open new stores at once and all try the same: each time exactly one succeeds."""
    start, results = SPAWN.Barrier(RUNNERS), SPAWN.SimpleQueue()
    processes = [
        SPAWN.Process(target=compete, args=(runner, start, results, tmp_path))
        for runner in range(RUNNERS)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * RUNNERS
    outcomes: list[Outcomes] = [results.get() for _ in processes]

    losses = {
        "add": "AlreadyExistsError",
        "save": "ConcurrentUpdateError",
        "put": "AlreadyExistsError",
        "post": "lost",
        "delete": "lost",
    }
    for trial, loss in losses.items():
        for number in range(ROUNDS):
            found = Counter(outcome[trial][number] for outcome in outcomes)
            assert found == {"won": 1, loss: RUNNERS - 1}, trial


@pytest.mark.parametrize("acknowledged", [1, 5, 17])
def test_a_killed_writer_loses_nothing_it_was_promised(tmp_path: Path, acknowledged: int) -> None:
    """After SIGKILL the store is sound, opens at once, and has every save that had returned."""
    with SQLiteStateStore(tmp_path / "state.db") as store:
        store.add(a_workset())
    told = killed_after(acknowledged, save_for_ever, tmp_path)

    with SQLiteStateStore(tmp_path / "state.db") as store:
        workset = store.get("ws-1")
        # One more may have been saved without the writer living to say so.
        assert told <= workset.version <= told + 1
        assert store.save(workset).version == workset.version + 1
    with closing(sqlite3.connect(tmp_path / "state.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.parametrize("acknowledged", [1, 2, 6])
def test_a_killed_writer_leaves_whole_objects(tmp_path: Path, acknowledged: int) -> None:
    """After SIGKILL the object is one of those written, to its last byte, and can be replaced."""
    told = killed_after(acknowledged, put_for_ever, tmp_path)

    store = DirectoryObjectStore(tmp_path / "bucket")
    with store.open("x/big") as stream:
        content = stream.read()
    assert content in {bytes([(told + more) % 256]) * 3_000_000 for more in (0, 1)}
    assert [info.key for info in store.list("").items] == ["x/big"]
    store.put("x/big", b"next")
    assert store.delete("x/big")
    with pytest.raises(NotFoundError):
        store.info("x/big")


def killed_after(count: int, work: Callable[[Path, Connection], None], home: Path) -> int:
    """Run *work* in a process of its own, kill it once it has told *count* things, return the last."""
    reader, writer = SPAWN.Pipe(duplex=False)
    process = SPAWN.Process(target=work, args=(home, writer))
    process.start()
    writer.close()
    told = [int(reader.recv_bytes()) for _ in range(count)]
    process.kill()
    process.join(30)
    # What it told between that and its end counts as well.
    with suppress(EOFError):
        while True:
            told.append(int(reader.recv_bytes()))
    reader.close()
    return told[-1]
