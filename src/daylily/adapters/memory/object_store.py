"""Files kept in a dict: for tests, dry runs and demonstrations."""

import io
import threading
from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice, takewhile
from typing import BinaryIO
from uuid import uuid4

from attrs import define, evolve, field, frozen

from daylily.adapters.keys import check_folder, check_prefix
from daylily.adapters.objects import looked_up, replaced, streamed
from daylily.adapters.paging import check_limit, decode_cursor, encode_cursor, page_of
from daylily.domain.errors import AlreadyExistsError, NotFoundError
from daylily.domain.names import check_key
from daylily.ports.object_store import ObjectInfo, ObjectStore, Peek
from daylily.ports.paging import Page


@frozen
class _Object:
    info: ObjectInfo
    content: bytes


def _now() -> datetime:
    return datetime.now(UTC)


@define
class InMemoryObjectStore:
    """An ObjectStore whose files last as long as the process; safe to share between threads."""

    clock: Callable[[], datetime] = _now
    _objects: dict[str, _Object] = field(init=False, factory=dict)
    _keys: list[str] = field(init=False, factory=list)
    """Sorted; text sorts by code point, which is the order of its UTF-8 bytes."""
    _puts: Counter[str] = field(init=False, factory=Counter)
    """How often each key was put, whether it is there still or not."""
    _generation: int = field(init=False, default=0)
    """Rises whenever a key comes or goes."""
    _name: str = field(init=False, factory=lambda: uuid4().hex)
    """Makes marks of two stores differ."""
    _mutex: threading.RLock = field(init=False, factory=threading.RLock)

    def put(self, key: str, source: BinaryIO | bytes, *, if_absent: bool = False) -> ObjectInfo:
        """See ObjectStore.put."""
        check_key(key)
        content = source if isinstance(source, bytes) else source.read()
        with self._mutex:
            if if_absent and key in self._objects:
                raise AlreadyExistsError(f"{key} is there already")
            if key not in self._objects:
                insort(self._keys, key)
                self._generation += 1
            self._puts[key] += 1
            info = ObjectInfo(
                key=key, size=len(content), etag=str(self._puts[key]), modified_at=self.clock()
            )
            self._objects[key] = _Object(info, content)
        return info

    def replace(self, key: str, content: bytes, *, if_etag: str) -> bool:
        """See ObjectStore.replace."""
        check_key(key)
        with self._mutex:
            stored = self._objects.get(key)
            if stored is None or stored.info.etag != if_etag:
                return False
            self.put(key, content)
        return True

    def open(
        self, key: str, *, start: int = 0, stop: int | None = None, if_etag: str | None = None
    ) -> BinaryIO:
        """See ObjectStore.open."""
        stored = self._get(key)
        if if_etag not in {None, stored.info.etag}:
            raise replaced(key)
        return io.BytesIO(stored.content[start:stop])

    def info(self, key: str) -> ObjectInfo:
        """See ObjectStore.info."""
        return self._get(key).info

    def peek(self, key: str, size: int) -> Peek:
        """See ObjectStore.peek."""
        stored = self._get(key)
        return Peek(stored.content[:size], stored.info)

    def copy(self, source: str, target: str, *, known: ObjectInfo | None = None) -> ObjectInfo:
        """See ObjectStore.copy."""
        check_key(target)
        with self._mutex:
            original = self._get(source)
            made = self.put(target, original.content)
            # The same bytes go by the same etag, as in S3 and in a directory.
            info = evolve(made, etag=original.info.etag)
            self._objects[target] = _Object(info, original.content)
        return info

    def take(
        self, other: ObjectStore, source: str, target: str, *, known: ObjectInfo | None = None
    ) -> ObjectInfo:
        """See ObjectStore.take."""
        return streamed(self, other, source, target)

    def delete(self, key: str, *, if_etag: str | None = None) -> bool:
        """See ObjectStore.delete."""
        check_key(key)
        with self._mutex:
            stored = self._objects.get(key)
            if stored is None or if_etag not in {None, stored.info.etag}:
                return False
            del self._objects[key]
            del self._keys[bisect_left(self._keys, key)]
            self._generation += 1
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
        with self._mutex:
            start = max(bisect_right(self._keys, after), bisect_left(self._keys, prefix))
            below = takewhile(lambda key: key.startswith(prefix), islice(self._keys, start, None))
            keys = (key for key in below if not without or without not in key.removeprefix(prefix))
            found = [self._objects[key].info for key in islice(keys, limit + 1)]
        return page_of(found, limit, lambda last: encode_cursor("list", last.key))

    def entries(self, prefix: str, *, cursor: str | None = None, limit: int = 1000) -> Page[str]:
        """See ObjectStore.entries."""
        check_folder(prefix)
        check_limit(limit)
        (after,) = decode_cursor("entries", cursor, 1) if cursor is not None else ("",)
        with self._mutex:
            found = list(islice(self._entries(prefix, after), limit + 1))
        return page_of(found, limit, lambda last: encode_cursor("entries", last))

    def browse(
        self, prefix: str, *, cursor: str | None = None, limit: int = 1000
    ) -> Page[ObjectInfo | str]:
        """See ObjectStore.browse."""
        with self._mutex:
            page = self.entries(prefix, cursor=cursor, limit=limit)
            return looked_up(page, self.info)

    def changed(self, prefix: str, mark: str | None) -> str | None:
        """See ObjectStore.changed."""
        check_folder(prefix)
        present = f"{self._name}-{self._generation}"
        return None if mark == present else present

    def contents(self) -> Iterator[tuple[ObjectInfo, bytes]]:
        """Yield all there is, at one moment: for tests."""
        with self._mutex:
            found = [(each.info, each.content) for each in self._objects.values()]
        yield from found

    def location(self, key: str) -> str:
        """Return a ``memory://`` address: no other process can read it."""
        return f"memory://{check_prefix(key).removesuffix('/')}"

    def _get(self, key: str) -> _Object:
        check_key(key)
        try:
            return self._objects[key]
        except KeyError:
            raise NotFoundError(f"there is no {key}") from None

    def _entries(self, prefix: str, after: str) -> Iterator[str]:
        at = bisect_left(self._keys, max(prefix, _past(after)))
        while at < len(self._keys) and self._keys[at].startswith(prefix):
            name, slash, _ = self._keys[at][len(prefix) :].partition("/")
            entry = prefix + name + slash
            yield entry
            at = bisect_left(self._keys, _past(entry))


def _past(entry: str) -> str:
    """Return the least key that comes after an entry and after all that lies in it, if a folder."""
    # "0" is the character after "/"; a key has no NUL, so nothing comes between.
    return f"{entry[:-1]}0" if entry.endswith("/") else f"{entry}\0"
