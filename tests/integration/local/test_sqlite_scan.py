"""What a scan of the SQLite store makes of rows that nobody can read."""

import sqlite3
from contextlib import closing
from pathlib import Path

from daylily.adapters.local.state_store import SQLiteStateStore
from daylily.domain.workset import Workset
from daylily.ports.state_store import Unreadable
from daylily.testing.samples import a_workset


def test_a_damaged_row_is_named_and_hides_no_other(tmp_path: Path) -> None:
    """A record that is no JSON comes back as unreadable, between the worksets around it."""
    path = tmp_path / "state.db"
    with SQLiteStateStore(path) as store:
        for name in ("ws-1", "ws-2", "ws-3"):
            store.add(a_workset(name))
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE worksets SET record = '{' WHERE workset_id = 'ws-2'")
        first, damaged, last = store.scan().items

    assert isinstance(first, Workset)
    assert isinstance(last, Workset)
    assert isinstance(damaged, Unreadable)
    assert damaged.workset_id == "ws-2"
    assert "ws-2 cannot be read" in damaged.error
