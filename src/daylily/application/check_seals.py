"""Look whether a workset's files are still those that were submitted."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from attrs import frozen

from daylily.application.places import Places
from daylily.domain.workset import Workset
from daylily.ports.object_store import ObjectInfo, ObjectStore
from daylily.ports.paging import every

_TOLD: Final = 20
"""Files that are named; who has more of them has lost a folder."""


@frozen
class CheckSeals:
    """
    Compares what stands in a workset's directory with its seals.

    One listing for each thousand files, rather than a question for each. Worksets that were taken in
    without a look at their files (dropped by hand, or registered in place) have no seals; those that
    were submitted while the object store was away get theirs when their files are copied.
    """

    objects: ObjectStore
    places: Places

    def __call__(self, workset: Workset) -> str | None:
        """
        Return what is wrong with the files, for people; None if they are as they were.

        Raises:
            UnavailableError: The object store does not answer.
        """
        broken = self._broken(workset)
        told = list(islice(broken, _TOLD))
        if not told:
            return None
        more = sum(1 for _ in broken)
        files = "; ".join(told) + (f"; and {more} more" if more else "")
        return f"{files}. Files may not change once they are submitted: submit a new workset"

    def _broken(self, workset: Workset) -> Iterator[str]:
        sealed = dict(workset.manifest.seals())
        standing = self._standing(workset.workset_id, {key.rpartition("/")[0] for key in sealed})
        for key, seal in sealed.items():
            found = standing.get(key)
            if found is None:
                yield f"{key} is gone"
            elif found.size != seal.size:
                yield f"{key} had {seal.size} bytes when it was submitted, and has {found.size} now"
            elif found.etag != seal.etag:
                yield f"{key} holds other bytes than when it was submitted"

    def _standing(self, workset_id: str, folders: set[str]) -> dict[str, ObjectInfo]:
        directory = self.places.directory(workset_id)
        return {
            info.key.removeprefix(directory): info
            for folder in sorted(folders)
            for info in self._below(f"{directory}{folder}/")
        }

    def _below(self, prefix: str) -> Iterator[ObjectInfo]:
        return every(lambda cursor: self.objects.list(prefix, cursor=cursor))
