"""Files of somebody else in our own bucket: no directory and no registration may name them."""

from collections.abc import Iterator
from typing import Final

from attrs import frozen

from daylily.application.places import Places
from daylily.domain.errors import Fault, InvalidInputError
from daylily.domain.manifest import Manifest
from daylily.ports.object_store import ObjectStore

_S3: Final = "s3://"


@frozen
class RefuseStrays:
    """
    Holds the files that a workset names by their whole address to those that are its own.

    Monitors and engines may read all of our bucket. So whoever can drop a directory, and read nothing
    else, could name a file of any customer, and find it in the results. Other buckets are not ours to
    judge: what an engine may read there, its own rights say.
    """

    objects: ObjectStore
    places: Places

    def __call__(self, manifest: Manifest, workset_id: str, customer_id: str) -> None:
        """
        Let through what lies elsewhere, in the workset's directory, or among its customer's files.

        Raises:
            InvalidInputError: Some files are another's; every one is listed.
        """
        faults = tuple(self._faults(manifest, workset_id, customer_id))
        if faults:
            raise InvalidInputError(faults)

    def _faults(self, manifest: Manifest, workset_id: str, customer_id: str) -> Iterator[Fault]:
        own = (self.places.directory(workset_id), self.places.folder(customer_id))
        allowed = tuple(f"{self.objects.location(folder).rstrip('/')}/" for folder in own)
        files = self.objects.location(self.places.files).rstrip("/")
        ours = files.removesuffix(self.places.files.rstrip("/"))
        for place, key in manifest.files():
            if key.startswith(_S3) and key.startswith(ours) and not key.startswith(allowed):
                yield Fault(place, f"{key[:200]!r} is another's: name files of {customer_id} alone")
