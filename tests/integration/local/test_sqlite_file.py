"""What the SQLite stores do with their file: its place, its age, its locks and its loss."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from daylily.adapters.local.database import SCHEMA_VERSION
from daylily.adapters.local.state_store import COUNT, DUE, QUEUE, ListQuery, SQLiteStateStore
from daylily.domain.errors import InvalidInputError, UnavailableError
from daylily.domain.lifecycle import Priority, State
from daylily.ports.state_store import Filter
from daylily.testing.racing import race
from daylily.testing.samples import NOON, a_workset, locked


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the file is to be."""
    return tmp_path / "state.db"


@pytest.fixture
def store(path: Path) -> Iterator[SQLiteStateStore]:
    """Return a store with one workset."""
    with SQLiteStateStore(path) as store:
        store.add(a_workset())
        yield store


def permissions(path: Path) -> int:
    """Return the permission bits of a file."""
    return stat.S_IMODE(path.stat().st_mode)


class TestFile:
    """Making and opening it."""

    def test_what_is_stored_outlives_the_store(self, path: Path) -> None:
        """Another store on the same file reads what the first one wrote."""
        with SQLiteStateStore(path) as store:
            added = store.add(a_workset())
        with SQLiteStateStore(path) as store:
            assert store.get("ws-1") == added

    def test_folders_are_made(self, tmp_path: Path) -> None:
        """The file's folder need not be there."""
        SQLiteStateStore(tmp_path / "a" / "b" / "state.db").close()

    def test_only_the_owner_can_read(self, path: Path, store: SQLiteStateStore) -> None:
        """The file, and what SQLite puts beside it, is for nobody else, whatever the umask."""
        store.get("ws-1")
        found = {file.name: permissions(file) for file in path.parent.iterdir()}
        assert set(found.values()) == {0o600}, found
        assert "state.db-wal" in found

    def test_an_open_file_is_closed_to_others(self, path: Path) -> None:
        """A file that everybody could read is so no more once a store has opened it."""
        path.touch(0o644)
        SQLiteStateStore(path).close()
        assert permissions(path) == 0o600

    def test_every_commit_reaches_the_disk(self, store: SQLiteStateStore) -> None:
        """WAL with full synchronisation: a loss of power loses nothing that was acknowledged."""
        assert store._database.rows("PRAGMA journal_mode") == [("wal",)]
        assert store._database.rows("PRAGMA synchronous") == [(2,)]

    def test_a_path_of_odd_characters(self, tmp_path: Path) -> None:
        """Characters that mean something in an address mean nothing in a path."""
        with SQLiteStateStore(tmp_path / "a b?mode=memory#%41 é.db") as store:
            store.add(a_workset())
        assert (tmp_path / "a b?mode=memory#%41 é.db").stat().st_size > 0

    def test_a_newer_file_is_refused(self, path: Path, store: SQLiteStateStore) -> None:
        """A file of a later Daylily is left alone, and the message says what to do."""
        store.close()
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
        before = path.read_bytes()

        with pytest.raises(InvalidInputError, match=r"newer Daylily.*upgrade"):
            SQLiteStateStore(path)
        assert path.read_bytes() == before


class TestOutage:
    """What cannot be read is never an empty answer."""

    def test_a_file_that_is_no_database(self, path: Path) -> None:
        """Something else under that name is left alone."""
        path.write_bytes(b"a letter to my aunt" * 100)
        with pytest.raises(UnavailableError, match="not a database"):
            SQLiteStateStore(path)
        assert path.read_bytes() == b"a letter to my aunt" * 100

    def test_a_path_that_cannot_be(self, tmp_path: Path) -> None:
        """A folder that is a file, or a file that is a folder."""
        (tmp_path / "file").touch()
        for path in (tmp_path / "file" / "state.db", tmp_path):
            with pytest.raises(UnavailableError):
                SQLiteStateStore(path)

    def test_a_database_that_stays_locked(self, path: Path, store: SQLiteStateStore) -> None:
        """Writes give up after the patience they were given; reads go on, and so do later writes."""
        with SQLiteStateStore(path, timedelta(milliseconds=50)) as impatient:
            read = impatient.get("ws-1")
            with closing(sqlite3.connect(path, isolation_level=None)) as connection:
                connection.execute("BEGIN IMMEDIATE")
                with pytest.raises(UnavailableError, match="locked"):
                    impatient.save(read)
                with pytest.raises(UnavailableError, match="locked"):
                    impatient.add(a_workset("ws-2"))
                assert impatient.get("ws-1") == read
            assert impatient.save(read).version == 2

    def test_a_file_that_is_gone(self, path: Path, store: SQLiteStateStore) -> None:
        """A removed file is neither written to unseen nor silently made anew."""
        path.unlink()
        with pytest.raises(UnavailableError, match="No such file"):
            store.get("ws-1")
        with pytest.raises(UnavailableError):
            store.add(a_workset("ws-2"))
        assert not path.exists()

    def test_a_file_restored_from_a_backup(self, path: Path, store: SQLiteStateStore) -> None:
        """A file put in place of the old one is what is read and written from then on."""
        backup = path.with_name("backup.db")
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(backup)) as target:
            source.backup(target)
        read = store.get("ws-1")
        store.save(read)
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        shutil.move(backup, path)

        assert store.get("ws-1") == read
        assert store.save(read).version == 2
        with SQLiteStateStore(path) as other:
            assert other.get("ws-1").version == 2

    def test_a_closed_store(self, store: SQLiteStateStore) -> None:
        """After close every call raises; closing twice is harmless."""
        store.close()
        store.close()
        with pytest.raises(UnavailableError, match="closed"):
            store.queue()

    def test_a_damaged_record_is_named(self, store: SQLiteStateStore) -> None:
        """A record that cannot be read raises, with the workset's name."""
        for record in ("{}", "[]", "no JSON", '{"workset_id": 1}', "null"):
            store._database.write("UPDATE worksets SET record = ?", (record,))
            with pytest.raises(UnavailableError, match="ws-1"):
                store.get("ws-1")
            with pytest.raises(UnavailableError, match="ws-1"):
                store.queue()

    def test_text_that_no_file_can_hold(self, store: SQLiteStateStore) -> None:
        """Half a surrogate pair is refused as bad input, not as an outage or a crash."""
        with pytest.raises(InvalidInputError):
            store.get("ws-\ud800")
        with pytest.raises(InvalidInputError):
            store.list(Filter(customer_id="\ud800"))


class TestCost:
    """Finding work costs the work found."""

    def plan(self, store: SQLiteStateStore, sql: str, parameters: object = ()) -> str:
        """Return how SQLite goes about a query."""
        rows = store._database.rows(f"EXPLAIN QUERY PLAN {sql}", parameters)  # type: ignore[arg-type]
        return "; ".join(row[3] for row in rows)

    def test_queue_and_due_are_range_scans(self, store: SQLiteStateStore) -> None:
        """Both walk a partial index from the cursor on; nothing is sorted, no table scanned."""
        place = {"key": "", "workset_id": "", "limit": 10, "until": "2025"}
        queue = self.plan(store, QUEUE, place)
        due = self.plan(store, DUE, place)
        assert queue.startswith("SEARCH worksets USING INDEX worksets_queue (")
        assert due.startswith("SEARCH worksets USING INDEX worksets_due (")
        assert "TEMP B-TREE" not in queue + due

    def test_count_reads_an_index_alone(self, store: SQLiteStateStore) -> None:
        """Counting touches no record."""
        assert "SEARCH worksets USING COVERING INDEX worksets_in_state (state=?)" in self.plan(
            store, COUNT, ("[]",)
        )

    @pytest.mark.parametrize(
        ("where", "index"),
        [
            (Filter(), "worksets_newest"),
            (Filter(name_contains="x", priority=Priority.LOW), "worksets_newest"),
            (Filter(customer_id="acme"), "worksets_of_customer"),
            (Filter(created_from=NOON, created_before=NOON, oldest_first=True), "worksets_newest"),
            (Filter(customer_id="acme", oldest_first=True, tag="x"), "worksets_of_customer"),
            (Filter(customer_id="acme", states=frozenset({State.READY})), "worksets_of_customer"),
        ],
        ids=str,
    )
    def test_pages_of_a_listing_are_not_sorted(
        self, store: SQLiteStateStore, where: Filter, index: str
    ) -> None:
        """A page begins where the last one ended, in an index that is in order already."""
        query = ListQuery.of(where, after=True)
        place = {"key": "", "workset_id": "", "limit": 10, "most": 1000}
        for sql in (query.page, query.last):
            plan = self.plan(store, sql, query.parameters | place)
            assert index in plan
            assert "SEARCH worksets" in plan
            assert "TEMP B-TREE" not in plan

    def test_threads_that_end_leave_nothing_open(self, store: SQLiteStateStore) -> None:
        """However many threads have asked, the store keeps a bounded number of connections."""
        process = psutil.Process()
        counts = []
        for _ in range(5):
            race(lambda _: store.get("ws-1"))
            counts.append(process.num_fds())
        assert max(counts) - min(counts) <= 3 * 16
        assert len(store._database._idle) <= 16


def test_a_forked_process_has_connections_of_its_own(path: Path) -> None:
    """Parent and child of a fork both go on using the store, and neither harms the other."""
    script = f"""
import os
from pathlib import Path
from daylily.adapters.local.state_store import SQLiteStateStore
from daylily.testing.samples import a_workset, locked
store = SQLiteStateStore(Path({str(path)!r}))
added = store.add(a_workset())
child = os.fork()
if child == 0:
    store.save(locked(store.get("ws-1")))
    store.close()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert store.get("ws-1").version == 2
store.add(a_workset("ws-2"))
store.close()
"""
    subprocess.run(
        [sys.executable, "-c", script], check=True, timeout=60, env=os.environ | {"LC_ALL": "C"}
    )
    with SQLiteStateStore(path) as store:
        assert store.known(["ws-1", "ws-2"]) == {"ws-1", "ws-2"}
        assert store.get("ws-1").lock == locked(a_workset(), at=NOON).lock


def test_a_full_disk_is_called_so(
    path: Path, store: SQLiteStateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite calls it an error of I/O, which sends people to look for broken hardware."""
    usage = SimpleNamespace(total=1 << 30, used=1 << 30, free=0)
    monkeypatch.setattr("daylily.adapters.local.database.shutil.disk_usage", lambda _: usage)
    path.unlink()
    with pytest.raises(UnavailableError, match="the disk is full"):
        store.get("ws-1")
