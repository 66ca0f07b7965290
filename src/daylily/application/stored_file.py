"""A file that was looked at, to be read whole or in part as it was then."""

from typing import BinaryIO

from attrs import frozen

from daylily.ports.object_store import ObjectInfo, ObjectStore


@frozen
class StoredFile:
    """What is known of a file, under the name that its reader has for it."""

    info: ObjectInfo
    _objects: ObjectStore
    _key: str

    def open(self, start: int = 0, stop: int | None = None) -> BinaryIO:
        """
        Open it from byte *start* up to *stop*; the caller closes it.

        Raises:
            NotFoundError: It has gone since it was looked at.
            ConcurrentUpdateError: Another file stands there by now.
            UnavailableError: The object store does not answer.
        """
        return self._objects.open(self._key, start=start, stop=stop, if_etag=self.info.etag)
