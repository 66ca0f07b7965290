"""ObjectSentinelStore on an object store in memory, held to the contract of its port."""

import threading
from typing import Any, BinaryIO

import pytest
from attrs import define, field

from daylily.adapters import seen_sentinels
from daylily.adapters.memory.object_store import InMemoryObjectStore
from daylily.adapters.sentinel_store import ObjectSentinelStore
from daylily.domain.manifest import FastqPair, Manifest, Sample
from daylily.domain.sentinels import Sentinel
from daylily.ports.object_store import ObjectInfo
from daylily.ports.paging import Page, every
from daylily.ports.sentinel_store import SentinelStore, Shown
from daylily.testing.contracts.sentinel_store import Drawer, ObjectDrawer, SentinelStoreContract, body
from daylily.testing.samples import a_workset


class TestObjectSentinelStore(SentinelStoreContract):
    """The contract, on a dict."""

    @pytest.fixture
    def drawer(self) -> ObjectDrawer:
        """Return a way past the store."""
        return ObjectDrawer(InMemoryObjectStore())

    @pytest.fixture
    def store(self, drawer: Drawer) -> SentinelStore:
        """Return a store in which there is no directory yet."""
        assert isinstance(drawer, ObjectDrawer)
        return ObjectSentinelStore(drawer.objects)


class Vanishing(InMemoryObjectStore):
    """An object store in which somebody removes each sentinel between two of our questions."""

    def open(self, key: str, **which: Any) -> BinaryIO:
        """Remove the object, and find it gone."""
        self.delete(key)
        return super().open(key, **which)


def test_a_sentinel_removed_while_we_look_is_absent() -> None:
    """What was listed and is gone when it is read does not count, and is no error."""
    objects = Vanishing()
    objects.put("worksets/ws-1/daylily.ready", b"")
    folder = ObjectSentinelStore(objects).look("ws-1")
    assert (folder.sentinels, folder.names) == ({}, frozenset())


def test_a_sentinel_removed_while_we_post_is_created() -> None:
    """When the one that stood in the way is gone by the time it is read, ours is posted after all."""
    objects = Vanishing()
    objects.put("worksets/ws-1/daylily.lock", b"theirs")
    assert ObjectSentinelStore(objects).post("ws-1", Sentinel.LOCK, body()) is True
    assert objects.info("worksets/ws-1/daylily.lock").size == len(body().render())


class Rewriting(InMemoryObjectStore):
    """An object store in which an old monitor writes over a sentinel just after we looked at it."""

    def info(self, key: str) -> ObjectInfo:
        """Return what was there, and write over it."""
        found = super().info(key)
        self.put(key, b"2026-01-14T10:45:09Z")
        return found


def test_a_sentinel_rewritten_while_we_withdraw_stays() -> None:
    """Between reading our sentinel and removing it, another's may take its place: that one stays."""
    objects = Rewriting()
    ObjectSentinelStore(objects).post("ws-1", Sentinel.LOCK, body())
    store = ObjectSentinelStore(objects)  # of another process, which has to read it
    store.withdraw("ws-1", Sentinel.LOCK, 5)
    assert not store.look("ws-1").sentinels[Sentinel.LOCK].ours


@define
class Counting(InMemoryObjectStore):
    """An object store that counts what is read of it."""

    asked: int = field(init=False, default=0)

    def open(self, key: str, **which: Any) -> BinaryIO:
        """See ObjectStore.open."""
        self.asked += 1
        return super().open(key, **which)


def test_what_was_written_or_read_before_need_not_be_read_again() -> None:
    """Its etag tells; what was replaced since is read anew."""
    objects = Counting()
    objects.put("worksets/ws-1/daylily.ready", body(1).render().encode())
    store = ObjectSentinelStore(objects)
    store.post("ws-1", Sentinel.LOCK, body(2))
    first = store.look("ws-1")
    assert objects.asked == 1  # daylily.ready
    assert store.look("ws-1") == first
    assert objects.asked == 1

    store.withdraw_all("ws-1", {Sentinel.READY: 2, Sentinel.LOCK: 2})
    assert objects.asked == 1
    assert store.look("ws-1").names == frozenset()

    store.post("ws-1", Sentinel.LOCK, body(3))
    objects.put("worksets/ws-1/daylily.lock", body(4).render().encode())
    assert store.look("ws-1").sentinels == {Sentinel.LOCK: body(4)}
    assert objects.asked == 2


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The latest are: a hundred thousand worksets cost no memory to speak of."""
    monkeypatch.setattr(seen_sentinels, "REMEMBERED", 2)
    seen = seen_sentinels.SeenSentinels()
    for number in range(3):
        seen.note(str(number), seen_sentinels.SeenSentinel(f"etag-{number}", body(number)))
    assert [seen.get(str(number)) is not None for number in range(3)] == [False, True, True]


@pytest.mark.parametrize(
    ("prefix", "key"), [("", "ws-1/"), ("/", "ws-1/"), ("a/b", "a/b/ws-1/"), ("/a/", "a/ws-1/")]
)
def test_prefixes_are_taken_as_engines_of_old_do(prefix: str, key: str) -> None:
    """A leading slash goes, a trailing one comes, and empty stays empty."""
    objects = InMemoryObjectStore()
    store = ObjectSentinelStore(objects, prefix)
    store.publish(a_workset())
    assert set(objects.entries(key).items) >= {f"{key}daylily_work.yaml"}
    assert store.directories().items == ("ws-1",)


@define
class ShortPages(InMemoryObjectStore):
    """An object store that lists a few objects at a time, however many are asked for."""

    most: int = field(default=1, kw_only=True)

    def list(
        self, prefix: str, *, cursor: str | None = None, limit: int = 1000, without: str = ""
    ) -> Page[ObjectInfo]:
        """See ObjectStore.list."""
        return super().list(prefix, cursor=cursor, limit=min(limit, self.most), without=without)


@pytest.mark.parametrize("most", range(1, 12))
def test_a_directory_that_two_pages_share_is_shown_once(most: int) -> None:
    """Wherever pages end, each directory is shown once, and whole if all of it is there."""
    objects = ShortPages(most=most)
    store = ObjectSentinelStore(objects)
    for n in range(3):
        store.publish(a_workset(f"ws-{n}"))
        store.post(f"ws-{n}", Sentinel.READY, body(1))
        store.post(f"ws-{n}", Sentinel.COMPLETE, body(2))

    found = list(every(lambda cursor: store.shown(cursor=cursor)))

    both = frozenset({Sentinel.READY, Sentinel.COMPLETE})
    assert found == [Shown(workset_id=f"ws-{n}", sentinels=both, whole=True) for n in range(3)]


@define
class Together(InMemoryObjectStore):
    """An object store that answers no put before four are asked for."""

    _four: threading.Barrier = field(init=False, factory=lambda: threading.Barrier(4, timeout=30))

    def put(self, key: str, source: BinaryIO | bytes, *, if_absent: bool = False) -> ObjectInfo:
        """See ObjectStore.put."""
        self._four.wait()
        return super().put(key, source, if_absent=if_absent)


def test_the_files_of_a_directory_go_out_together() -> None:
    """In the time of one: none waits until another is written."""
    objects = Together()
    pair = FastqPair("s3://reads/HG002_R1.fastq.gz")
    manifest = Manifest(samples=(Sample(sample_id="HG002", pairs=(pair,)),), pipeline="germline")
    ObjectSentinelStore(objects, threads=4).publish(a_workset(manifest=manifest))
    assert {info.key.rpartition("/")[2] for info in objects.list("").items} == {
        *("daylily_work.yaml", "daylily_info.yaml", "stage_samples.tsv", ".hold")
    }
