"""What S3ObjectStore owes beyond its contract: calls, and bad days of AWS."""

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from attrs import evolve
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from tests.integration.aws.moto.faulty import answers, loses_answer, refusal
from tests.integration.aws.worlds import counted, s3_client
from urllib3.exceptions import ProtocolError

from daylily.adapters.aws.s3 import S3ObjectStore
from daylily.adapters.aws.s3_reader import ObjectReader
from daylily.domain.errors import (
    AlreadyExistsError,
    InvalidInputError,
    NotFoundError,
    PerhapsOursError,
    UnavailableError,
)
from daylily.ports.paging import every

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PATIENT = Config(retries={"mode": "standard", "total_max_attempts": 3})
CONFLICT = refusal(409, "ConditionalRequestConflict")


@pytest.fixture
def client() -> "S3Client":
    """Return a client of this test's own, to listen in on."""
    return s3_client(config=PATIENT)


@pytest.fixture
def store(client: "S3Client", bucket: str) -> S3ObjectStore:
    """Return an empty store."""
    return S3ObjectStore(client, bucket)


# Calls


def test_small_operations_are_one_call(store: S3ObjectStore, client: "S3Client") -> None:
    """Reading, looking, listing, a delete by etag and a lost creation are one call each."""
    etag = store.put("a", b"x").etag
    calls = counted(client)
    with pytest.raises(AlreadyExistsError):
        store.put("a", b"y", if_absent=True)
    assert calls.take() == {"PutObject": 1}
    store.open("a").close()
    assert calls.take() == {"GetObject": 1}
    store.info("a")
    assert calls.take() == {"HeadObject": 1}
    store.list("")
    store.entries("")
    assert calls.take() == {"ListObjectsV2": 2}
    assert store.delete("a", if_etag="0" * 32) is False
    assert store.delete("a", if_etag=etag) is True
    assert calls.take() == {"DeleteObject": 2}
    with pytest.raises(NotFoundError):
        store.info("a")
    assert calls.take() == {"HeadObject": 1}


def test_a_lost_creation_sends_no_parts(client: "S3Client", bucket: str) -> None:
    """A long upload of what is there already is refused before its first part."""
    store = S3ObjectStore(client, bucket, part_size=5 << 20)
    store.put("a", b"x")
    calls = counted(client)
    with pytest.raises(AlreadyExistsError):
        store.put("a", io.BytesIO(b"x" * (6 << 20)), if_absent=True)
    assert calls.take() == {"HeadObject": 1}


def test_a_broken_long_upload_leaves_no_parts(client: "S3Client", bucket: str) -> None:
    """When the source breaks off in a later part, its error is raised and what was sent is dropped."""
    store = S3ObjectStore(client, bucket, part_size=5 << 20)

    class Breaking(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            """Break after the first part."""
            if self.tell() >= 5 << 20:
                raise ValueError("bad gzip")
            return super().read(size)

    with pytest.raises(ValueError, match="bad gzip"):
        store.put("a", Breaking(b"x" * (12 << 20)))
    assert "Uploads" not in client.list_multipart_uploads(Bucket=bucket)
    with pytest.raises(NotFoundError):
        store.info("a")


def test_names_that_are_no_keys_are_left_out(store: S3ObjectStore, client: "S3Client") -> None:
    """Folder markers and doubled slashes, as consoles and scripts leave them, are in no listing."""
    for name in ("folder/", "folder/a", "b//c", "/d", "./e", "f"):
        client.put_object(Bucket=store.bucket, Key=name, Body=b"")
    for limit in (1, 2, 100):

        def keys(most: int = limit) -> list[str]:
            listed = every(lambda cursor: store.list("", cursor=cursor, limit=most))
            return [info.key for info in listed]

        def entries(prefix: str, most: int = limit) -> list[str]:
            return list(every(lambda cursor: store.entries(prefix, cursor=cursor, limit=most)))

        assert keys() == ["f", "folder/a"]
        assert entries("") == ["b/", "f", "folder/"]
        assert entries("folder/") == ["folder/a"]


def test_locations_are_addresses(store: S3ObjectStore) -> None:
    """A location is what a pipeline can be given."""
    folder = evolve(store, prefix="control/")
    assert folder.location("worksets/ws-1/") == f"s3://{store.bucket}/control/worksets/ws-1"
    assert store.location("a/b.fastq.gz") == f"s3://{store.bucket}/a/b.fastq.gz"


def test_a_prefix_counts_for_the_length_of_keys(store: S3ObjectStore) -> None:
    """A key that S3 would refuse for its length below the prefix is the caller's mistake."""
    folder = evolve(store, prefix="p" * 30 + "/")
    with pytest.raises(InvalidInputError):
        folder.put("k" * 1000, b"x")


# Bad days


def test_a_conflict_is_tried_again(store: S3ObjectStore, client: "S3Client") -> None:
    """409 says that two conditional writes have met, not that either is refused: the next try tells."""
    answers(client, "s3", "PutObject", CONFLICT, CONFLICT, None)
    answers(client, "s3", "DeleteObject", CONFLICT, None)
    etag = store.put("a", b"x", if_absent=True).etag
    assert store.delete("a", if_etag=etag) is True


def test_a_conflict_without_end_is_an_outage(store: S3ObjectStore, client: "S3Client") -> None:
    """A conflict that will not end is neither a success nor a refusal."""
    store = S3ObjectStore(client, store.bucket)
    store._bucket.pause = 0.001
    answers(client, "s3", "PutObject", *[CONFLICT] * 50)
    with pytest.raises(UnavailableError, match="ConditionalRequestConflict"):
        store.put("a", b"x", if_absent=True)


def test_a_creation_whose_answer_is_lost(store: S3ObjectStore, client: "S3Client") -> None:
    """Who created an object is told so, also when it was the repeat that was refused."""
    loses_answer(client, s3_client(), "s3", "PutObject")
    put = store.put("a", b"x", if_absent=True)
    assert (put.size, put.etag) == (1, store.info("a").etag)
    with pytest.raises(AlreadyExistsError):
        store.put("a", b"x", if_absent=True)


def test_a_creation_whose_answer_is_lost_while_others_go_on(
    store: S3ObjectStore, client: "S3Client"
) -> None:
    """What stands there by then may be another's or come of ours: the error says so, in parts too."""
    for key, content, operation in (
        ("a", b"x", "PutObject"),
        ("b", b"x" * store.part_size, "CompleteMultipartUpload"),
    ):
        answers(client, "s3", operation, refusal(503, "SlowDown"), refusal(412, "PreconditionFailed"))
        with pytest.raises(PerhapsOursError, match="there already"):
            store.put(key, content, if_absent=True)


def test_a_replacement_whose_answer_is_lost(store: S3ObjectStore, client: "S3Client") -> None:
    """The same holds for who replaced one."""
    etag = store.put("a", b"x").etag
    loses_answer(client, s3_client(), "s3", "PutObject")
    assert store.replace("a", b"y", if_etag=etag) is True


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (refusal(503, "SlowDown"), "SlowDown"),
        (refusal(500, "InternalError"), "InternalError"),
        (refusal(403, "AccessDenied"), "not permitted"),
        (refusal(403, "InvalidAccessKeyId"), "credentials"),
        (refusal(403, "RequestTimeTooSkewed"), "clock"),
        (ReadTimeoutError(endpoint_url="u"), "ReadTimeout"),
        (EndpointConnectionError(endpoint_url="u"), "EndpointConnection"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_d_25_an_outage_is_no_absence(
    store: S3ObjectStore, client: "S3Client", reply: AWSResponse | Exception, told: str
) -> None:
    """D-25: whatever keeps S3 from answering raises; the error names bucket and action."""
    for operation in ("GetObject", "PutObject", "ListObjectsV2"):
        answers(client, "s3", operation, *[reply] * 20)
    calls: list[tuple[str, Callable[[], object]]] = [
        ("GetObject", lambda: store.open("a")),
        ("PutObject", lambda: store.put("a", b"x", if_absent=True)),
        ("ListBucket", lambda: store.list("")),
    ]
    for action, call in calls:
        with pytest.raises(UnavailableError, match=told) as raised:
            call()
        assert f"s3:{action}" in str(raised.value) or action in str(raised.value)
        assert store.bucket in str(raised.value)


def test_d_25_a_missing_bucket_says_so(client: "S3Client") -> None:
    """D-25: nothing in a bucket that is not there reads as absent, also where S3 says only 404."""
    store = S3ObjectStore(client, "daylily-nowhere")
    for call in (lambda: store.info("a"), lambda: store.open("a"), lambda: store.delete("a")):
        with pytest.raises(UnavailableError, match="daylily-nowhere"):
            call()


# Reading on


class Body:
    """A stream that breaks off."""

    def __init__(self, content: bytes, error: Exception | None = None) -> None:
        self.rest, self.error, self.closed = io.BytesIO(content), error, False

    def read(self, size: int) -> bytes:
        """Return what is left; then break, if that is what it does."""
        piece = self.rest.read(size)
        if not piece and self.error:
            raise self.error
        return piece

    def close(self) -> None:
        """Note it."""
        self.closed = True


@pytest.mark.parametrize("error", [ProtocolError("broken"), ConnectionResetError(), None], ids=repr)
def test_a_broken_read_goes_on(error: Exception | None) -> None:
    """A connection that breaks, with an error or silently, is made anew where it broke."""
    resumed: list[int] = []

    def resume(position: int) -> Body:
        resumed.append(position)
        return Body(b"0123456789"[position : position + 3], error)

    first = Body(b"0123", error)
    with ObjectReader("a", first, 10, resume) as reader:
        assert reader.read(2) == b"01"
        assert reader.read() == b"23456789"
        assert reader.read(5) == b""
    assert resumed == [4, 7]
    assert first.closed


def test_a_read_that_cannot_go_on_is_an_outage() -> None:
    """Without a byte in three tries, or with the object gone, the read says that it failed."""
    reader = ObjectReader("a", Body(b"01"), 10, lambda _: Body(b""))
    with pytest.raises(UnavailableError, match="from byte 2"):
        reader.read()


def test_a_replaced_object_is_not_read_on(store: S3ObjectStore) -> None:
    """What was replaced meanwhile is not continued with the bytes of another."""
    store.put("a", b"0123456789")
    with store.open("a") as reader:
        assert isinstance(reader, ObjectReader)
        assert reader.read(4) == b"0123"
        store.put("a", b"abcdefghij")
        reader._body = Body(b"", ProtocolError("broken"))
        with pytest.raises(UnavailableError):
            reader.read()
