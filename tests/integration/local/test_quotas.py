"""Quotas on one machine: several monitors share one file."""

from pathlib import Path

from tests.integration.aws.quotas import exactly_the_quota_runs

from daylily.adapters.local.customers import SQLiteCustomers
from daylily.adapters.local.documents import SQLiteDocumentStore
from daylily.adapters.local.state_store import SQLiteStateStore
from daylily.adapters.memory.object_store import InMemoryObjectStore
from daylily.testing.clock import ManualClock


def test_d_56_fifty_against_a_quota_of_five(tmp_path: Path) -> None:
    """D-56: What was agreed upon is enforced: of 50 submitted at once, exactly 5 run."""
    path, clock = tmp_path / "state.db", ManualClock()
    opened: list[SQLiteStateStore | SQLiteDocumentStore] = []

    def stores() -> tuple[SQLiteStateStore, SQLiteDocumentStore]:
        store, documents = SQLiteStateStore(path), SQLiteDocumentStore(path, clock)
        opened.extend((store, documents))
        return store, documents

    with SQLiteCustomers(path) as customers:
        exactly_the_quota_runs(customers, InMemoryObjectStore(), clock, stores)
    for each in opened:
        each.close()
