"""Put away what is over, bring it back, or remove it for good."""

from typing import Final

from attrs import frozen

from daylily.application.ledger import Ledger
from daylily.application.places import Places
from daylily.application.read_worksets import ReadWorksets
from daylily.domain.customers import Principal
from daylily.domain.lifecycle import State
from daylily.domain.sentinels import Sentinel
from daylily.domain.workset import Workset
from daylily.ports.clock import Clock
from daylily.ports.object_store import ObjectStore
from daylily.ports.paging import every

_STAYS: Final = Sentinel.IGNORE
"""It keeps everybody from whatever may yet be dropped into the directory."""


@frozen
class PutAway:
    """
    Archive, restore and delete worksets.

    Directories stay where they are: a state is all that changes, so nothing can be left half moved,
    and what is brought back is whole.
    """

    read: ReadWorksets
    ledger: Ledger
    objects: ObjectStore
    places: Places
    clock: Clock

    def archive(
        self, who: Principal, workset_id: str, reason: str = "", *, version: int | None = None
    ) -> Workset:
        """
        Return the workset, archived.

        Raises:
            NotFoundError: There is none that the caller may see.
            IllegalTransitionError: It has not ended.
            StaleVersionError: Another version than the caller has seen is stored.
        """
        self.read.get(who, workset_id)
        return self.ledger.update(
            workset_id,
            lambda workset: workset.archive(by=who.name, at=self.clock(), reason=reason),
            version=version,
        )

    def restore(self, who: Principal, workset_id: str, *, version: int | None = None) -> Workset:
        """
        Return the workset in the state from which it was archived.

        Raises:
            NotFoundError: There is none that the caller may see.
            IllegalTransitionError: It is not archived.
            StaleVersionError: Another version than the caller has seen is stored.
        """
        self.read.get(who, workset_id)
        return self.ledger.update(
            workset_id,
            lambda workset: workset.restore(by=who.name, at=self.clock()),
            version=version,
        )

    def delete(
        self,
        who: Principal,
        workset_id: str,
        reason: str = "",
        *,
        files: bool = False,
        version: int | None = None,
    ) -> Workset:
        """
        Hide an archived workset for good; its record stays.

        Args:
            files: Whether all that lies in its directory is removed. That can be asked for again,
                where it was cut short.

        Raises:
            NotFoundError: There is none that the caller may see.
            IllegalTransitionError: It is not archived.
            StaleVersionError: Another version than the caller has seen is stored.
        """
        workset = self.read.get(who, workset_id)
        if not (files and workset.state is State.DELETED):
            workset = self.ledger.update(
                workset_id,
                lambda each: each.delete(by=who.name, at=self.clock(), reason=reason),
                version=version,
            )
        if files:
            self._remove(self.places.directory(workset_id))
        return workset

    def _remove(self, directory: str) -> None:
        # The directory ends in a slash: what is called run1 takes nothing of run10 along (D-53).
        for info in every(lambda cursor: self.objects.list(directory, cursor=cursor)):
            if info.key != f"{directory}{_STAYS}":
                self.objects.delete(info.key)
