"""Documents in one SQLite file, which may be that of the worksets."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from attrs import evolve, field, frozen

from daylily.adapters.documents import after_key, clash, is_sound, page_of_documents, stale, unknown
from daylily.adapters.local.database import Database, InDatabase
from daylily.adapters.paging import time_key
from daylily.ports.clock import Clock
from daylily.ports.documents import Document
from daylily.ports.paging import Page

_KEPT: Final = timedelta(days=1)
"""How long what has expired stays in the file: whoever still holds it must not meet its successor."""
_ADD: Final = """
INSERT INTO documents (kind, partition, key, body, version, expires_at)
VALUES (:kind, :partition, :key, :body, 1, :expires_at)
ON CONFLICT (kind, partition, key) DO UPDATE
SET body = :body, version = version + 1, expires_at = :expires_at
WHERE documents.expires_at <= :now
RETURNING version
"""
_REPLACE: Final = """
UPDATE documents SET body = :body, version = version + 1, expires_at = :expires_at
WHERE kind = :kind AND partition = :partition AND key = :key
AND version = :version AND (expires_at IS NULL OR expires_at > :now)
RETURNING version
"""
_GET: Final = """
SELECT kind, partition, key, body, version, expires_at FROM documents
WHERE kind = ? AND partition = ? AND key = ? AND (expires_at IS NULL OR expires_at > ?)
"""
_LIST: Final = """
SELECT kind, partition, key, body, version, expires_at FROM documents
WHERE kind = :kind AND partition = :partition AND (expires_at IS NULL OR expires_at > :now)
AND (:after IS NULL OR key > :after) ORDER BY key LIMIT :limit
"""
_LIST_NEWEST: Final = _LIST.replace("key > :after", "key < :after").replace(
    "ORDER BY key", "ORDER BY key DESC"
)


@frozen(eq=False)
class SQLiteDocumentStore(InDatabase):
    """
    Documents in a file.

    Args:
        path: Made, with its folder, if it is not there.
        clock: Tells what has expired.
        patience: How long to wait for another process's write.

    Raises:
        InvalidInputError: A newer version of Daylily has written the file.
        UnavailableError: The file cannot be made or opened.
    """

    path: Path
    clock: Clock
    patience: timedelta = timedelta(seconds=10)
    _database: Database = field(init=False)

    @_database.default
    def _open(self) -> Database:
        return Database(self.path, self.patience)

    def add(self, document: Document) -> Document:
        """See DocumentStore.add."""
        now = self.clock()
        self._database.write("DELETE FROM documents WHERE expires_at <= ?", (time_key(now - _KEPT),))
        rows = self._database.write_returning(_ADD, _parameters(document, now))
        if not rows:
            raise clash(document)
        return evolve(document, version=rows[0][0])

    def get(self, kind: str, partition: str, key: str) -> Document:
        """See DocumentStore.get."""
        if not is_sound(kind, partition, key):
            raise unknown(kind, key)
        rows = self._database.rows(_GET, (kind, partition, key, time_key(self.clock())))
        if not rows:
            raise unknown(kind, key)
        return _document(rows[0])

    def replace(self, document: Document) -> Document:
        """See DocumentStore.replace."""
        rows = self._database.write_returning(_REPLACE, _parameters(document, self.clock()))
        if not rows:
            self.get(document.kind, document.partition, document.key)
            raise stale(document)
        return evolve(document, version=rows[0][0])

    def list(
        self,
        kind: str,
        partition: str,
        *,
        after: str | None = None,
        limit: int = 100,
        newest_first: bool = False,
    ) -> Page[Document]:
        """See DocumentStore.list."""
        last = after_key(after, limit=limit, newest_first=newest_first)
        if not is_sound(kind, partition):
            return Page(())
        parameters = {
            "kind": kind,
            "partition": partition,
            "now": time_key(self.clock()),
            "after": last,
            "limit": limit + 1,
        }
        rows = self._database.rows(_LIST_NEWEST if newest_first else _LIST, parameters)
        return page_of_documents([_document(row) for row in rows], limit, newest_first=newest_first)


def _parameters(document: Document, now: datetime) -> dict[str, Any]:
    return {
        "kind": document.kind,
        "partition": document.partition,
        "key": document.key,
        "body": document.body,
        "version": document.version,
        "expires_at": None if document.expires_at is None else time_key(document.expires_at),
        "now": time_key(now),
    }


def _document(row: tuple[Any, ...]) -> Document:
    kind, partition, key, body, version, expires_at = row
    return Document(
        kind=kind,
        partition=partition,
        key=key,
        body=body,
        version=version,
        expires_at=None if expires_at is None else datetime.fromisoformat(expires_at),
    )
