"""SQLiteDocumentStore, held to the contract of its port, and files that an older version has made."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from attrs import evolve

from daylily.adapters.local.customers import SQLiteCustomers
from daylily.adapters.local.documents import SQLiteDocumentStore
from daylily.ports.documents import DocumentStore
from daylily.testing.clock import ManualClock
from daylily.testing.contracts.documents import DocumentStoreContract, a_document
from daylily.testing.samples import NOON, a_customer


class TestSQLiteDocumentStore(DocumentStoreContract):
    """The contract, on a file."""

    @pytest.fixture
    def documents(self, tmp_path: Path, clock: ManualClock) -> Iterator[DocumentStore]:
        """Return a store of no documents."""
        with SQLiteDocumentStore(tmp_path / "state.db", clock) as documents:
            yield documents


def test_a_file_of_the_version_before(tmp_path: Path) -> None:
    """A file without documents is taken over, and what is in it stays."""
    path = tmp_path / "state.db"
    with SQLiteCustomers(path) as customers:
        customers.add(a_customer())
    with closing(sqlite3.connect(path)) as file:
        file.executescript("DROP TABLE documents; PRAGMA user_version = 1;")
    with SQLiteDocumentStore(path, ManualClock()) as documents, SQLiteCustomers(path) as customers:
        documents.add(a_document())
        assert documents.get("note", "acme", "k-1").version == 1
        assert customers.get("acme") == a_customer()


def test_what_expired_long_ago_is_removed(tmp_path: Path) -> None:
    """The file does not grow for ever: a day after its expiry a document is removed."""
    path, clock = tmp_path / "state.db", ManualClock()
    with SQLiteDocumentStore(path, clock) as documents:
        documents.add(evolve(a_document("old"), expires_at=NOON))
        clock.advance(timedelta(days=1))
        documents.add(a_document("new"))
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("SELECT key FROM documents").fetchall() == [("new",)]
