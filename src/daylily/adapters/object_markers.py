"""Empty objects whose names sort as listings of worksets do: their names, and walks through them."""

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote

from attrs import define, field, frozen

from daylily.adapters.paging import time_key
from daylily.domain.lifecycle import State
from daylily.domain.scheduling import queue_rank
from daylily.domain.workset import Workset
from daylily.ports.object_store import ObjectInfo, ObjectStore

START: Final = ""
END: Final = "."
"""Where a walk has come to; anything else is a cursor of the object store."""

_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_LATEST: Final = (datetime.max.replace(tzinfo=UTC) - _BEGINNING) // _MICROSECOND


@frozen
class Markers:
    """
    What the markers of worksets are called: ``<listing>/<order>~<workset_id>~<version>``.

    The version is the one under which the marker was put. No key is ever put again once a workset
    has dropped it, so that whoever removes it late removes nothing that has come since.
    """

    folder: str

    @property
    def queue(self) -> str:
        """The folder of worksets that are ready, in the order in which they are to run."""
        return f"{self.folder}queue/"

    @property
    def due(self) -> str:
        """The folder of worksets that a monitor has to look at, in the order of time."""
        return f"{self.folder}due/"

    @property
    def newest(self) -> str:
        """The folder of all worksets, newest first."""
        return f"{self.folder}newest/"

    def of_customer(self, customer_id: str) -> str:
        """Return the folder of a customer's worksets, newest first."""
        return f"{self.folder}customer/{quote(customer_id, safe='') or '-'}/"

    def in_state(self, state: State) -> str:
        """Return the folder of worksets in a state, newest first."""
        return f"{self.folder}state/{state}/"

    def of(self, workset: Workset, standing: Collection[str] = ()) -> frozenset[str]:
        """
        Return the keys of a workset's markers.

        Args:
            standing: Those of its version before: what is to stay where it is stays as it is.
        """
        kept = {_bare(key): key for key in standing}
        return frozenset(kept.get(each, f"{each}~{workset.version}") for each in self._names(workset))

    def _names(self, workset: Workset) -> Iterator[str]:
        name = workset.workset_id
        backwards = f"{order_of(workset.created_at)}~{name}"
        yield f"{self.newest}{backwards}"
        yield f"{self.of_customer(workset.customer_id)}{backwards}"
        yield f"{self.in_state(workset.state)}{backwards}"
        if workset.state is State.READY:
            yield f"{self.queue}{queue_rank(workset.priority, workset.created_at)}~{name}"
        if workset.due_at is not None:
            yield f"{self.due}{time_key(workset.due_at)}~{name}"


def order_of(created_at: datetime) -> str:
    """Return the text that sorts worksets by their creation, newest first."""
    return f"{_LATEST - (created_at - _BEGINNING) // _MICROSECOND:018d}"


def just_before(created_at: datetime) -> str:
    """Return the place behind which the newest comes that was created before an instant."""
    return f"{order_of(created_at)}~~"


def _bare(key: str) -> str:
    return key.rpartition("~")[0]


@frozen
class Marked:
    """A workset as it stands in a listing, and by which markers: several if writers have died."""

    place: str
    """Text that sorts the listing: ``<order>~<workset_id>``."""
    markers: tuple[ObjectInfo, ...]

    @property
    def workset_id(self) -> str:
        """Whose markers they are."""
        return self.place.rpartition("~")[2]

    @property
    def order(self) -> str:
        """What the listing is ordered by."""
        return self.place.rpartition("~")[0]


@define
class _Folder:
    """A walk through one folder; ``token`` is where the page begins that the next marker is on."""

    objects: ObjectStore
    folder: str
    token: str
    after: str
    size: int
    _found: deque[ObjectInfo] = field(init=False, factory=deque)
    _next: str | None = field(init=False, default=None)

    def head(self) -> str | None:
        """Return the place of the next marker; None at the end."""
        while not self._found and self.token != END:
            if self._next is not None:
                self.token, self._next = self._next, None
                continue
            page = self.objects.list(self.folder, cursor=self.token or None, limit=self.size)
            self._found.extend(info for info in page.items if self._place(info) > self.after)
            self._next = page.cursor or END
        return self._place(self._found[0]) if self._found else None

    def take(self) -> ObjectInfo:
        """Return the next marker, and go on behind it."""
        return self._found.popleft()

    def _place(self, info: ObjectInfo) -> str:
        return _bare(info.key.removeprefix(self.folder))


@define
class Walk:
    """
    Goes through several folders of one order at once; a workset that is in two comes once.

    Args:
        tokens: Where to go on in each folder.
        after: The place behind which to go on.
        size: How many markers to ask for at once.
    """

    objects: ObjectStore
    folders: Sequence[str]
    tokens: Sequence[str]
    after: str
    size: int
    _walks: list[_Folder] = field(init=False)

    @_walks.default
    def _new_walks(self) -> list[_Folder]:
        pairs = zip(self.folders, self.tokens, strict=True)
        return [_Folder(self.objects, folder, token, self.after, self.size) for folder, token in pairs]

    def head(self) -> str | None:
        """Return the place of the next workset; None at the end."""
        return min((head for walk in self._walks if (head := walk.head()) is not None), default=None)

    def __iter__(self) -> Iterator[Marked]:
        """Yield what is there, in order."""
        while (place := self.head()) is not None:
            found = []
            for walk in self._walks:
                while walk.head() == place:
                    found.append(walk.take())
            self.after = place
            yield Marked(place, tuple(found))

    @property
    def position(self) -> tuple[str, ...]:
        """Where it has come to: ``after``, then ``tokens``."""
        return self.after, *(walk.token for walk in self._walks)
