"""A state store whose queues and listings come after its writes, as those of DynamoDB do."""

from collections import deque
from collections.abc import Collection
from datetime import datetime

from attrs import define, evolve, field

from daylily.domain.lifecycle import State
from daylily.domain.workset import Workset
from daylily.ports.paging import Page
from daylily.ports.state_store import Filter, StateStore


@define
class LaggingIndexes:
    """
    The queues and listings of a state store as they were some writes ago.

    Args:
        replica: An empty store, for nobody else, to which writes come late.
    """

    replica: StateStore
    _written: deque[Workset] = field(init=False, factory=deque)

    def wrote(self, workset: Workset) -> None:
        """Note what an ``add`` or a ``save`` has returned."""
        self._written.append(workset)

    def fall_behind(self, writes: int) -> None:
        """See Lagging.fall_behind; what has been seen once stays seen."""
        while len(self._written) > writes:
            workset = self._written.popleft()
            if workset.version == 1:
                self.replica.add(workset)
            else:
                self.replica.save(evolve(workset, version=workset.version - 1))

    def list(self, where: Filter, *, cursor: str | None = None, limit: int = 100) -> Page[Workset]:
        """See StateStore.list."""
        return self.replica.list(where, cursor=cursor, limit=limit)

    def queue(self, *, cursor: str | None = None, limit: int = 100) -> Page[Workset]:
        """See StateStore.queue."""
        return self.replica.queue(cursor=cursor, limit=limit)

    def due(self, at: datetime, *, cursor: str | None = None, limit: int = 100) -> Page[Workset]:
        """See StateStore.due."""
        return self.replica.due(at, cursor=cursor, limit=limit)

    def count(self, states: Collection[State]) -> int:
        """See StateStore.count."""
        return self.replica.count(states)
