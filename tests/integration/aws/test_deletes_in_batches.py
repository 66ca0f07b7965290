"""Several deletes in one call, on a store that heeds the etag of each (as AWS does, and not all do)."""

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from tests.integration.aws import engines
from tests.integration.aws.worlds import a_bucket, s3_client

from daylily.adapters.aws.s3 import S3ObjectStore
from daylily.domain.errors import UnavailableError
from daylily.ports.object_store import ObjectStore
from daylily.testing.contracts.object_store import ObjectStoreContract

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[engines.Endpoint]:
    """Return a store that heeds them."""
    with engines.ministack(tmp_path_factory.mktemp("ministack")) as found:
        yield found


@pytest.fixture
def store(endpoint: engines.Endpoint) -> S3ObjectStore:
    """Return an empty object store."""
    client = s3_client(endpoint)
    return S3ObjectStore(client, a_bucket(client))


def calls_of(store: S3ObjectStore) -> list[str]:
    """Return a list that grows by the name of each call."""
    calls: list[str] = []

    def note(event_name: str, **_: object) -> None:
        calls.append(event_name.rsplit(".", 1)[-1])

    store.client.meta.events.register("before-send", note)
    return calls


def test_the_contract(store: ObjectStore) -> None:
    """What was replaced stays, in a batch as alone."""
    ObjectStoreContract().test_delete_several_by_etag(store)


def test_one_call_for_all(store: S3ObjectStore) -> None:
    """Once it is known that this store heeds etags, which is tried on an object of our own."""
    etags = {f"d/{number}": store.put(f"d/{number}", b"x").etag for number in range(4)}
    calls = calls_of(store)
    assert len(store.delete_all({key: etags[key] for key in ("d/0", "d/1")})) == 2
    assert calls == ["PutObject", "DeleteObjects", "HeadObject", "DeleteObject", "DeleteObjects"]
    calls.clear()
    assert len(store.delete_all({key: etags[key] for key in ("d/2", "d/3")})) == 2
    assert calls == ["DeleteObjects"]
    assert store.list("").items == ()


@pytest.mark.parametrize(
    ("word", "removed"), [("ConditionalRequestConflict", ["a", "b"]), ("PreconditionFailed", ["b"])]
)
def test_two_deletes_that_meet(store: S3ObjectStore, word: str, removed: list[str]) -> None:
    """Where S3 asks to try again, one is tried alone; where it says no, that is the answer."""
    etags = {key: store.put(key, b"x").etag for key in ("a", "b")}
    store._bucket.heeds_batches = True
    with Stubber(store.client) as stub:
        stub.add_response("delete_objects", {"Errors": [{"Key": "a", "Code": word}]})
        if "a" in removed:
            stub.add_response("delete_object", {})
        assert sorted(store.delete_all(etags)) == removed


def test_an_outage_in_the_midst_of_a_batch(store: S3ObjectStore) -> None:
    """Then nobody knows what went; whoever asked asks again."""
    store._bucket.heeds_batches = True
    with Stubber(store.client) as stub:
        stub.add_response("delete_objects", {"Errors": [{"Key": "b", "Code": "InternalError"}]})
        with pytest.raises(UnavailableError, match=r"InternalError.*b: "):
            store.delete_all({"a": "1" * 32, "b": "2" * 32})
    with Stubber(store.client) as stub:
        stub.add_client_error("delete_objects", "AccessDenied", http_status_code=403)
        with pytest.raises(UnavailableError, match="s3:DeleteObject") as caught:
            store.delete_all({"a": "1" * 32, "b": "2" * 32})
    assert isinstance(caught.value.__cause__, ClientError)
