"""Seals: what is launched is what was submitted, byte for byte."""

import pytest
from tests.unit.application.lab import PREFIX, READS, Lab

from daylily.domain.lifecycle import State
from daylily.domain.manifest import FastqPair, Manifest, Sample, Seal
from daylily.domain.retry import ErrorCategory
from daylily.domain.workset import Workset
from daylily.testing.faults import Blow, FaultInjector


@pytest.fixture
def lab() -> Lab:
    """A world in memory."""
    return Lab()


def place(workset: Workset, number: int = 0) -> str:
    """Return where in the store a file of a workset stands."""
    keys = [key for _, key in workset.manifest.files()]
    return f"{PREFIX}{workset.workset_id}/{keys[number]}"


def refused(lab: Lab, workset: Workset) -> str:
    """Check that a workset is not launched, and return why."""
    lab.app().cycle()
    after = lab.get(workset.workset_id)
    assert (after.state, lab.started()) == (State.ERROR, [])
    assert after.failure is not None
    assert after.failure.category is ErrorCategory.DATA
    lab.check()
    return after.failure.message


def test_every_file_is_sealed_with_the_workset(lab: Lab) -> None:
    """Size and etag of each are stored, and say what stands in the workset's directory."""
    workset = lab.get(lab.submit().workset_id)

    sealed = dict(workset.manifest.seals())
    assert list(sealed) == [key for _, key in workset.manifest.files()]
    for key, seal in sealed.items():
        found = lab.objects.info(f"{PREFIX}{workset.workset_id}/{key}")
        assert seal == Seal(found.size, found.etag)


def test_same_path_new_bytes(lab: Lab) -> None:
    """A file that was replaced after it was submitted is not run, and the message says so."""
    workset = lab.submit()
    lab.objects.put(place(workset), READS.replace(b"ACGT", b"TTTT"))

    message = refused(lab, workset)
    assert "sample_data/" in message
    assert "holds other bytes than when it was submitted" in message
    assert "submit a new workset" in message


def test_another_size_and_a_file_that_is_gone(lab: Lab) -> None:
    """Both are told, at once."""
    lab.upload("a.fq", "b.fq")
    samples = (Sample(sample_id="a", pairs=(FastqPair("a.fq", "b.fq"),)),)
    workset = lab.submit(samples=samples)
    lab.objects.put(place(workset, 0), READS * 2)
    lab.objects.delete(place(workset, 1))

    message = refused(lab, workset)
    assert f"a.fq had {len(READS)} bytes when it was submitted, and has {2 * len(READS)} now" in message
    assert "b.fq is gone" in message


def test_many_files(lab: Lab) -> None:
    """A folder that was lost does not fill the page."""
    names = [f"{number}.fq" for number in range(31)]
    lab.upload(*names)
    samples = tuple(
        Sample(sample_id=f"s{number}", pairs=(FastqPair(name),)) for number, name in enumerate(names)
    )
    workset = lab.submit(samples=samples)
    for number in range(30):
        lab.objects.delete(place(workset, number))

    assert "; and 10 more. Files may not change" in refused(lab, workset)


def test_what_was_launched_already_is_not_refused(lab: Lab) -> None:
    """Its launcher died before it could tell; the engine has the job, and it reads the old bytes."""
    workset = lab.submit()
    injector = FaultInjector(1, Blow.OUTAGE_AFTER, on="compute.submit")
    lab.app(injector).cycle()
    lab.objects.put(place(workset), READS * 2)
    lab.clock.advance(lab.settings.lock_timeout)

    lab.app().cycle()

    assert lab.get(workset.workset_id).state is State.IN_PROGRESS
    assert lab.started() == [f"{workset.workset_id}/1"]


def test_seals_of_single_and_paired_files() -> None:
    """They are given out in the order of the files, and read back so."""
    pairs = (FastqPair("a", "b", "1"), FastqPair("c", lane="2"))
    manifest = Manifest(samples=(Sample(sample_id="s", pairs=pairs),), pipeline="any")
    seals = [Seal(number, str(number)) for number in range(3)]

    assert list(manifest.seals()) == []
    assert list(manifest.sealed(seals).seals()) == list(zip("abc", seals, strict=True))
