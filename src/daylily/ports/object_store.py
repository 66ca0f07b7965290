"""Where files live."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import BinaryIO, Protocol

from attrs import frozen

from daylily.ports.paging import Page


@frozen(kw_only=True)
class ObjectInfo:
    """What is known of a stored object without reading it."""

    key: str
    size: int
    """Bytes."""
    etag: str
    """Differs whenever the content does."""
    modified_at: datetime
    """Told by a write it may be off by moments: S3 answers a put without the time it has stamped."""


@frozen
class Peek:
    """How an object begins, and what is known of it."""

    start: bytes
    info: ObjectInfo


class ObjectStore(Protocol):
    """
    Files under keys, as S3 has them: an object is there whole or not at all.

    - Keys are relative paths of UTF-8 without empty, ``.`` or ``..`` parts (see ``names.check_key``).
      Any other raises InvalidInputError and touches nothing.
    - A reader that has opened an object reads that object to its end, whatever is put meanwhile.
    - What a call has stored, every later call of any process sees; it survives a loss of power.
    - Every method raises UnavailableError when the store does not answer.
    - Safe to share between threads.
    """

    def put(self, key: str, source: BinaryIO | bytes, *, if_absent: bool = False) -> ObjectInfo:
        """
        Store an object, replacing what was there; *source* is streamed in constant memory.

        Args:
            if_absent: Of any number of callers at once, let exactly one create the object.

        Raises:
            AlreadyExistsError: *if_absent*, and there is one; it is left as it is. If it may be what
                this very call has created, and others have replaced since, PerhapsOursError.
        """

    def replace(self, key: str, content: bytes, *, if_etag: str) -> bool:
        """Replace an object if it still has this etag; return whether it was so."""

    def open(
        self, key: str, *, start: int = 0, stop: int | None = None, if_etag: str | None = None
    ) -> BinaryIO:
        """
        Open an object for reading; the caller closes it.

        Args:
            start: The first byte to read; beyond the object's end there is nothing.
            stop: The first byte not to read any more; None reads to the end.
            if_etag: The object that is meant.

        Raises:
            NotFoundError: There is none.
            ConcurrentUpdateError: Another object than *if_etag* stands there.
        """

    def info(self, key: str) -> ObjectInfo:
        """
        Return what is known of an object.

        Raises:
            NotFoundError: There is none.
        """

    def peek(self, key: str, size: int) -> Peek:
        """
        Return the first *size* bytes of an object, or all it has, and what is known of it: one call.

        Raises:
            NotFoundError: There is none.
        """

    def copy(self, source: str, target: str, *, known: ObjectInfo | None = None) -> ObjectInfo:
        """
        Store what is under *source* under *target* too, without moving it through this process.

        Args:
            known: What is known of the source, which spares a question. If it has been replaced since,
                what stands there now is copied all the same.

        Raises:
            NotFoundError: There is nothing under *source*.
        """

    def take(
        self, other: "ObjectStore", source: str, target: str, *, known: ObjectInfo | None = None
    ) -> ObjectInfo:
        """
        Store under *target* what another store has under *source*.

        Where both are of one kind it need not move through this process.

        Args:
            known: See ``copy``.

        Raises:
            NotFoundError: There is nothing under *source*.
        """

    def delete(self, key: str, *, if_etag: str | None = None) -> bool:
        """
        Remove an object; return whether it was there to remove.

        Args:
            if_etag: Remove it only while it has this etag; otherwise leave it and return False.
        """

    def delete_all(self, etags: Mapping[str, str]) -> Collection[str]:
        """
        Remove each object that still has its etag, in any order; return the keys of those removed.

        Args:
            etags: By the keys of the objects; a thousand at most.
        """

    def list(
        self, prefix: str, *, cursor: str | None = None, limit: int = 1000, without: str = ""
    ) -> Page[ObjectInfo]:
        """
        Return objects whose keys start with *prefix* (at any depth), in order of their keys.

        Args:
            without: Text that no key has beyond *prefix*. Those that have it are left out, and all that
                are alike up to and with it cost no more than one; a page may be empty for them.
        """

    def entries(self, prefix: str, *, cursor: str | None = None, limit: int = 1000) -> Page[str]:
        """
        Return the keys directly under *prefix*, in order: objects as they are, folders with a ``/``.

        Args:
            prefix: Empty, or ending in ``/``.
        """

    def browse(
        self, prefix: str, *, cursor: str | None = None, limit: int = 1000
    ) -> Page[ObjectInfo | str]:
        """
        Return what ``entries`` returns, with what is known of each object in place of its key.

        Args:
            prefix: Empty, or ending in ``/``.
        """

    def changed(self, prefix: str, mark: str | None) -> str | None:
        """
        Return a new mark if ``entries(prefix)`` may list other names than at *mark*, else None.

        A store that cannot tell cheaply returns a new mark every time.
        """

    def location(self, key: str) -> str:
        """Return where a pipeline finds the object or folder: a path, or ``s3://bucket/key``."""
