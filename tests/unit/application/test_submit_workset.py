"""Submitting: everything is checked first, and then the workset is there whole or not at all."""

from typing import Any

import pytest
from attrs import evolve
from tests.unit.application.lab import ADA, OUR_FILES, PREFIX, Lab, Meanwhile

from daylily.adapters.memory.object_store import InMemoryObjectStore
from daylily.application.submit_workset import OWED, faults_of_words
from daylily.domain.customers import Principal
from daylily.domain.errors import InvalidInputError, NotFoundError, UnavailableError
from daylily.domain.lifecycle import Priority, State
from daylily.domain.manifest import FastqPair, Sample, Seal
from daylily.domain.sentinels import Sentinel
from daylily.domain.workset import DEBT_GRACE
from daylily.ports.paging import every
from daylily.testing.faults import Blow, FaultInjector


@pytest.fixture
def lab() -> Lab:
    """A world in memory."""
    return Lab()


def keys(lab: Lab, prefix: str = PREFIX) -> set[str]:
    """Return the keys of all objects under *prefix*."""
    return {info.key for info in every(lambda cursor: lab.objects.list(prefix, cursor=cursor))}


def faults_of(lab: Lab, **changes: Any) -> dict[str, str]:
    """Submit what is wrong, and return its faults by place."""
    with pytest.raises(InvalidInputError) as caught:
        lab.submit(**changes)
    assert lab.worksets() == ()
    assert keys(lab) == set()
    return {fault.place: fault.message for fault in caught.value.faults}


def test_a_workset_is_there_whole(lab: Lab) -> None:
    """The row, the files, the sentinel and the news are there when the call returns."""
    workset = lab.submit("My Trio!", priority="high", max_retries=1)

    assert workset == lab.get(workset.workset_id)
    assert workset.workset_id == "my-trio-0000000001"
    assert (workset.state, workset.priority, workset.max_retries) == (State.READY, Priority.URGENT, 1)
    assert (workset.customer_id, workset.submitted_by) == ("acme", "ada")
    assert lab.folder(workset.workset_id).names == OUR_FILES | {Sentinel.READY}
    assert lab.sent() == ["registered"]
    lab.check()


def test_files_are_copied_into_the_workset(lab: Lab) -> None:
    """Files of the same name from two folders get two names, and originals may go."""
    lab.upload("x/r1.fq", "y/r1.fq", "y/r2.fq")
    samples = (
        Sample(sample_id="a", pairs=(FastqPair("x/r1.fq"),)),
        Sample(sample_id="b", pairs=(FastqPair("y/r1.fq", "y/r2.fq"),)),
    )
    workset = lab.submit(samples=samples)

    files = [key for _, key in workset.manifest.files()]
    assert files == ["sample_data/r1.fq", "sample_data/2_r1.fq", "sample_data/r2.fq"]
    assert keys(lab, f"{PREFIX}{workset.workset_id}/sample_data/") == {
        f"{PREFIX}{workset.workset_id}/{name}" for name in files
    }


def test_every_fault_of_the_words_is_told_at_once(lab: Lab) -> None:
    """Nothing is stored, and each fault has its place."""
    faults = faults_of(
        lab,
        name="\n",
        pipeline="nope",
        reference_genome="hg99",
        priority="asap",
        max_retries=11,
        notification_email="nobody",
        samples=(),
    )
    assert set(faults) == {
        "workset_name",
        "pipeline",
        "reference_genome",
        "priority",
        "max_retries",
        "notification_email",
        "samples",
    }


def test_a_name_of_blanks_is_none(lab: Lab) -> None:
    """A name needs something to be seen."""
    assert "workset_name" in faults_of(lab, name="   ")


def test_a_pipeline_without_a_command_is_refused(lab: Lab) -> None:
    """What this installation cannot run is refused at the door, with what it can."""
    assert "runnable are: fastq-qc" in faults_of(lab, pipeline="germline")["pipeline"]


def test_names_that_nobody_knows_here_are_for_the_other_end_to_check(lab: Lab) -> None:
    """A client of another installation does not know its pipelines."""
    assert list(faults_of_words(lab.submission(pipeline="theirs"), None)) == []


def test_files_must_be_the_customers_own(lab: Lab) -> None:
    """Files that are not there, lie in a bucket or hold no FASTQ are refused, all at once."""
    lab.objects.put("files/acme/bad.fq", b"no fastq")
    pairs = (FastqPair("missing.fq", "s3://other/bucket.fq", "1"), FastqPair("bad.fq", lane="2"))
    faults = faults_of(lab, samples=(Sample(sample_id="a", pairs=pairs),))
    assert set(faults) == {f"samples[0].pairs[{file}" for file in ("0].r1", "0].r2", "1].r1")}


def test_names_do_not_hide_what_is_wrong_with_files(lab: Lab) -> None:
    """Words, names and files are told together; what is badly named is not looked up."""
    lab.objects.put("files/acme/bad.fq", b"no fastq")
    pairs = (FastqPair("missing.fq", "../up.fq", "1"), FastqPair("bad.fq", "s3://b/c.fq", lane="2"))
    samples = (Sample(sample_id="a", pairs=pairs),)
    faults = faults_of(lab, samples=samples, priority="soon")
    files = {f"samples[0].pairs[{file}" for file in ("0].r1", "0].r2", "1].r1", "1].r2")}
    assert set(faults) == {"priority", *files}
    app, submission = lab.app(), lab.submission(samples=samples, priority="soon")
    told = {fault.place: fault.message for fault in app.submit.faults(ADA, "acme", submission)}
    assert told == faults
    assert app.submit.faults(ADA, "acme", lab.submission()) == []
    with pytest.raises(NotFoundError):
        app.submit.faults(evolve(ADA, customer_id="other"), "acme", submission)
    down = FaultInjector(1, Blow.OUTAGE_BEFORE, on="objects.peek")
    left = {fault.place for fault in lab.app(down).submit.faults(ADA, "acme", submission)}
    assert left == set(faults) - {"samples[0].pairs[0].r1", "samples[0].pairs[1].r1"}


class InBucket(InMemoryObjectStore):
    """A store in memory that says it were in S3."""

    def location(self, key: str) -> str:
        """Return an address."""
        return f"s3://bucket/{key}".rstrip("/")


def test_addresses_of_ones_own_files(lab: Lab) -> None:
    """Are as good as keys; those of another customer's files are none, and nobody looks there."""
    lab.objects = InBucket(lab.clock)
    lab.upload("run/a.fq", "run/b.fq", "run/c.fq")
    lab.objects.put("files/other/c.fq", b"@r\nA\n+\nI\n")
    own = "s3://bucket/files/acme/run/"
    pairs = (FastqPair(f"{own}a.fq", f"{own}b.fq", "1"), FastqPair(f"{own}c.fq", lane="2"))
    workset = lab.submit(samples=(Sample(sample_id="a", pairs=pairs),))
    assert workset.manifest.samples[0].pairs[0].r1 == "sample_data/a.fq"
    for elsewhere in ("s3://bucket/files/other/c.fq", "s3://other/files/acme/run/a.fq"):
        with pytest.raises(InvalidInputError, match="not among your files"):
            lab.submit(samples=(Sample(sample_id="a", pairs=(FastqPair(elsewhere),)),))
    with pytest.raises(InvalidInputError, match="leads outside"):
        lab.submit(samples=(Sample(sample_id="a", pairs=(FastqPair(f"{own}../../other/c.fq"),)),))


def test_nobody_submits_for_another_customer(lab: Lab) -> None:
    """Another customer is not there; for operators, one that is not there is not."""
    app, submission = lab.app(), lab.submission()
    with pytest.raises(NotFoundError):
        app.submit(evolve(ADA, customer_id="other"), "acme", submission)
    with pytest.raises(NotFoundError):
        app.submit(Principal(name="op", customer_id="op", operator=True), "nobody", submission)
    operator = Principal(name="op", customer_id="op", operator=True)
    assert app.submit(operator, "acme", submission).submitted_by == "op"


@pytest.mark.parametrize("blow", [Blow.OUTAGE_BEFORE, Blow.OUTAGE_AFTER])
@pytest.mark.parametrize("call", ["objects.peek", "objects.copy"])
def test_an_object_store_that_is_away_is_no_reason_to_refuse(lab: Lab, call: str, blow: Blow) -> None:
    """The copies are owed; when it is back they are made, and the workset runs as if nothing was."""
    down = FaultInjector(2, blow, length=1000, on=call)
    workset = lab.app(down).submit(ADA, "acme", lab.submission())
    assert workset.waits_for == "the object store, to have its files copied"
    assert Sentinel.READY not in lab.folder(workset.workset_id).sentinels
    app = lab.app()
    app.cycle()
    assert lab.started() == [f"{workset.workset_id}/1"]
    launched = lab.get(workset.workset_id)
    assert launched.waits_for is None
    assert [*launched.manifest.seals()] == [
        (key, Seal(info.size, info.etag))
        for key, info in (
            (key, lab.objects.info(f"{PREFIX}{workset.workset_id}/{key}"))
            for _, key in launched.manifest.files()
        )
    ]
    lab.compute.end(f"{workset.workset_id}/1")
    app.cycle()
    lab.check()


def test_what_is_copied_later_is_sealed_then(lab: Lab) -> None:
    """From the copy on it may not change: other bytes in its place are not run."""
    down = FaultInjector(1, Blow.OUTAGE_BEFORE, on="objects.peek")
    workset = lab.app(down).submit(ADA, "acme", lab.submission())
    assert not [*workset.manifest.seals()]
    paid = lab.app().sync.ledger.rest(workset)
    (key, _), *_ = paid.manifest.seals()
    lab.objects.put(f"{PREFIX}{workset.workset_id}/{key}", b"@other\nTTTT\n+\nIIII\n")
    lab.app().cycle()
    refused = lab.get(workset.workset_id)
    assert refused.state is State.ERROR
    assert refused.failure is not None
    assert key in refused.failure.message
    assert lab.started() == []


def test_files_that_are_missing_once_the_object_store_is_back(lab: Lab) -> None:
    """Nothing is launched: it ends in error, whose words say which, and what to do."""
    submission = lab.submission()
    lab.objects.delete("files/acme/a_R1.fastq")
    workset = lab.app(FaultInjector(1, Blow.OUTAGE_BEFORE, on="objects.peek")).submit(
        ADA, "acme", submission
    )
    app = lab.app()
    lab.clock.advance(DEBT_GRACE)
    app.cycle()
    failed = lab.get(workset.workset_id)
    assert failed.state is State.ERROR
    assert failed.failure is not None
    assert failed.failure.message == (
        "samples[0].pairs[0].r1: 'files/acme/a_R1.fastq' is not there; upload it, and submit it again"
    )
    assert lab.started() == []
    lab.drain(lab.app())
    lab.check()


def test_files_that_are_uploaded_late_will_do(lab: Lab) -> None:
    """Until its turn has come, nobody decides that they are missing."""
    submission = lab.submission()
    lab.objects.delete("files/acme/a_R1.fastq")
    down = FaultInjector(1, Blow.OUTAGE_BEFORE, on="objects.peek")
    workset = lab.app(down).submit(ADA, "acme", submission)
    assert lab.app().sync.ledger.rest(workset).debts
    lab.upload("a_R1.fastq")
    lab.app().cycle()
    assert lab.started() == [f"{workset.workset_id}/1"]


def test_what_is_canceled_needs_no_files(lab: Lab) -> None:
    """The debt is struck off, so that its ignore can be shown."""
    down = FaultInjector(1, Blow.OUTAGE_BEFORE, on="objects.peek")
    workset = lab.app(down).submit(ADA, "acme", lab.submission())
    lab.app().cancel(ADA, workset.workset_id)
    lab.check()
    assert keys(lab, f"{PREFIX}{workset.workset_id}/sample_data/") == {
        f"{PREFIX}{workset.workset_id}/sample_data/.hold"
    }


def test_very_many_files_cannot_be_owed(lab: Lab) -> None:
    """They would not fit into the row; then it is refused, and nothing is stored."""
    names = [f"{number:0100}.fq" for number in range(OWED // 100)]
    samples = tuple(
        Sample(sample_id=f"s{number}", pairs=(FastqPair(name),)) for number, name in enumerate(names)
    )
    down = FaultInjector(1, Blow.OUTAGE_BEFORE, on="objects.peek")
    with pytest.raises(UnavailableError):
        lab.app(down).submit(ADA, "acme", lab.submission(samples=samples))
    assert lab.worksets() == ()


def test_what_can_be_said_without_a_look_is_said(lab: Lab) -> None:
    """Files in a bucket are nobody's to copy, whether the object store answers or not."""
    sample = Sample(sample_id="a", pairs=(FastqPair("a_R1.fastq", "s3://other/bucket.fq"),))
    down = FaultInjector(1, Blow.OUTAGE_BEFORE, on="objects.peek")
    with pytest.raises(InvalidInputError, match="upload it first"):
        lab.app(down).submit(ADA, "acme", lab.submission(samples=(sample,)))
    assert lab.worksets() == ()


@pytest.mark.parametrize("length", [0, 1])
def test_a_file_that_goes_while_it_is_copied_leaves_nothing_behind(lab: Lab, length: int) -> None:
    """The customer is told; an outage while copies are removed hides it from nobody."""
    gone = Meanwhile("objects.copy", lambda: lab.objects.delete("files/acme/a_R2.fastq"), nth=2)
    down = FaultInjector(1, Blow.OUTAGE_BEFORE, length=length, on="objects.delete")
    with pytest.raises(NotFoundError):
        lab.app(gone, down).submit(ADA, "acme", lab.submission())
    assert len(keys(lab)) == length
    assert lab.worksets() == ()


def test_a_submission_that_was_stored_is_not_said_to_have_failed(lab: Lab) -> None:
    """
    The customer would submit it again, and pay twice.

    The store says that it does not answer, but shows the workset.
    """
    faults = FaultInjector(1, Blow.OUTAGE_AFTER, on="store.add")
    workset = lab.app(faults).submit(ADA, "acme", lab.submission())
    assert lab.get(workset.workset_id).state is State.READY
    lab.check()


def test_a_submission_that_was_not_stored_has_failed(lab: Lab) -> None:
    """Nobody hears of it, and its copies stay: a late write may make it appear after all."""
    faults = FaultInjector(13, Blow.OUTAGE_BEFORE)
    with pytest.raises(UnavailableError):
        lab.app(faults).submit(ADA, "acme", lab.submission())
    assert faults.calls[-2:] == ["store.add", "store.get"]
    assert lab.worksets() == ()
    assert lab.sent() == []


def test_a_store_that_goes_away_after_the_submission_is_no_failure_of_it(lab: Lab) -> None:
    """What was paid is not struck off, so that a monitor pays it once more; the customer has it."""
    faults = FaultInjector(1, Blow.OUTAGE_BEFORE, on="store.save")
    workset = lab.app(faults).submit(ADA, "acme", lab.submission())
    assert lab.get(workset.workset_id).debts
