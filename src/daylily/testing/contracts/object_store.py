"""What every ObjectStore owes."""

import io
from collections.abc import Callable
from functools import partial

import pytest
from attrs import evolve

from daylily.domain.errors import (
    AlreadyExistsError,
    ConcurrentUpdateError,
    DaylilyError,
    InvalidInputError,
    NotFoundError,
)
from daylily.ports.object_store import ObjectInfo, ObjectStore
from daylily.ports.paging import Page, every
from daylily.testing.racing import RUNNERS, race

BAD_KEYS = (
    "",
    "/",
    "/absolute",
    "..",
    "../up",
    "a/../b",
    "a/..",
    ".",
    "a/./b",
    "a//b",
    "a/",
    "back\\slash",
    "nul\0",
    "line\nend",
    "lone\ud800surrogate",
    "x" * 1025,
    "é" * 513,
)

KEYS = ("a", "a-b/c", "a.txt", "a/b", "a/b-c", "a0", "b/x/y/z", "c/Ä", "c/é", "c/試料", "c/🧬")
"""Sorted by their UTF-8 bytes; no key is also a folder, for a directory cannot have that."""

SOUND_KEYS = tuple(key for key in KEYS if key != "a")

GARBAGE_CURSORS = ("", "x", "W10", "../../etc/passwd", "WyJxdWV1ZSIsImEiXQ", "é", "A" * 100_000)


class Failing(io.RawIOBase):
    """A source that breaks off after its first bytes, as an upload does."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.reads = 0

    def readable(self) -> bool:
        """It can be read, for a while."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return a few bytes the first time; break the second time, or on the way to the end."""
        self.reads += 1
        if self.reads > 1 or size < 0:
            raise self.error
        return b"first bytes"


def content(store: ObjectStore, key: str) -> bytes:
    """Return what is stored under a key."""
    with store.open(key) as stream:
        return stream.read()


def assert_same(found: ObjectInfo, written: ObjectInfo) -> None:
    """Assert that what is found is what a call has written; the call may be off in the time alone."""
    assert evolve(found, modified_at=written.modified_at) == written
    assert found.modified_at.tzinfo is not None


class SequentialObjectStoreContract:
    """
    The contract as far as one caller can tell.

    For engines whose threads prove nothing, such as moto; of any other it asks too little.
    """

    @pytest.fixture
    def store(self) -> ObjectStore:
        """Return an empty store."""
        raise NotImplementedError("override the fixture `store` with one that returns an empty store")

    # put, open and info

    @pytest.mark.parametrize("data", [b"", b"x", bytes(range(256)), b"ACGT\r\n" * 700_000])
    @pytest.mark.parametrize("streamed", [False, True])
    def test_what_is_put_can_be_read(self, store: ObjectStore, data: bytes, streamed: bool) -> None:
        """Bytes and streams of any size read back the same, and are described truly."""
        put = store.put("a/b.fastq.gz", io.BytesIO(data) if streamed else data)

        assert content(store, "a/b.fastq.gz") == data
        assert (put.key, put.size) == ("a/b.fastq.gz", len(data))
        assert_same(store.info("a/b.fastq.gz"), put)
        assert put.modified_at.tzinfo is not None

    @pytest.mark.parametrize("key", SOUND_KEYS)
    def test_keys_of_all_scripts(self, store: ObjectStore, key: str) -> None:
        """A sound key is kept to the byte, whatever script it is in."""
        store.put(key, b"x")
        assert [info.key for info in store.list("").items] == [key]
        assert content(store, key) == b"x"

    def test_a_put_replaces(self, store: ObjectStore) -> None:
        """The last put counts, and the etag tells that the content is another."""
        first = store.put("a", b"one")
        second = store.put("a", b"two")

        assert content(store, "a") == b"two"
        assert first.etag != second.etag

    def test_an_etag_stands_for_one_content(self, store: ObjectStore) -> None:
        """However fast contents of one size follow each other, by whatever calls, etags differ."""
        etags = set()
        for n in range(200):
            etags.add(store.put("a", f"{n:03}".encode()).etag)
            if n % 3 == 0:
                store.delete("a")
        assert len(etags) == 200

    def test_a_reader_reads_what_it_opened(self, store: ObjectStore) -> None:
        """An object that is replaced or deleted while it is read is still read to its end."""
        store.put("a", b"old" * 100_000)
        with store.open("a") as stream:
            start = stream.read(3)
            store.put("a", b"new")
            store.delete("a")
            assert start + stream.read() == b"old" * 100_000

    @pytest.mark.parametrize("error", [ValueError("bad gzip"), ConnectionResetError("gone")], ids=str)
    def test_a_broken_source_stores_nothing(self, store: ObjectStore, error: Exception) -> None:
        """When a source breaks off, its own error is raised, and what was there stays."""
        store.put("a", b"old")
        for key in ("a", "new/b"):
            with pytest.raises(type(error)) as raised:
                store.put(key, Failing(error))  # type: ignore[arg-type]
            assert raised.value is error

        assert content(store, "a") == b"old"
        assert [info.key for info in store.list("").items] == ["a"]

    @pytest.mark.parametrize(
        ("start", "stop", "expected"),
        [(0, 4, b"0123"), (3, None, b"3456789"), (3, 3, b""), (8, 99, b"89"), (10, None, b""),
         (99, 100, b""), (0, None, b"0123456789"), (9, 10, b"9"), (5, 2, b"")],
    )  # fmt: skip
    def test_a_part_of_an_object(
        self, store: ObjectStore, start: int, stop: int | None, expected: bytes
    ) -> None:
        """Bytes from ``start`` up to ``stop``, as far as there are any."""
        store.put("a", b"0123456789")
        store.put("empty", b"")
        with store.open("a", start=start, stop=stop) as stream:
            assert stream.read() == expected
        with store.open("empty", start=start, stop=stop) as stream:
            assert stream.read() == b""

    @pytest.mark.parametrize("size", [1, 9, 10, 11, 1000])
    def test_a_peek(self, store: ObjectStore, size: int) -> None:
        """How an object begins, and what is known of all of it."""
        store.put("a/b", b"0123456789")
        store.put("empty", b"")
        for key, whole in (("a/b", b"0123456789"), ("empty", b"")):
            peek = store.peek(key, size)
            assert peek.start == whole[:size]
            assert_same(peek.info, store.info(key))

    def test_the_object_that_is_meant(self, store: ObjectStore) -> None:
        """Who has looked at an object opens that one, or is told that it is another now."""
        first = store.put("a", b"0123456789")
        with store.open("a", start=1, stop=3, if_etag=first.etag) as stream:
            assert stream.read() == b"12"
        store.put("a", b"abcdefghij")
        for stop in (0, 3, None):
            with pytest.raises(ConcurrentUpdateError):
                store.open("a", stop=stop, if_etag=first.etag)
        with pytest.raises(NotFoundError):
            store.open("b", start=1, stop=1)

    def test_what_is_absent_is_not_found(self, store: ObjectStore) -> None:
        """A missing object raises; so does a folder, and what would lie in an object."""
        store.put("folder/file", b"x")
        for key in ("a", "folder", "folder/file/deeper", "folder/other", "x/y/z"):
            with pytest.raises(NotFoundError):
                store.open(key)
            with pytest.raises(NotFoundError):
                store.info(key)
            with pytest.raises(NotFoundError):
                store.peek(key, 1)

    # if_absent

    def test_if_absent_creates_once(self, store: ObjectStore) -> None:
        """With if_absent a second put is refused, and the first object is left as it is."""
        first = store.put("a", b"one", if_absent=True)

        with pytest.raises(AlreadyExistsError):
            store.put("a", b"two", if_absent=True)
        assert content(store, "a") == b"one"
        assert_same(store.info("a"), first)

    def test_what_was_deleted_can_be_created(self, store: ObjectStore) -> None:
        """A deleted key is absent again."""
        store.put("a", b"one")
        store.delete("a")
        store.put("a", b"two", if_absent=True)
        assert content(store, "a") == b"two"

    # copy

    def test_a_copy_stands_alone(self, store: ObjectStore) -> None:
        """A copy has the content its source had, whatever becomes of the source or the copy."""
        store.put("from", b"one")
        copied = store.copy("from", "to/there")
        store.put("from", b"changed")
        store.copy("to/there", "again")
        store.put("again", b"changed too")

        assert content(store, "to/there") == b"one"
        assert_same(store.info("to/there"), copied)
        assert (copied.key, copied.size) == ("to/there", 3)

    def test_what_another_store_has(self, store: ObjectStore) -> None:
        """Is taken as it is there; what is not there is not found."""
        store.put("theirs/a", b"content")
        taken = store.take(store, "theirs/a", "ours/b")
        assert content(store, "ours/b") == b"content"
        assert_same(store.info("ours/b"), taken)
        with pytest.raises(NotFoundError):
            store.take(store, "theirs/none", "ours/c")

    def test_a_copy_of_what_is_known(self, store: ObjectStore) -> None:
        """A look at it need not be taken again; what has gone since is not found."""
        store.put("from", b"one")
        known = store.peek("from", 1).info
        for call in (store.copy, partial(store.take, store)):
            copied = call("from", "to", known=known)
            assert content(store, "to") == b"one"
            assert_same(store.info("to"), copied)
        store.delete("from")
        for call in (store.copy, partial(store.take, store)):
            with pytest.raises(NotFoundError):
                call("from", "to", known=known)
        assert content(store, "to") == b"one"

    def test_a_copy_replaces(self, store: ObjectStore) -> None:
        """A copy takes the place of what was there; one onto itself changes nothing."""
        store.put("from", b"one")
        store.put("to", b"something else")
        store.copy("from", "to")
        store.copy("to", "to")
        store.copy("from", "to")

        assert content(store, "from") == content(store, "to") == b"one"
        assert [info.key for info in store.list("").items] == ["from", "to"]

    def test_nothing_cannot_be_copied(self, store: ObjectStore) -> None:
        """Without a source a copy raises, and the target stays as it was."""
        store.put("to", b"old")
        with pytest.raises(NotFoundError):
            store.copy("from", "to")
        assert content(store, "to") == b"old"

    # delete

    def test_delete_tells_whether_it_did(self, store: ObjectStore) -> None:
        """The first delete says True, the next False, and only that object is gone."""
        store.put("a/b", b"x")
        store.put("a/c", b"x")

        assert store.delete("a/b") is True
        assert store.delete("a/b") is False
        assert store.delete("never/was") is False
        assert store.delete("a") is False
        assert [info.key for info in store.list("").items] == ["a/c"]

    def test_delete_by_etag(self, store: ObjectStore) -> None:
        """With if_etag only the very object that was seen is removed."""
        seen = store.put("a", b"one")
        now = store.put("a", b"two")

        assert store.delete("a", if_etag=seen.etag) is False
        assert content(store, "a") == b"two"
        assert store.delete("a", if_etag=now.etag) is True
        assert store.delete("a", if_etag=now.etag) is False

    def test_delete_several_by_etag(self, store: ObjectStore) -> None:
        """Those that are as they were go; what was replaced or is not there stays as it is."""
        etags = {key: store.put(key, key.encode()).etag for key in ("d/a", "d/b", "d/c")}
        store.put("d/b", b"newer")
        gone = store.delete_all({**etags, "d/none": etags["d/a"]})
        assert sorted(gone) == ["d/a", "d/c"]
        assert [info.key for info in store.list("d/").items] == ["d/b"]
        assert sorted(store.delete_all({"d/b": store.info("d/b").etag})) == ["d/b"]
        assert sorted(store.delete_all({})) == []
        assert store.list("").items == ()

    def test_replace_by_etag(self, store: ObjectStore) -> None:
        """Only the very object that was seen is replaced, and nothing is created."""
        seen = store.put("a", b"one")
        now = store.put("a", b"two")

        assert store.replace("a", b"late", if_etag=seen.etag) is False
        assert content(store, "a") == b"two"
        assert store.replace("a", b"three", if_etag=now.etag) is True
        assert content(store, "a") == b"three"
        assert store.replace("b", b"x", if_etag=now.etag) is False
        assert [info.key for info in store.list("").items] == ["a"]

    # keys

    @pytest.mark.parametrize("key", BAD_KEYS, ids=lambda key: ascii(key[:20]))
    def test_unsound_keys_are_refused(self, store: ObjectStore, key: str) -> None:
        """A key that is absolute, leads elsewhere or cannot be stored is refused by every call."""
        store.put("sound", b"x")
        calls: list[Callable[[], object]] = [
            lambda: store.put(key, b"evil"),
            lambda: store.put(key, b"evil", if_absent=True),
            lambda: store.open(key),
            lambda: store.info(key),
            lambda: store.peek(key, 1),
            lambda: store.delete(key),
            lambda: store.copy("sound", key),
            lambda: store.copy(key, "sound"),
        ]
        for call in calls:
            with pytest.raises(InvalidInputError):
                call()
        assert [info.key for info in store.list("").items] == ["sound"]
        assert content(store, "sound") == b"x"

    @pytest.mark.parametrize("prefix", ["/", "../", "a/../", "a//", "./", "/etc/", "nul\0/"], ids=ascii)
    def test_unsound_prefixes_are_refused(self, store: ObjectStore, prefix: str) -> None:
        """No listing can be led elsewhere."""
        with pytest.raises(InvalidInputError):
            store.list(prefix)
        with pytest.raises(InvalidInputError):
            store.entries(prefix)

    # list

    @pytest.mark.parametrize("limit", [1, 2, 3, 100])
    def test_list_is_in_order_of_keys(self, store: ObjectStore, limit: int) -> None:
        """Listings are sorted by the bytes of whole keys, folders or not, page by page."""
        for key in reversed(SOUND_KEYS):
            store.put(key, key.encode())

        found = list(every(lambda cursor: store.list("", cursor=cursor, limit=limit)))
        assert [info.key for info in found] == list(SOUND_KEYS)
        assert found == [store.info(key) for key in SOUND_KEYS]

    @pytest.mark.parametrize(
        ("prefix", "expected"),
        [
            ("a/", ["a/b", "a/b-c"]),
            ("a/b", ["a/b", "a/b-c"]),
            ("a/b-", ["a/b-c"]),
            ("a", ["a-b/c", "a.txt", "a/b", "a/b-c", "a0"]),
            ("b/x", ["b/x/y/z"]),
            ("b/x/y/", ["b/x/y/z"]),
            ("B/", []),
            ("nothing/here", []),
            ("a.txt/", []),
        ],
    )
    def test_list_of_a_prefix(self, store: ObjectStore, prefix: str, expected: list[str]) -> None:
        """A prefix is any start of a key, at any depth."""
        for key in SOUND_KEYS:
            store.put(key, b"x")
        assert [info.key for info in store.list(prefix).items] == expected
        assert [
            info.key for info in every(lambda cursor: store.list(prefix, cursor=cursor, limit=1))
        ] == expected

    def test_listing_while_others_write(self, store: ObjectStore) -> None:
        """Objects that come and go between two pages neither hide nor repeat those that stay."""
        for n in range(9):
            store.put(f"x/{n}/y", b"x")
        found: list[str] = []
        cursor = None
        while True:
            page = store.list("x/", cursor=cursor, limit=2)
            found += [info.key for info in page.items]
            if found[-1] < "x/5":
                store.put("x/0/0-before", b"x")
                store.put("x/9/after", b"x")
                store.delete("x/1/y")
            if (cursor := page.cursor) is None:
                break
        assert found == [f"x/{n}/y" for n in range(9)] + ["x/9/after"]

    @pytest.mark.parametrize("limit", [1, 2, 100])
    @pytest.mark.parametrize("prefix", ["w/", "w", "w/b/", "", "w/b/results/", "w/no"])
    def test_a_list_without_some(self, store: ObjectStore, prefix: str, limit: int) -> None:
        """What has the text beyond the prefix is left out, at any depth, and nothing else is."""
        for name in ("a/results/x", "a/z", "b/results/x", "b/results/y/results/z", "b/resultsx/y"):
            store.put(f"w/{name}", b"x")
        for name in ("b/my_results/x", "results/x", "c/d/results/x", "c/results", "d/results/only"):
            store.put(f"w/{name}", b"x")

        def listed(without: str) -> list[ObjectInfo]:
            pages = lambda at: store.list(prefix, cursor=at, limit=limit, without=without)  # noqa: E731
            return list(every(pages))

        expected = [each for each in listed("") if "/results/" not in each.key[len(prefix) :]]
        assert listed("/results/") == expected

    # entries

    @pytest.mark.parametrize("limit", [1, 2, 100])
    def test_entries_are_of_one_level(self, store: ObjectStore, limit: int) -> None:
        """Entries are objects as they are and folders with a slash, in order, each once."""
        for key in SOUND_KEYS:
            store.put(key, b"x")

        def entries(prefix: str) -> list[str]:
            return list(every(lambda cursor: store.entries(prefix, cursor=cursor, limit=limit)))

        assert entries("") == ["a-b/", "a.txt", "a/", "a0", "b/", "c/"]
        assert entries("a/") == ["a/b", "a/b-c"]
        assert entries("b/") == ["b/x/"]
        assert entries("nothing/") == []

    def test_browsing_is_of_one_level(self, store: ObjectStore) -> None:
        """What entries lists, page by page, with what is known of each object."""
        for key in SOUND_KEYS:
            store.put(key, key.encode())

        for prefix in ("", "a/", "b/", "none/"):
            found = list(every(lambda at, p=prefix: store.browse(p, cursor=at, limit=2)))  # type: ignore[misc]
            keys = [each if isinstance(each, str) else each.key for each in found]
            assert sorted(keys) == sorted(every(lambda at, p=prefix: store.entries(p, cursor=at)))  # type: ignore[misc]
            for each in found:
                assert isinstance(each, str) or each == store.info(each.key)
                assert not isinstance(each, str) or each.endswith("/")
        with pytest.raises(InvalidInputError):
            store.browse("a")

    def test_entries_are_of_a_folder(self, store: ObjectStore) -> None:
        """A prefix that does not end in a slash names no folder."""
        with pytest.raises(InvalidInputError):
            store.entries("a")

    @pytest.mark.parametrize("cursor", GARBAGE_CURSORS, ids=lambda cursor: repr(cursor[:20]))
    def test_a_cursor_that_is_not_ours_is_refused(self, store: ObjectStore, cursor: str) -> None:
        """Garbage is the caller's mistake."""
        listings: list[Callable[[], Page[ObjectInfo] | Page[str]]] = [
            lambda: store.list("", cursor=cursor),
            lambda: store.entries("", cursor=cursor),
        ]
        for listing in listings:
            with pytest.raises(InvalidInputError):
                listing()

    # changed and location

    def test_no_change_is_missed(self, store: ObjectStore) -> None:
        """Whenever names came or went since a mark, a new mark is returned, however soon it was."""
        mark = store.changed("w/", None)
        assert mark is not None
        seen = store.entries("w/").items
        for n in range(300):
            if n % 3 == 2:
                store.delete(f"w/{n - 1}/x")
                store.delete(f"w/{n - 2}")
            else:
                store.put(f"w/{n}/x" if n % 3 else f"w/{n}", b"x")
            new = store.changed("w/", mark)
            listed = store.entries("w/").items
            assert new is not None or listed == seen
            mark, seen = new or mark, listed

    def test_a_mark_of_nothing(self, store: ObjectStore) -> None:
        """A folder that is not there has a mark too, and coming into being is a change."""
        mark = store.changed("w/", None)
        store.put("w/a", b"x")
        assert store.changed("w/", mark) is not None

    def test_locations_differ(self, store: ObjectStore) -> None:
        """Objects and folders have locations, as different as their keys, there or not."""
        assert store.location("a/b").endswith("a/b")
        assert store.location("a/") == store.location("a")
        assert store.location("a/b") != store.location("a/c")
        with pytest.raises(DaylilyError):
            store.location("../b")


class ObjectStoreContract(SequentialObjectStoreContract):
    """Subclass it and give a fixture ``store``."""

    def test_a_copy_of_what_has_been_replaced(self, store: ObjectStore) -> None:
        """Is one of what stands there now, whatever was known of it."""
        store.put("from", b"one")
        known = store.peek("from", 1).info
        store.put("from", b"another")
        for call in (store.copy, partial(store.take, store)):
            copied = call("from", "to", known=known)
            assert content(store, "to") == b"another"
            assert_same(store.info("to"), copied)

    def test_one_of_many_creates(self, store: ObjectStore) -> None:
        """Of 32 threads that create one key, one is told it did, and its content is the stored one."""
        outcomes = race(lambda runner: (store.put("a/b", f"{runner}".encode(), if_absent=True), runner))

        winners = [outcome for outcome in outcomes if isinstance(outcome, tuple)]
        assert [content(store, "a/b")] == [f"{runner}".encode() for _, runner in winners]
        assert sum(type(outcome) is AlreadyExistsError for outcome in outcomes) == RUNNERS - 1

    def test_one_of_many_replaces(self, store: ObjectStore) -> None:
        """Of 32 threads that replace one object, one is told that it did, and its content stands."""
        etag = store.put("a", b"x").etag
        outcomes = race(lambda runner: store.replace("a", f"{runner}".encode(), if_etag=etag))
        assert sorted(map(bool, outcomes)) == [False] * (RUNNERS - 1) + [True]
        assert content(store, "a") == f"{outcomes.index(True)}".encode()

    def test_one_of_many_deletes(self, store: ObjectStore) -> None:
        """Of 32 threads that delete one object, one is told that it did."""
        etag = store.put("a", b"x").etag
        assert sorted(map(bool, race(lambda _: store.delete("a", if_etag=etag)))) == (
            [False] * (RUNNERS - 1) + [True]
        )

    def test_a_newer_object_is_never_deleted(self, store: ObjectStore) -> None:
        """While others replace an object, a delete by etag removes only what it saw."""
        store.put("a", b"0")
        lost: list[str] = []

        def work(runner: int) -> None:
            if runner % 2:
                for n in range(5):
                    store.put("a", f"{runner}-{n}".encode())
                return
            for _ in range(5):
                try:
                    seen = store.info("a").etag
                except NotFoundError:
                    continue
                if store.delete("a", if_etag=seen):
                    lost.append(seen)

        assert race(work, 8) == [None] * 8
        assert len(set(lost)) == len(lost)
