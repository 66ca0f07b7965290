"""Files in a directory, under the rules of an object store."""

import fcntl
import io
import os
import stat
import time
from bisect import bisect_right
from collections.abc import Collection, Generator, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final, cast
from uuid import uuid4

from attrs import field, frozen

from daylily.adapters.keys import check_folder, check_prefix
from daylily.adapters.local import files
from daylily.adapters.objects import PartOf, looked_up, replaced, streamed
from daylily.adapters.paging import check_limit, decode_cursor, encode_cursor, page_of
from daylily.domain.errors import (
    AlreadyExistsError,
    ConflictError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
)
from daylily.domain.names import check_key, key_fault
from daylily.ports.object_store import ObjectInfo, ObjectStore, Peek
from daylily.ports.paging import Page

_TEMPORARY: Final = ".tmp"
_LOCK: Final = ".lock"
_OWN: Final = frozenset({_TEMPORARY, _LOCK})
_FRESH: Final = "-fresh"
_NAME_BYTES: Final = 255
"""The longest file name of every file system we know of; some take less, and then say so."""
_CHUNK: Final = 1 << 20
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

LEFT_OVER: Final = timedelta(days=1)
"""Age from which a temporary file belongs to a writer that died."""
_TICK_NS: Final = 2_000_000_000
"""No file system we know of keeps times more coarsely than this (FAT)."""


def _absolute(path: Path) -> Path:
    return path.absolute()


@frozen(eq=False)
class DirectoryObjectStore:
    """
    An ObjectStore whose keys are paths below *root*.

    - Objects appear by a rename or a hard link of a file already on disk, never by writing in place.
    - Symbolic links, devices and names that no key can have are not objects: listings leave them out,
      and asking for one raises NotFoundError. Nothing is ever read or written through a link.
    - A key cannot be an object and a folder at once, as it can in S3: putting one raises ConflictError.
    - A folder stays when its last object goes; ``entries`` lists it, ``list`` has nothing of it.
    - ``.tmp`` and ``.lock`` directly in *root* are the store's own: no key can name them.

    Args:
        root: Made if it is not there, readable for its owner only.

    Raises:
        UnavailableError: It cannot be made or opened.
    """

    root: Path = field(converter=_absolute)
    _identity: tuple[int, int] = field(init=False)
    """Device and inode of root: an unmounted volume must not read as an empty store."""

    @_identity.default
    def _prepare(self) -> tuple[int, int]:
        with files.reported(str(self.root), writing=True):
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self.root / _TEMPORARY).mkdir(mode=0o700, exist_ok=True)
            _sweep(self.root / _TEMPORARY)
            found = self.root.stat()
        return found.st_dev, found.st_ino

    def put(self, key: str, source: BinaryIO | bytes, *, if_absent: bool = False) -> ObjectInfo:
        """See ObjectStore.put."""
        parts = _parts(key)
        with self._opened() as root, self._temporary(root) as temporary:
            if if_absent:
                # Rather now than after the last byte of a long upload; the link below decides.
                _refuse_taken(root, parts, key)
            self._fill(temporary, source, key)
            with files.reported(key, writing=True):
                return _named(root, temporary, parts, if_absent)

    def replace(self, key: str, content: bytes, *, if_etag: str) -> bool:
        """See ObjectStore.replace."""
        try:
            with (
                self._opened() as root,
                self._parent(key) as (parent, name),
                self._temporary(root) as temporary,
            ):
                self._fill(temporary, content, key)
                with _locked(root):
                    if _etag(files.status(parent, name)) != if_etag:
                        return False
                    os.replace(temporary[1], name, src_dir_fd=temporary[0], dst_dir_fd=parent)
                os.fsync(parent)
        except NotFoundError:
            return False
        return True

    def open(
        self, key: str, *, start: int = 0, stop: int | None = None, if_etag: str | None = None
    ) -> BinaryIO:
        """See ObjectStore.open."""
        with self._parent(key) as (parent, name):
            file = os.fdopen(files.opened(parent, name), "rb")
        try:
            if if_etag is not None and _etag(os.fstat(file.fileno())) != if_etag:
                raise replaced(key)
            file.seek(start)
        except BaseException:
            file.close()
            raise
        if stop is None:
            return file
        return cast(BinaryIO, io.BufferedReader(PartOf(file, max(0, stop - start)), _CHUNK))

    def info(self, key: str) -> ObjectInfo:
        """See ObjectStore.info."""
        with self._parent(key) as (parent, name):
            return _info(key, files.status(parent, name))

    def peek(self, key: str, size: int) -> Peek:
        """See ObjectStore.peek."""
        with self.open(key) as file:
            return Peek(file.read(size), _info(key, os.fstat(file.fileno())))

    def copy(self, source: str, target: str, *, known: ObjectInfo | None = None) -> ObjectInfo:
        """
        See ObjectStore.copy.

        The target shares the source's bytes on disk, until either is replaced.
        """
        parts = _parts(target)
        with self._opened() as root, self._temporary(root) as temporary:
            with self._parent(source) as (parent, name):
                # Somebody may have dropped the file without waiting for the disk.
                with os.fdopen(files.opened(parent, name), "rb") as original:
                    os.fsync(original.fileno())
                    if not files.link((parent, name), temporary):
                        self._fill(temporary, original, target)
                files.status(*temporary)  # not a link that took the file's name meanwhile
            with files.reported(target, writing=True):
                return _named(root, temporary, parts, if_absent=False)

    def take(
        self, other: ObjectStore, source: str, target: str, *, known: ObjectInfo | None = None
    ) -> ObjectInfo:
        """See ObjectStore.take."""
        return streamed(self, other, source, target)

    def delete(self, key: str, *, if_etag: str | None = None) -> bool:
        """See ObjectStore.delete."""
        try:
            with self._opened() as root, self._parent(key) as (parent, name), _locked(root):
                if if_etag not in {None, _etag(files.status(parent, name))}:
                    return False
                os.unlink(name, dir_fd=parent)
                os.fsync(parent)
        except NotFoundError:
            return False
        return True

    def delete_all(self, etags: Mapping[str, str]) -> Collection[str]:
        """See ObjectStore.delete_all."""
        return [key for key, etag in etags.items() if self.delete(key, if_etag=etag)]

    def list(
        self, prefix: str, *, cursor: str | None = None, limit: int = 1000, without: str = ""
    ) -> Page[ObjectInfo]:
        """See ObjectStore.list."""
        check_prefix(prefix)
        check_limit(limit)
        (after,) = decode_cursor("list", cursor, 1) if cursor is not None else ("",)
        folder = prefix[: prefix.rfind("/") + 1]
        with (
            files.reported(prefix, writing=True),
            self._opened() as root,
            closing(_walk(root, folder, _Wanted(prefix, after, without))) as walk,
        ):
            found = list(islice(walk, limit + 1))
        return page_of(found, limit, lambda last: encode_cursor("list", last.key))

    def entries(self, prefix: str, *, cursor: str | None = None, limit: int = 1000) -> Page[str]:
        """See ObjectStore.entries."""
        check_folder(prefix)
        check_limit(limit)
        (after,) = decode_cursor("entries", cursor, 1) if cursor is not None else ("",)
        with self._folder(prefix) as folder:
            keys = [] if folder is None else _keys(folder, prefix)
        start = bisect_right(keys, after)
        return page_of(
            keys[start : start + limit + 1], limit, lambda last: encode_cursor("entries", last)
        )

    def browse(
        self, prefix: str, *, cursor: str | None = None, limit: int = 1000
    ) -> Page[ObjectInfo | str]:
        """See ObjectStore.browse; a folder that nothing is left in is left out, as S3 has it."""
        page = looked_up(self.entries(prefix, cursor=cursor, limit=limit), self.info)
        kept = (each for each in page.items if not isinstance(each, str) or self._has_any(each))
        return Page(tuple(kept), page.cursor)

    def changed(self, prefix: str, mark: str | None) -> str | None:
        """
        See ObjectStore.changed.

        The mark is the folder's inode and time of change, so this reads no listing. A folder that
        changed in the last two seconds may change again without its time moving, so its mark counts
        as changed until a later look finds it at rest: a change may be told twice, but never missed.
        """
        check_folder(prefix)
        with self._folder(prefix) as folder:
            present = _mark(folder)
        return None if present == mark and not present.endswith(_FRESH) else present

    def location(self, key: str) -> str:
        """Return the absolute path of an object or a folder."""
        return str(self.root / check_prefix(key))

    @contextmanager
    def _opened(self) -> Iterator[int]:
        """Open root, for the time of the ``with``."""
        with files.reported(str(self.root), writing=True):
            root = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            found = os.fstat(root)
            if (found.st_dev, found.st_ino) != self._identity:
                raise UnavailableError(f"{self.root} is not the directory that it was at the start")
            yield root
        finally:
            os.close(root)

    @contextmanager
    def _folder(self, prefix: str) -> Iterator[int | None]:
        """Open the folder that a prefix names, if it is there."""
        with (
            files.reported(prefix, writing=True),
            self._opened() as root,
            _folder_if_any(root, prefix) as folder,
        ):
            yield folder

    def _has_any(self, prefix: str) -> bool:
        """Tell whether there is an object in a folder; folders that hold none do not count."""
        with (
            files.reported(prefix, writing=True),
            self._opened() as root,
            closing(_walk(root, prefix, _Wanted(prefix, "", ""))) as walk,
        ):
            return next(walk, None) is not None

    @contextmanager
    def _parent(self, key: str) -> Iterator[tuple[int, str]]:
        """Open the folder that an object is in, and return it with the object's name."""
        *folders, name = _parts(key)
        with self._opened() as root, files.reported(key), files.folder(root, folders) as parent:
            yield parent, name

    @contextmanager
    def _temporary(self, root: int) -> Iterator[tuple[int, str]]:
        """Return a name that nothing has, in a folder on the same file system; remove what gets it."""
        with files.reported(_TEMPORARY, writing=True):
            descriptor = os.open(_TEMPORARY, files.FOLDER, dir_fd=root)
        name = uuid4().hex
        try:
            yield descriptor, name
        finally:
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=descriptor)
            os.close(descriptor)

    def _fill(self, temporary: tuple[int, str], source: BinaryIO | bytes, key: str) -> None:
        """Write *source* to a new file, down to the disk."""
        parent, name = temporary
        with files.reported(key, writing=True):
            descriptor = os.open(name, _NEW, 0o666, dir_fd=parent)
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            for chunk in _chunks(source):  # what goes wrong at the source is not the store's to explain
                with files.reported(key, writing=True):
                    _write(file, chunk)
            with files.reported(key, writing=True):
                # The kernel stamps files by a clock of several ms a tick, in which an inode can be
                # freed and used again: an etag of that could stand for two contents.
                now = time.time_ns()
                os.utime(file.fileno(), ns=(now, now))
                os.fsync(file.fileno())


def _parts(key: str) -> list[str]:
    parts = check_key(key).split("/")
    if parts[0].lower() in _OWN:
        raise InvalidInputError.of(
            "key", f"{key[:80]!r} is the store's own: {parts[0]} holds no objects"
        )
    if any(len(part.encode()) > _NAME_BYTES for part in parts):
        raise InvalidInputError.of("key", f"{key[:80]!r} has a part that is too long for a file name")
    return parts


def _named(root: int, temporary: tuple[int, str], parts: list[str], if_absent: bool) -> ObjectInfo:
    """Give a file its name and return what is then known of it."""
    key, name = "/".join(parts), parts[-1]
    info = _info(key, files.status(*temporary))
    with files.made_folder(root, parts[:-1]) as parent:
        try:
            if not (if_absent and files.link(temporary, (parent, name))):
                with _locked(root):
                    if if_absent and files.kind(parent, name) is not None:
                        raise FileExistsError
                    os.replace(temporary[1], name, src_dir_fd=temporary[0], dst_dir_fd=parent)
        except (FileExistsError, IsADirectoryError) as error:
            raise _taken(key, files.kind(parent, name)) from error
        os.fsync(parent)
    return info


def _refuse_taken(root: int, parts: list[str], key: str) -> None:
    with files.absence_ignored(), files.folder(root, parts[:-1]) as parent:
        if kind := files.kind(parent, parts[-1]):
            raise _taken(key, kind)


def _taken(key: str, kind: int | None) -> ConflictError:
    if kind == stat.S_IFDIR:
        return ConflictError(f"{key} is a folder: no object can have its name")
    return AlreadyExistsError(f"{key} is there already")


@contextmanager
def _locked(root: int) -> Iterator[None]:
    """Keep other threads and processes from replacing and removing, while a name is looked at."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(_LOCK, flags, 0o600, dir_fd=root)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _chunks(source: BinaryIO | bytes) -> Iterator[bytes]:
    if isinstance(source, bytes):
        yield source
        return
    while chunk := source.read(_CHUNK):
        yield chunk


def _write(file: io.FileIO, chunk: bytes) -> None:
    left = memoryview(chunk)
    while left:
        left = left[file.write(left) :]


def _info(key: str, found: os.stat_result) -> ObjectInfo:
    return ObjectInfo(
        key=key,
        size=found.st_size,
        etag=_etag(found),
        modified_at=datetime.fromtimestamp(found.st_mtime, UTC),
    )


def _etag(found: os.stat_result) -> str:
    return f"{found.st_ino:x}-{found.st_mtime_ns:x}-{found.st_size:x}"


@contextmanager
def _folder_if_any(root: int, prefix: str) -> Iterator[int | None]:
    """Open the folder that *prefix* (empty, or ending in ``/``) names; None where there is none."""
    with ExitStack() as stack:
        folder = None
        with files.absence_ignored():
            folder = stack.enter_context(files.folder(root, prefix.split("/")[:-1]))
        yield folder


def _keys(folder: int, prefix: str) -> list[str]:
    """Return the sorted keys of what is in a folder, without what no key can name."""
    keys = [prefix + name for name in files.names(folder)]
    return [
        key
        for key in keys
        if not key_fault(key.removesuffix("/"), "") and key.split("/")[0].lower() not in _OWN
    ]


@frozen
class _Wanted:
    """Which keys a listing is of."""

    start: str
    """They begin with it."""
    after: str
    """They follow it."""
    without: str
    """They do not have it beyond their start."""

    def has(self, key: str) -> bool:
        """Tell whether it is of an object."""
        return key > self.after and key.startswith(self.start) and not self._left_out(key)

    def may_be_in(self, folder: str) -> bool:
        """Tell whether it can be of objects in a folder, which ends in ``/``."""
        inside = folder.startswith(self.start) or self.start.startswith(folder)
        ahead = folder > self.after or self.after.startswith(folder)
        return inside and ahead and not self._left_out(folder)

    def _left_out(self, key: str) -> bool:
        return bool(self.without) and self.without in key[len(self.start) :]


def _walk(root: int, prefix: str, wanted: _Wanted) -> Generator[ObjectInfo, None, None]:
    """Yield the objects below a folder that are wanted, in the order of their keys."""
    with _folder_if_any(root, prefix) as folder:
        # "name/" sorts folders as the keys of what is in them do.
        for key in _keys(folder, prefix) if folder is not None else ():
            if key.endswith("/"):
                if wanted.may_be_in(key):
                    yield from _walk(root, key, wanted)
            elif folder is not None and wanted.has(key):
                with files.absence_ignored():  # removed since the folder was read
                    yield _info(key, files.status(folder, key[len(prefix) :]))


def _mark(folder: int | None) -> str:
    if folder is None:
        return "absent"
    now = time.time_ns()  # before the look: a later change must have a later time
    found = os.fstat(folder)
    fresh = _FRESH if found.st_mtime_ns > now - _TICK_NS else ""
    return f"{found.st_dev:x}-{found.st_ino:x}-{found.st_mtime_ns:x}{fresh}"


def _sweep(folder: Path) -> None:
    """Remove what writers that died have left."""
    before = time.time() - LEFT_OVER.total_seconds()
    for path in folder.iterdir():
        with suppress(FileNotFoundError):
            # ctime: a hard link made by copy() has the mtime of its source.
            if path.lstat().st_ctime < before:
                path.unlink()
