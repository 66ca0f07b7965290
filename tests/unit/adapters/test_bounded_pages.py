"""What a page of a listing costs, however little of it is wanted."""

from pathlib import Path

import pytest

from daylily.adapters.local.state_store import SQLiteStateStore
from daylily.adapters.memory.object_store import InMemoryObjectStore
from daylily.adapters.memory.state_store import InMemoryStateStore
from daylily.adapters.object_state_store import ObjectStateStore
from daylily.domain.lifecycle import Priority
from daylily.ports.paging import every
from daylily.ports.state_store import LOOKED_AT, Filter, StateStore
from daylily.testing.clock import ManualClock
from daylily.testing.samples import NOON, a_workset


@pytest.fixture(params=["memory", "sqlite", "objects"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> StateStore:
    """A store of more worksets than a page looks at, the oldest of which alone is called a needle."""
    clock = ManualClock(NOON)
    made: StateStore
    match request.param:
        case "memory":
            made = InMemoryStateStore()
        case "sqlite":
            made = SQLiteStateStore(tmp_path / "state.db")
        case _:
            made = ObjectStateStore(InMemoryObjectStore(clock), clock)
    for n in range(LOOKED_AT + 2):
        name = "needle" if n == 0 else "hay"
        made.add(a_workset(f"ws-{n:05}", name=name, at=clock()))
    return made


def test_a_rare_word_is_found_over_several_pages(store: StateStore) -> None:
    """A page ends once it has looked at enough, with a cursor; the whole listing misses nothing."""
    for oldest_first in (False, True):
        where = Filter(name_contains="needle", oldest_first=oldest_first)
        first = store.list(where, limit=10)
        found = list(every(lambda cursor, where=where: store.list(where, cursor=cursor, limit=10)))  # type: ignore[misc]
        assert first.cursor is not None
        assert [each.name for each in found] == ["needle"]

    nothing = Filter(name_contains="needle", priority=Priority.LOW)
    assert list(every(lambda cursor: store.list(nothing, cursor=cursor, limit=10))) == []
