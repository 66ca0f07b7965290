"""What every Transfers owes."""

import contextlib
import io
import urllib.request
from collections.abc import Sequence
from datetime import timedelta
from typing import BinaryIO, cast

import pytest
from attrs import evolve

from daylily.domain.errors import ConflictError, DaylilyError, NotFoundError
from daylily.ports.object_store import ObjectStore
from daylily.ports.transfers import Part, Transfers, Upload


class BrokenOffError(DaylilyError):
    """The client went away."""


class BreakingOff(io.RawIOBase):
    """A source that breaks off after its first bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def readable(self) -> bool:
        """It is, for a while."""
        return True

    def read(self, size: int | None = -1) -> bytes:
        """Return the first bytes, and then break off."""
        if not self.data:
            raise BrokenOffError
        found, self.data = self.data, b""
        return found


KEY = "files/acme/run 7/späte.fastq.gz"
HOUR = timedelta(hours=1)


def send(transfers: Transfers, upload: Upload, data: bytes) -> Sequence[Part]:
    """Send all of a file, in whichever way the upload takes it."""
    if upload.part_size is None:
        for start in range(0, len(data), 1000):
            transfers.append(upload, start, io.BytesIO(data[start : start + 1000]))
        return ()
    parts = []
    for number in reversed(range(1, upload.parts + 1)):
        url = transfers.part_url(upload, number, lasting=HOUR)
        piece = data[(number - 1) * upload.part_size :][: upload.part_size]
        request = urllib.request.Request(url, piece, method="PUT")  # noqa: S310 - what the port gave
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            parts.append(Part(number, answer.headers["ETag"]))
    return parts[::-1]


class TransfersContract:
    """Subclass it and give the fixtures ``transfers`` and ``store``, the store it is of."""

    size = 2500
    """Bytes of a file that takes several parts."""

    @pytest.fixture
    def store(self) -> ObjectStore:
        """Return an empty store."""
        raise NotImplementedError("override the fixture `store`")

    @pytest.fixture
    def transfers(self, store: ObjectStore) -> Transfers:
        """Return transfers of that store."""
        raise NotImplementedError("override the fixture `transfers`")

    def test_it_appears_whole(self, transfers: Transfers, store: ObjectStore) -> None:
        """Nothing is seen before it is complete; then it is what was sent."""
        data = bytes(range(250)) * (self.size // 250)
        upload = transfers.begin(KEY, len(data))
        parts = send(transfers, upload, data)
        with pytest.raises(NotFoundError):
            store.info(KEY)
        stored = transfers.complete(upload, parts)
        assert (stored.key, stored.size) == (KEY, len(data))
        with store.open(KEY) as file:
            assert file.read() == data
        with contextlib.suppress(NotFoundError):
            assert transfers.complete(upload, parts).size == len(data)

    def test_it_is_not_completed_in_part(self, transfers: Transfers, store: ObjectStore) -> None:
        """What is missing is said, and what has come stays."""
        data = b"x" * self.size
        upload = transfers.begin(KEY, len(data))
        with pytest.raises(ConflictError):
            transfers.complete(upload, ())
        parts = send(transfers, upload, data)
        assert transfers.complete(upload, parts).size == len(data)

    def test_an_upload_that_is_given_up(self, transfers: Transfers, store: ObjectStore) -> None:
        """Is no more."""
        upload = transfers.begin(KEY, 10)
        transfers.abort(upload)
        transfers.abort(upload)
        with pytest.raises(DaylilyError):
            transfers.complete(upload, send_nothing(upload))
        with pytest.raises(NotFoundError):
            store.info(KEY)

    def test_appending(self, transfers: Transfers) -> None:
        """In order, from where it ends; a source that breaks off leaves what came before."""
        upload = transfers.begin(KEY, 10)
        if upload.part_size is not None:
            with pytest.raises(ConflictError):
                transfers.append(upload, 0, io.BytesIO(b"x"))
            assert transfers.offset(upload) == 0
            return
        assert transfers.append(upload, 0, io.BytesIO(b"0123")) == 4
        for offset in (0, 3, 5):
            with pytest.raises(ConflictError):
                transfers.append(upload, offset, io.BytesIO(b"x"))
        with pytest.raises(BrokenOffError):
            transfers.append(upload, 4, cast(BinaryIO, BreakingOff(b"45")))
        assert transfers.offset(upload) == 6
        with pytest.raises(ConflictError):
            transfers.append(upload, 6, io.BytesIO(b"6789 and more"))
        assert transfers.append(upload, 6, io.BytesIO(b"")) == 6
        assert transfers.append(upload, 6, io.BytesIO(b"6789")) == 10
        for other in (evolve(upload, size=11), evolve(upload, key="files/other/x")):
            with pytest.raises(NotFoundError):
                transfers.offset(other)
        assert transfers.complete(upload, ()).size == 10


def send_nothing(upload: Upload) -> Sequence[Part]:
    """Return the parts that there would have been."""
    return [Part(number, "0" * 32) for number in range(1, upload.parts + 1)]
