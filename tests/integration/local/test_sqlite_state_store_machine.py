"""Random lives, played on SQLiteStateStore."""

import tempfile
from pathlib import Path

from hypothesis import settings

from daylily.adapters.local.state_store import SQLiteStateStore
from daylily.ports.state_store import StateStore
from daylily.testing.contracts.state_store_machine import StateStoreMachine


class SQLiteStateStoreMachine(StateStoreMachine):
    """The machine, on a file that is opened anew for each life."""

    def make_store(self) -> StateStore:
        """Return an empty store."""
        self.folder = tempfile.TemporaryDirectory()
        self.file = SQLiteStateStore(Path(self.folder.name) / "state.db")
        return self.file

    def teardown(self) -> None:
        """Close the file and remove it."""
        self.file.close()
        self.folder.cleanup()


TestSQLiteStateStoreMachine = SQLiteStateStoreMachine.TestCase
TestSQLiteStateStoreMachine.settings = settings(max_examples=20, stateful_step_count=40, deadline=None)
