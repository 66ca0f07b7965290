"""Read worksets, their logs and their results, as far as the caller may see them."""

from typing import BinaryIO, Final

from attrs import evolve, frozen

from daylily.application.engines import Engines
from daylily.application.places import Places
from daylily.application.stored_file import StoredFile
from daylily.domain.customers import Principal
from daylily.domain.errors import NotFoundError
from daylily.domain.lifecycle import State
from daylily.domain.names import check_key
from daylily.domain.results import is_unfinished
from daylily.domain.workset import Attempt, Transition, Workset
from daylily.ports.compute import LogChunk
from daylily.ports.object_store import ObjectInfo, ObjectStore
from daylily.ports.paging import Page
from daylily.ports.state_store import Filter, StateStore

_AT_HAND: Final = frozenset(State) - {State.ARCHIVED, State.DELETED}


@frozen
class ReadWorksets:
    """What callers may look at. Another customer's workset is simply not there."""

    store: StateStore
    objects: ObjectStore
    engines: Engines
    places: Places

    def get(self, who: Principal, workset_id: str) -> Workset:
        """
        Return a workset.

        Raises:
            NotFoundError: There is none that the caller may see.
        """
        workset = self.store.get(workset_id)
        if not who.sees(workset.customer_id):
            # Word for word what a store says of an id it does not have.
            raise NotFoundError(f"there is no workset {workset_id}")
        return workset

    def history(
        self, who: Principal, workset_id: str, *, cursor: str | None = None, limit: int = 100
    ) -> Page[Transition]:
        """
        Return a page of all that a workset has been through, latest first.

        Raises:
            NotFoundError: There is no such workset.
            InvalidInputError: The cursor is not one of ours.
        """
        self.get(who, workset_id)
        return self.store.history(workset_id, cursor=cursor, limit=limit)

    def list(
        self, who: Principal, where: Filter, *, cursor: str | None = None, limit: int = 100
    ) -> Page[Workset]:
        """
        Return a page of worksets; whoever is no operator gets their own.

        What has been put away is listed only where its state is asked for.

        Raises:
            CursorError: The cursor is not one of this listing's.
        """
        if where.states is None:
            where = evolve(where, states=_AT_HAND)
        if not who.operator:
            if where.customer_id not in {None, who.customer_id}:
                return Page(())
            where = evolve(where, customer_id=who.customer_id)
        return self.store.list(where, cursor=cursor, limit=limit)

    def log(
        self, who: Principal, workset_id: str, *, attempt: int | None = None, offset: int = 0
    ) -> LogChunk:
        """
        Return part of what an attempt (the last one, unless said) has written.

        Raises:
            NotFoundError: There is no such workset or attempt, or it has written nothing.
        """
        found = self._attempt(self.get(who, workset_id), attempt)
        engine = self.engines.of(found.cluster)
        return engine.log(f"{workset_id}/{found.number}", offset=offset)

    def results(
        self,
        who: Principal,
        workset_id: str,
        *,
        attempt: int | None = None,
        cursor: str | None = None,
    ) -> Page[ObjectInfo]:
        """
        Return the files that an attempt has left, each key relative to its results folder.

        What is just being written under a name for the meantime is none of them.

        Raises:
            NotFoundError: There is no such workset or attempt.
        """
        folder = self._results(who, workset_id, attempt)
        page = self.objects.list(folder, cursor=cursor)
        named = (evolve(info, key=info.key.removeprefix(folder)) for info in page.items)
        return Page(tuple(info for info in named if not is_unfinished(info.key)), page.cursor)

    def open_result(
        self, who: Principal, workset_id: str, key: str, *, attempt: int | None = None
    ) -> BinaryIO:
        """
        Open a file of an attempt's results; the caller closes it.

        Raises:
            NotFoundError: There is no such workset, attempt or file.
            InvalidInputError: *key* is not a relative path.
        """
        folder = self._results(who, workset_id, attempt)
        return self.objects.open(folder + check_key(key))

    def look_at_result(
        self, who: Principal, workset_id: str, key: str, *, attempt: int | None = None
    ) -> StoredFile:
        """
        Return a file of an attempt's results, to be read whole or in part.

        Raises:
            NotFoundError: There is no such workset, attempt or file.
            InvalidInputError: *key* is not a relative path.
        """
        place = self._results(who, workset_id, attempt) + check_key(key)
        return StoredFile(evolve(self.objects.info(place), key=key), self.objects, place)

    def results_location(self, workset: Workset) -> str | None:
        """Return where the last attempt's results are, as people and pipelines find them."""
        if not workset.attempts:
            return None
        return self.objects.location(self.places.results(workset, workset.attempts[-1].number))

    def _results(self, who: Principal, workset_id: str, attempt: int | None) -> str:
        workset = self.get(who, workset_id)
        return self.places.results(workset, self._attempt(workset, attempt).number)

    @staticmethod
    def _attempt(workset: Workset, number: int | None) -> Attempt:
        if not workset.attempts:
            raise NotFoundError(f"{workset.workset_id} has not been launched yet")
        wanted = len(workset.attempts) if number is None else number
        if not 1 <= wanted <= len(workset.attempts):
            raise NotFoundError(f"{workset.workset_id} has no attempt {wanted}")
        return workset.attempts[wanted - 1]
