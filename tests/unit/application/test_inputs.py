"""Files of other buckets: read where operators allow it, for whom, and nowhere else."""

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve
from tests.unit.application.lab import ADA, PREFIX, READS, Lab

from daylily.adapters.memory.object_store import InMemoryObjectStore
from daylily.application.inputs import Inputs
from daylily.application.places import Places
from daylily.bootstrap import App
from daylily.domain.errors import InvalidInputError, NotFoundError, UnavailableError
from daylily.domain.manifest import FastqPair, Sample
from daylily.domain.workset import Workset
from daylily.ports.object_store import ObjectStore

FOLDERS = ("s3://sequencer/{customer_id}/", "s3://public/data/")


@pytest.fixture
def lab() -> Lab:
    """A world in memory."""
    return Lab()


@pytest.fixture
def theirs() -> InMemoryObjectStore:
    """The bucket of a sequencer, with a folder for each customer."""
    store = InMemoryObjectStore()
    for key in ("acme/run/a.fq", "acme-2/run/a.fq", "other/run/a.fq"):
        store.put(key, READS)
    return store


def app(lab: Lab, bucket: Callable[[str], ObjectStore] | None) -> App:
    """Return an App that knows buckets."""
    made = lab.app()
    inputs = Inputs(lab.objects, Places(), FOLDERS, bucket)
    return evolve(made, submit=evolve(made.submit, inputs=inputs))


def submit(made: App, lab: Lab, *keys: str) -> Workset:
    """Submit a workset of files of these names."""
    lab.upload("own.fq")
    pairs = tuple(FastqPair(key, lane=str(n)) for n, key in enumerate(keys, 1))
    submission = lab.submission(samples=(Sample(sample_id="a", pairs=pairs),))
    return made.submit(ADA, "acme", submission)


def test_files_where_operators_allow_it(lab: Lab, theirs: InMemoryObjectStore) -> None:
    """They are copied and sealed as the customer's own are: what becomes of them later is no matter."""
    asked: list[str] = []

    def bucket(name: str) -> ObjectStore:
        asked.append(name)
        return theirs

    workset = submit(app(lab, bucket), lab, "s3://sequencer/acme/run/a.fq", "own.fq")
    assert [key for _, key in workset.manifest.files()] == ["sample_data/a.fq", "sample_data/own.fq"]
    assert set(asked) == {"sequencer"}
    for key, seal in workset.manifest.seals():
        found = lab.objects.info(f"{PREFIX}{workset.workset_id}/{key}")
        assert (seal.size, seal.etag) == (found.size, found.etag)
    theirs.delete("acme/run/a.fq")
    lab.app().cycle()
    assert lab.started() == [f"{workset.workset_id}/1"]


@pytest.mark.parametrize(
    "key",
    [
        "s3://sequencer/other/run/a.fq", "s3://sequencer/acme-2/run/a.fq", "s3://victim/x.fq",
        "s3://public/other/x.fq", "s3://sequencer/acme/../other/run/a.fq", "s3://sequencer-acme/x.fq",
        "s3://sequencer/{customer_id}/run/a.fq",
    ],
)  # fmt: skip
def test_d46_nothing_else_is_read(lab: Lab, key: str) -> None:
    """D-46: neither another customer's folder, nor a bucket that nobody named, whatever is in it."""

    def bucket(name: str) -> ObjectStore:
        raise AssertionError(name)

    with pytest.raises(InvalidInputError):
        submit(app(lab, bucket), lab, key)
    assert lab.worksets() == ()


def test_files_that_are_not_there(lab: Lab, theirs: InMemoryObjectStore) -> None:
    """Are told as any other."""
    with pytest.raises(InvalidInputError, match="is not there"):
        submit(app(lab, lambda _: theirs), lab, "s3://public/data/none.fq")


def test_without_s3(lab: Lab) -> None:
    """An installation that asks no S3 has no such files."""
    with pytest.raises(InvalidInputError, match="not among your files"):
        submit(app(lab, None), lab, "s3://sequencer/acme/run/a.fq")
    inputs = Inputs(lab.objects, Places(), FOLDERS, None)
    with pytest.raises(NotFoundError):
        inputs.peek("acme", "s3://sequencer/acme/run/a.fq", 1)


def test_a_bucket_that_is_away(lab: Lab) -> None:
    """Files of others are not owed: nobody knows whether they may still be read then."""

    class Away(InMemoryObjectStore):
        def peek(self, key: str, size: int) -> Any:
            raise UnavailableError("away")

    with pytest.raises(UnavailableError):
        submit(app(lab, lambda _: Away()), lab, "s3://sequencer/acme/run/a.fq", "own.fq")
    assert lab.worksets() == ()
