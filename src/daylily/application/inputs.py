"""The files that a submission names: in the customer's own space, or where operators allow it."""

from collections.abc import Callable
from typing import Final

from attrs import frozen

from daylily.application.places import Places
from daylily.domain.errors import NotFoundError
from daylily.ports.object_store import ObjectInfo, ObjectStore, Peek

CUSTOMER: Final = "{customer_id}"
"""What stands for the customer's id in a folder."""
S3: Final = "s3://"


@frozen(eq=False)
class Inputs:
    """
    Finds the files of customers.

    Who reads for others by rights of its own can be made to read anything. So of buckets that are not
    ours nothing is read but what lies in a folder that operators have named; one with ``{customer_id}``
    in it is for that customer alone.

    Args:
        folders: ``s3://bucket/folder/``, each ending in ``/``.
        bucket: Returns the objects of a bucket by its name.
    """

    objects: ObjectStore
    places: Places
    folders: tuple[str, ...] = ()
    bucket: Callable[[str], ObjectStore] | None = None

    def allows(self, customer_id: str, key: str) -> bool:
        """Tell whether a customer may name a file; whether it is there is another question."""
        if not key.startswith(S3):
            return True
        folders = (folder.replace(CUSTOMER, customer_id) for folder in self.folders)
        return self.bucket is not None and any(key.startswith(folder) for folder in folders)

    def peek(self, customer_id: str, key: str, size: int) -> Peek:
        """
        Return the first *size* bytes of a file, and what is known of it.

        Raises:
            NotFoundError: There is none, or none for this customer.
            UnavailableError: Its store does not answer.
        """
        store, inside = self._find(customer_id, key)
        return store.peek(inside, size)

    def copy(self, customer_id: str, key: str, target: str, *, known: ObjectInfo) -> ObjectInfo:
        """
        Copy a file to its place in our own store.

        Args:
            known: What a peek at it has told.

        Raises:
            NotFoundError: There is none, or none for this customer.
            UnavailableError: A store does not answer.
        """
        store, inside = self._find(customer_id, key)
        if store is self.objects:
            return store.copy(inside, target, known=known)
        return self.objects.take(store, inside, target, known=known)

    def _find(self, customer_id: str, key: str) -> tuple[ObjectStore, str]:
        if not key.startswith(S3):
            return self.objects, self.places.file(customer_id, key)
        if self.bucket is None or not self.allows(customer_id, key):
            raise NotFoundError(f"there is no {key}")
        name, _, inside = key.removeprefix(S3).partition("/")
        return self.bucket(name), inside
