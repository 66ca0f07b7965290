"""News that were given up are counted on their way to the list."""

from daylily.adapters.counted_notices import CountedDeadNotices
from daylily.adapters.dead_notices import DocumentDeadNotices
from daylily.adapters.memory.documents import InMemoryDocumentStore
from daylily.bootstrap import bootstrap
from daylily.config import Settings
from daylily.ports.dead_notices import DeadNotice
from daylily.testing.clock import ManualClock
from daylily.testing.samples import an_event


def test_they_are_counted_and_kept() -> None:
    """The list is the other's; the number is of this process."""
    clock = ManualClock()
    listed = DocumentDeadNotices(InMemoryDocumentStore(clock), clock)
    counted = CountedDeadNotices(listed)
    notice = DeadNotice(channel="sns", event=an_event(), why="gone", died_at=clock())
    counted.lay(notice)
    assert counted.laid == 1
    assert counted.list("sns").items == listed.list("sns").items == (notice,)
    counted.clear(notice)
    assert counted.list("sns").items == ()


def test_an_installation_counts_its_own() -> None:
    """None, to begin with."""
    assert bootstrap(Settings(store="memory", engine="memory")).world.given_up() == 0
