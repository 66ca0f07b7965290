"""Put back into the store what a directory of ours tells of a workset that the store has lost."""

from typing import Final

from attrs import frozen

from daylily.application.places import Places
from daylily.application.strays import RefuseStrays
from daylily.domain.errors import InvalidInputError
from daylily.domain.restoring import original, restored
from daylily.domain.workset import Workset
from daylily.ports.clock import Clock
from daylily.ports.object_store import ObjectStore
from daylily.ports.paging import every
from daylily.ports.sentinel_store import Folder, SentinelStore
from daylily.ports.state_store import StateStore

_TO_RUN_IT: Final = (
    "to have it run by itself, take its sentinels away and put a daylily.ready of your own"
)


@frozen
class AttemptsLeft:
    """Looks which attempts of a workset have left results."""

    objects: ObjectStore
    places: Places

    def __call__(self, workset_id: str) -> list[int]:
        """
        Return their numbers.

        Raises:
            UnavailableError: The object store does not answer.
        """
        folder = self.places.all_results(workset_id)
        names = every(lambda cursor: self.objects.entries(folder, cursor=cursor))
        numbers = (name.removeprefix(f"{folder}attempt-").rstrip("/") for name in names)
        return [int(each) for each in numbers if each.isdecimal()]


@frozen(kw_only=True)
class RestoreWorkset:
    """
    Restore a workset from its files, its sentinels and the folders of its results.

    A workset is stored before its first sentinel is written. So where a sentinel bears our mark and the
    store knows nothing, the store has lost it (or the directory was copied here from another store).
    One that was copied from that of another workset, or renamed, was not lost: that other may be
    running, and nobody has asked for it to run twice.
    """

    store: StateStore
    sentinels: SentinelStore
    objects: ObjectStore
    places: Places
    clock: Clock
    customer_id: str
    """Whose it is where its files do not say."""
    actor: str

    def __call__(self, workset_id: str, folder: Folder) -> Workset:
        """
        Store the workset that *folder* tells of, and return it.

        Raises:
            AlreadyExistsError: The store has one of that id.
            InvalidInputError: Its files are missing or unsound; every fault is listed. Or it is a copy.
            UnavailableError: A store does not answer.
        """
        return self.store.add(self.told(workset_id, folder))

    def told(self, workset_id: str, folder: Folder) -> Workset:
        """
        Return the workset that *folder* tells of, which is stored nowhere yet.

        Raises:
            InvalidInputError: Its files are missing or unsound; every fault is listed. Or it is a copy.
            UnavailableError: The object store does not answer.
        """
        told = self.sentinels.recorded(workset_id)
        owner = original(workset_id, folder.sentinels, told.workset_id)
        if owner != workset_id:
            raise InvalidInputError.of("the directory", f"is a copy of that of {owner}: {_TO_RUN_IT}")
        customer_id = told.customer_id or self.customer_id
        RefuseStrays(self.objects, self.places)(told.manifest, workset_id, customer_id)
        at = self.clock()
        return restored(
            workset_id=workset_id,
            customer_id=customer_id,
            name=told.name,
            manifest=told.manifest,
            created_at=told.created_at or at,
            submitted_by=told.submitted_by or "unknown",
            priority=told.priority,
            max_retries=told.max_retries,
            notification_email=told.notification_email,
            requirements=told.requirements,
            sentinels=folder.sentinels,
            attempts=AttemptsLeft(self.objects, self.places)(workset_id),
            at=at,
            actor=self.actor,
        )
