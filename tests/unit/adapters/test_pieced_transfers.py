"""Uploads in pieces, on a store in memory."""

import io
from datetime import timedelta

import pytest

from daylily.adapters.memory.object_store import InMemoryObjectStore
from daylily.adapters.pieced_transfers import LEFT_OVER, PiecedTransfers
from daylily.domain.errors import ConflictError, InvalidInputError, NotFoundError
from daylily.ports.object_store import ObjectStore
from daylily.ports.transfers import Transfers, Upload
from daylily.testing.clock import ManualClock
from daylily.testing.contracts.transfers import TransfersContract

FOLDER = "files/.daylily/uploads/"


class TestPiecedTransfers(TransfersContract):
    """The contract."""

    @pytest.fixture
    def store(self) -> ObjectStore:
        """Return an empty store."""
        return InMemoryObjectStore()

    @pytest.fixture
    def transfers(self, store: ObjectStore) -> Transfers:
        """Return transfers of that store."""
        return PiecedTransfers(store, FOLDER, ManualClock())


def test_what_was_left_goes() -> None:
    """After days in which nobody has gone on with it; nothing of others goes."""
    clock = ManualClock()
    objects = InMemoryObjectStore(clock)
    transfers = PiecedTransfers(objects, FOLDER, clock)
    old = transfers.begin("files/a/x", 10)
    transfers.append(old, 0, io.BytesIO(b"0123"))
    clock.advance(LEFT_OVER / 2)
    young = transfers.begin("files/a/y", 10)
    assert transfers.offset(old) == 4
    clock.advance(LEFT_OVER / 2 + timedelta(seconds=1))
    transfers.begin("files/a/z", 10)
    with pytest.raises(NotFoundError):
        transfers.offset(old)
    assert transfers.offset(young) == 0


def test_who_was_faster() -> None:
    """Of two that go on from the same byte, one does."""
    objects = InMemoryObjectStore()
    transfers = PiecedTransfers(objects, FOLDER, ManualClock())
    upload = transfers.begin("files/a/x", 10)

    class Slow(io.BytesIO):
        def read1(self, size: int | None = -1) -> bytes:
            if not self.tell():
                transfers.append(upload, 0, io.BytesIO(b"0123"))
            return super().read1(size)

    with pytest.raises(ConflictError):
        transfers.append(upload, 0, Slow(b"abcdef"))
    assert transfers.offset(upload) == 4


def test_tokens_that_lead_elsewhere() -> None:
    """No token is a path; and there are no parts to send elsewhere."""
    transfers = PiecedTransfers(InMemoryObjectStore(), FOLDER, ManualClock())
    for token in ("../../other", "", "x" * 24, "a/b", "\u00e9" * 24):
        with pytest.raises(NotFoundError):
            transfers.offset(Upload(key="files/a/x", size=1, token=token))
    upload = transfers.begin("files/a/x", 1)
    with pytest.raises(InvalidInputError):
        transfers.part_url(upload, 1, lasting=timedelta(hours=1))
    assert transfers.download_url("x", disposition="attachment", lasting=timedelta(hours=1)) is None
