"""ObjectSentinelStore on a directory, held to the contract of its port."""

from pathlib import Path

import pytest

from daylily.adapters.local.object_store import DirectoryObjectStore
from daylily.adapters.sentinel_store import ObjectSentinelStore
from daylily.domain.sentinels import Sentinel
from daylily.ports.sentinel_store import SentinelStore
from daylily.testing.contracts.sentinel_store import (
    Drawer,
    ObjectDrawer,
    SentinelStoreContract,
    body,
)


class TestDirectorySentinelStore(SentinelStoreContract):
    """The contract, on a directory."""

    @pytest.fixture
    def drawer(self, tmp_path: Path) -> ObjectDrawer:
        """Return a way past the store."""
        return ObjectDrawer(DirectoryObjectStore(tmp_path))

    @pytest.fixture
    def store(self, drawer: Drawer) -> SentinelStore:
        """Return a store in which there is no directory yet."""
        assert isinstance(drawer, ObjectDrawer)
        return ObjectSentinelStore(drawer.objects)


@pytest.mark.parametrize("kind", ["folder", "link"])
def test_what_is_no_file_is_no_sentinel(tmp_path: Path, kind: str) -> None:
    """A folder or a link of a sentinel's name shows no state, and makes no post believe it won."""
    store = ObjectSentinelStore(DirectoryObjectStore(tmp_path))
    (tmp_path / "worksets/ws-1").mkdir(parents=True)
    place = tmp_path / "worksets/ws-1/daylily.lock"
    if kind == "folder":
        place.mkdir()
    else:
        place.symlink_to("/etc/hostname")

    assert store.look("ws-1").sentinels == {}
    assert store.post("ws-1", Sentinel.LOCK, body()) is False
    store.withdraw("ws-1", Sentinel.LOCK, 5)
    assert place.is_dir() if kind == "folder" else place.is_symlink()


def test_a_linked_fastq_file_is_explained(tmp_path: Path) -> None:
    """Who links sample files rather than moving them is told that links are not followed."""
    store = ObjectSentinelStore(DirectoryObjectStore(tmp_path))
    data = tmp_path / "worksets/ws-1/sample_data"
    data.mkdir(parents=True)
    (data / "x.fastq.gz").symlink_to("/etc/hostname")
    (data.parent / "daylily_work.yaml").write_text(
        "pipeline: germline\nsamples: [{sample_id: x, fastq_r1: sample_data/x.fastq.gz}]\n"
    )
    with pytest.raises(Exception, match=r"sample_data/x.fastq.gz: .* symbolic link"):
        store.read("ws-1")
