"""S3ObjectStore on a real S3 engine, held to the contract of its port."""

import io
from typing import TYPE_CHECKING, BinaryIO, cast

import pytest
from attrs import evolve

from daylily.adapters.aws.s3 import S3ObjectStore
from daylily.adapters.memory.object_store import InMemoryObjectStore
from daylily.domain.errors import AlreadyExistsError
from daylily.ports.object_store import ObjectStore
from daylily.ports.paging import every
from daylily.testing.contracts.object_store import SOUND_KEYS, ObjectStoreContract

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.engine


class TestS3ObjectStore(ObjectStoreContract):
    """The contract, on SeaweedFS or whatever the environment names."""

    @pytest.fixture
    def store(self, objects: S3ObjectStore) -> ObjectStore:
        """Return an empty store."""
        return objects

    # SeaweedFS lists folder by folder ("a/b" before "a b"), where S3 sorts by bytes, as moto does.

    @pytest.mark.parametrize("limit", [1, 2, 3, 100])
    def test_list_is_in_order_of_keys(self, store: ObjectStore, limit: int) -> None:
        """Whatever the engine's order is, every key is listed once, page by page."""
        for key in reversed(SOUND_KEYS):
            store.put(key, key.encode())

        found = list(every(lambda cursor: store.list("", cursor=cursor, limit=limit)))
        assert sorted(info.key for info in found) == list(SOUND_KEYS)
        assert all(info == store.info(info.key) for info in found)

    @pytest.mark.parametrize(
        ("prefix", "expected"),
        [
            ("a", ["a-b/c", "a.txt", "a/b", "a/b-c", "a0"]),
            ("a/b", ["a/b", "a/b-c"]),
            ("b/x", ["b/x/y/z"]),
            ("nothing/here", []),
        ],
    )
    def test_list_of_a_prefix(self, store: ObjectStore, prefix: str, expected: list[str]) -> None:
        """A prefix is any start of a key, at any depth."""
        for key in SOUND_KEYS:
            store.put(key, b"x")
        found = every(lambda cursor: store.list(prefix, cursor=cursor, limit=1))
        assert sorted(info.key for info in found) == expected

    @pytest.mark.parametrize("limit", [1, 2, 100])
    def test_entries_are_of_one_level(self, store: ObjectStore, limit: int) -> None:
        """Entries are objects as they are and folders with a slash, each once."""
        for key in SOUND_KEYS:
            store.put(key, b"x")

        def entries(prefix: str) -> list[str]:
            return sorted(every(lambda cursor: store.entries(prefix, cursor=cursor, limit=limit)))

        assert entries("") == ["a-b/", "a.txt", "a/", "a0", "b/", "c/"]
        assert entries("a/") == ["a/b", "a/b-c"]
        assert entries("b/") == ["b/x/"]
        assert entries("nothing/") == []


def test_large_objects_go_in_parts(objects: S3ObjectStore) -> None:
    """Streams longer than a part, in pieces of any size, arrive whole; so do copies in parts."""
    store = evolve(objects, part_size=5 << 20, copy_part_size=6 << 20)
    content = bytes(range(256)) * (13 << 12)

    put = store.put("large", cast("BinaryIO", Dribbling(content)))
    assert put.size == len(content) == 13 << 20
    assert put.etag.endswith("-3")
    copied = store.copy("large", "copy")
    for key, info in (("large", put), ("copy", copied)):
        with store.open(key) as stream:
            assert stream.read() == content
        assert store.info(key).etag == info.etag
    assert "Uploads" not in store.client.list_multipart_uploads(Bucket=store.bucket)


def test_a_large_object_is_created_once(objects: S3ObjectStore) -> None:
    """
    Who sends an object in parts is refused if one has come meanwhile, and leaves it as it is.

    That two cannot come at one instant is S3's own promise: the engine here looks, and then stores.
    """
    store = evolve(objects, part_size=5 << 20)

    class Slow(io.BytesIO):
        """A source during whose sending somebody else is faster."""

        def read(self, size: int | None = -1, /) -> bytes:
            found = super().read(size)
            if not found:
                store.put("large", b"theirs")
            return found

    with pytest.raises(AlreadyExistsError):
        store.put("large", Slow(b"x" * (6 << 20)), if_absent=True)
    with store.open("large") as stream:
        assert stream.read() == b"theirs"
    with pytest.raises(AlreadyExistsError):
        store.put("large", io.BytesIO(b"y" * (6 << 20)), if_absent=True)


class Dribbling(io.RawIOBase):
    """A source that gives less than it is asked for, as a network does."""

    def __init__(self, content: bytes) -> None:
        self.rest = io.BytesIO(content)

    def read(self, size: int = -1) -> bytes:
        """Return a part of what is asked for."""
        assert size >= 0, "a stream is never to be read whole"
        return self.rest.read(min(size, 999_999))


def test_what_another_store_has_is_taken_by_s3(s3: "S3Client", objects: S3ObjectStore) -> None:
    """From another place of S3 it is copied there; from a store of another kind it is sent."""
    other = S3ObjectStore(s3, objects.bucket, "elsewhere/", copy_part_size=5 << 20)
    other.put("theirs", b"content")
    assert objects.take(other, "theirs", "mine").size == 7
    assert objects.open("mine").read() == b"content"
    memory = InMemoryObjectStore()
    memory.put("theirs", b"from memory")
    assert objects.take(memory, "theirs", "mine").size == 11
    assert objects.open("mine").read() == b"from memory"
