"""Uploads in parts and downloads at signed addresses, on a real S3 engine."""

import io
import urllib.error
import urllib.request
import uuid
from datetime import timedelta
from urllib.parse import quote

import pytest
from botocore.config import Config
from tests.integration.aws.engines import Endpoint
from tests.integration.aws.worlds import s3_client

from daylily.adapters.aws.s3 import S3ObjectStore
from daylily.adapters.aws.transfers import S3Transfers
from daylily.domain.errors import ConflictError, InvalidInputError
from daylily.ports.object_store import ObjectStore
from daylily.ports.transfers import Transfers
from daylily.testing.contracts.transfers import HOUR, KEY, TransfersContract, send

pytestmark = pytest.mark.engine


@pytest.fixture
def signing(s3_endpoint: Endpoint, bucket: str) -> S3ObjectStore:
    """Return an empty store, of a client that signs as ours do."""
    client = s3_client(s3_endpoint, Config(signature_version="s3v4"))
    return S3ObjectStore(client, bucket, f"{uuid.uuid4().hex}/")


class TestS3Transfers(TransfersContract):
    """The contract, on SeaweedFS or whatever the environment names."""

    size = 12_000_000

    @pytest.fixture
    def store(self, signing: S3ObjectStore) -> ObjectStore:
        """Return an empty store."""
        return signing

    @pytest.fixture
    def transfers(self, signing: S3ObjectStore) -> Transfers:
        """Return transfers with the smallest parts that S3 takes."""
        return S3Transfers(signing, smallest=5 << 20)


def test_signed_downloads(signing: S3ObjectStore) -> None:
    """Anybody fetches from the address, to save it and not to run it; another key it is not for."""
    signing.put(KEY, b"<script>")
    url = S3Transfers(signing).download_url(
        KEY, disposition='attachment; filename="a.html"', lasting=HOUR
    )
    assert url is not None
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == b"<script>"
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Content-Disposition"].startswith("attachment")
    signing.put("files/other/x", b"secret")
    other = url.replace(quote(KEY), "files/other/x")
    assert other != url
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(other)


def test_addresses_run_out(signing: S3ObjectStore) -> None:
    """They say for how long they are good."""
    url = S3Transfers(signing).download_url(KEY, disposition="x", lasting=timedelta(minutes=5))
    assert url is not None
    assert "Expires=300" in url
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in url


def test_another_size_than_was_said(signing: S3ObjectStore) -> None:
    """What is larger or smaller is not kept; nor is anything made of parts that were not sent."""
    transfers = S3Transfers(signing)
    upload = transfers.begin(KEY, 10)
    parts = send(transfers, upload, b"more than ten bytes"[: upload.part_size])
    with pytest.raises(InvalidInputError, match="were said"):
        transfers.complete(upload, parts)
    assert signing.list("files/").items == ()
    assert S3Transfers(signing).begin(KEY, 200 << 30).parts <= 10_000
    with pytest.raises(ConflictError):
        transfers.append(upload, 0, io.BytesIO(b"x"))
