"""One SQLite file that several processes and threads share."""

import fcntl
import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Self

from attrs import define, field

from daylily.domain.errors import InvalidInputError, UnavailableError

SCHEMA_VERSION: Final = 2
_SCHEMA: Final = """
BEGIN IMMEDIATE;
CREATE TABLE worksets (
    workset_id TEXT PRIMARY KEY NOT NULL,
    customer_id TEXT NOT NULL,
    state TEXT NOT NULL,
    priority TEXT NOT NULL,
    name TEXT NOT NULL,         -- case-folded, to search in
    created_at TEXT NOT NULL,
    queue_rank TEXT,            -- NULL unless ready
    due_at TEXT,                -- NULL if no monitor ever has to look by itself
    version INTEGER NOT NULL,
    record TEXT NOT NULL        -- the truth; all columns but version are read off it
);
CREATE INDEX worksets_newest ON worksets (created_at, workset_id);
CREATE INDEX worksets_of_customer ON worksets (customer_id, created_at, workset_id);
CREATE INDEX worksets_in_state ON worksets (state, created_at, workset_id);
CREATE INDEX worksets_queue ON worksets (queue_rank, workset_id) WHERE queue_rank IS NOT NULL;
CREATE INDEX worksets_due ON worksets (due_at, workset_id) WHERE due_at IS NOT NULL;
CREATE TABLE customers (
    customer_id TEXT PRIMARY KEY NOT NULL,
    record TEXT NOT NULL
) WITHOUT ROWID;
PRAGMA user_version = 1;
COMMIT;
"""
_SCHEMA_2: Final = """
BEGIN IMMEDIATE;
CREATE TABLE documents (
    kind TEXT NOT NULL,
    partition TEXT NOT NULL,
    key TEXT NOT NULL,
    body TEXT NOT NULL,
    version INTEGER NOT NULL,
    expires_at TEXT,            -- NULL if it stays
    PRIMARY KEY (kind, partition, key)
) WITHOUT ROWID;
CREATE INDEX documents_expiring ON documents (expires_at) WHERE expires_at IS NOT NULL;
PRAGMA user_version = 2;
COMMIT;
"""

_IDLE_AT_MOST: Final = 16

Parameters = Sequence[Any] | Mapping[str, Any]


@define(eq=False)
class Database:
    """
    A pool of connections to one file, which is made (mode 0600) when it is not there.

    Every statement is a transaction of its own, on disk when the call returns.

    Raises:
        InvalidInputError: A newer version of Daylily has written the file.
        UnavailableError: The file cannot be made or opened, or stays locked for too long.
    """

    path: Path
    patience: timedelta = timedelta(seconds=10)
    """How long to wait for another process's write to end."""
    _idle: list[sqlite3.Connection] = field(init=False, factory=list)
    _file: tuple[int, int] = field(init=False)
    """Device and inode: a file that was restored from a backup is another one."""
    _process: int = field(init=False, factory=os.getpid)
    _closed: bool = field(init=False, default=False)
    _mutex: threading.Lock = field(init=False, factory=threading.Lock)
    _writing: threading.Lock = field(init=False, factory=threading.Lock)
    """Threads of this process wait here: SQLite would have them sleep and retry, some for seconds."""

    def __attrs_post_init__(self) -> None:
        self.path = self.path.absolute()
        with _reported(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with _alone(self.path):
                _create_file(self.path)
                with closing(self._connect()) as connection:
                    _create_schema(connection, self.path)
            self._file = self._present_file()

    def rows(self, sql: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        """Return what a query finds."""
        with self._connection() as connection:
            return connection.execute(sql, parameters).fetchall()

    def write(self, sql: str, parameters: Parameters = ()) -> int:
        """
        Change something, and return how many rows were changed.

        Raises:
            sqlite3.IntegrityError: A row of that key is there already.
        """
        with self._alone_in_process(), self._connection() as connection:
            return connection.execute(sql, parameters).rowcount

    def write_returning(self, sql: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        """
        Change something, and return what its RETURNING clause tells of the rows that were changed.

        Raises:
            sqlite3.IntegrityError: A row of that key is there already.
        """
        with self._alone_in_process(), self._connection() as connection:
            return connection.execute(sql, parameters).fetchall()

    def close(self) -> None:
        """Close all connections; every later call raises UnavailableError."""
        with self._mutex:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @contextmanager
    def _alone_in_process(self) -> Iterator[None]:
        if not self._writing.acquire(timeout=self.patience.total_seconds()):
            raise UnavailableError(
                f"{self.path} is locked: others have been writing for {self.patience}"
            )
        try:
            yield
        finally:
            self._writing.release()

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection to one thread at a time."""
        with _reported(self.path):
            connection = self._take()
            try:
                yield connection
            except sqlite3.IntegrityError:
                self._give_back(connection)
                raise
            except BaseException:
                # What state it is in is anyone's guess.
                connection.close()
                raise
            self._give_back(connection)

    def _take(self) -> sqlite3.Connection:
        with self._mutex:
            if self._closed:
                raise UnavailableError(f"{self.path} has been closed")
            if self._process != os.getpid():
                # SQLite's connections do not survive a fork; closing them here would harm the parent.
                _OF_PARENTS.extend(self._idle)
                self._idle, self._process = [], os.getpid()
            if (present := self._present_file()) != self._file:
                # Writing on into a file that nobody finds any more would lose what is written.
                for connection in self._idle:
                    connection.close()
                self._idle, self._file = [], present
            if self._idle:
                return self._idle.pop()
        return self._connect()

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._mutex:
            if not self._closed and len(self._idle) < _IDLE_AT_MOST:
                self._idle.append(connection)
                return
        connection.close()

    def _present_file(self) -> tuple[int, int]:
        found = self.path.stat()
        return found.st_dev, found.st_ino

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{self.path.as_uri()}?mode=rw",  # rw: never make an empty file where ours was removed
            uri=True,
            timeout=self.patience.total_seconds(),
            isolation_level=None,
            check_same_thread=False,  # one thread at a time: the pool sees to it
        )
        # A stored change survives a loss of power: in WAL mode only FULL syncs at every commit, and
        # macOS flushes the drive itself only with fullfsync.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA fullfsync = 1")
        return connection


class InDatabase:
    """What stores in a database have in common: they let go of their file."""

    __slots__ = ()

    _database: Database

    def close(self) -> None:
        """Close the file; every later call raises UnavailableError."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


_NO_ROOM: Final = 1 << 20
"""Bytes."""
_OF_PARENTS: Final[list[sqlite3.Connection]] = []


def _is_full(folder: Path) -> bool:
    """Tell whether the disk of a folder has no room left: SQLite speaks of errors of I/O then."""
    try:
        return shutil.disk_usage(folder).free < _NO_ROOM
    except OSError:
        return False


@contextmanager
def _reported(path: Path) -> Iterator[None]:
    """Turn what SQLite and the system say into what the ports promise."""
    try:
        yield
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InterfaceError):
        raise  # a taken key is the caller's to tell; the others are bugs
    except (sqlite3.Error, OSError) as error:
        full = ": the disk is full" if _is_full(path.parent) else ""
        raise UnavailableError(f"{path}: {error}{full}") from error
    except UnicodeEncodeError as error:
        raise InvalidInputError.of(
            "", f"{error.object[:80]!r} is not text that can be stored"
        ) from error


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """
    Keep other processes from creating the database at the same time.

    SQLite's own lock does not: a switch to WAL fails at once where another process reads.
    A file of its own is locked, because closing any descriptor of the database drops SQLite's locks.
    """
    descriptor = os.open(f"{path}-create", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _create_file(path: Path) -> None:
    # Made by us rather than by SQLite: so it is never readable for others, not even for a moment.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        directory = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)


def _create_schema(connection: sqlite3.Connection, path: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA_VERSION:
        raise InvalidInputError.of(
            str(path),
            f"was written by a newer Daylily (schema {version}, this one knows {SCHEMA_VERSION}):"
            " upgrade Daylily, or point it at another file",
        )
    if version == SCHEMA_VERSION:
        return
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise UnavailableError(
            f"{path}: the file system cannot hold a shared database (journal: {mode})"
        )
    if version < 1:
        connection.executescript(_SCHEMA)
    connection.executescript(_SCHEMA_2)
