"""Whatever is dropped, registered, restored or named: nothing of another customer is touched."""

from typing import Any, Final

import pytest
from attrs import define, evolve, field
from tests.unit.application.lab import ADA, READS, SHEET, Lab

from daylily.adapters.memory.object_store import InMemoryObjectStore
from daylily.application.mend_ledger import Outcome
from daylily.application.register_workset import Registration
from daylily.bootstrap import App
from daylily.domain.errors import DaylilyError, InvalidInputError
from daylily.domain.lifecycle import State
from daylily.domain.manifest import FastqPair, Sample
from daylily.domain.sentinels import Sentinel

BUCKET: Final = "s3://lab-bucket/"
SECRET: Final = "files/victim/genome_R1.fastq.gz"
STRAYS: Final = (
    f"{BUCKET}{SECRET}",
    f"{BUCKET}worksets/victims/sample_data/genome_R1.fastq.gz",
    f"{BUCKET}worksets/.daylily/state/genome_R1.fastq.gz",
    f"{BUCKET}files/acme/../victim/genome_R1.fastq.gz",
    f"{BUCKET}files/acme-2/genome_R1.fastq.gz",
    "../../files/victim/genome_R1.fastq.gz",
    "/files/victim/genome_R1.fastq.gz",
    "sample_data/../../victims/sample_data/genome_R1.fastq.gz",
)


class Bucket(InMemoryObjectStore):
    """Objects that say where they are as S3 does."""

    def location(self, key: str) -> str:
        """Return an address of S3."""
        return f"{BUCKET}{key}".rstrip("/")


@define
class Guard:
    """Notes each key of another's that a call names; what belongs to nobody may be looked through."""

    touched: list[str] = field(factory=list)

    def wrap(self, port: Any, name: str) -> Any:
        """Return a stand-in for *port*."""
        return _Guarded(port, self) if name == "objects" else port


@define
class _Guarded:
    port: Any
    guard: Guard

    def __getattr__(self, method: str) -> Any:
        if method in {"location", "changed"}:
            return getattr(self.port, method)

        def call(*arguments: Any, **named: Any) -> Any:
            for each in (*arguments, *named.values()):
                keys = [each] if isinstance(each, str) else each if isinstance(each, dict) else ()
                self.guard.touched += [f"{method} {key}" for key in keys if "victim" in str(key)]
            return getattr(self.port, method)(*arguments, **named)

        return call


@pytest.fixture
def lab() -> Lab:
    """A world in which a victim keeps a genome, and has a workset of its own."""
    made = Lab()
    made.objects = Bucket(made.clock)
    made.objects.put(SECRET, READS)
    made.objects.put("worksets/victims/sample_data/genome_R1.fastq.gz", READS)
    return made


def guarded(lab: Lab) -> tuple[App, Guard]:
    """Return an App, and what tells which keys of the victim it has touched."""
    guard = Guard()
    return lab.app(guard), guard


def drop(lab: Lab, key: str, *sentinels: Sentinel, body: bytes = b"") -> None:
    """Drop a workset that names a file, and more of the victim's wherever a place can be named."""
    lab.drop("mine", *sentinels, body=body)
    lab.put("mine", "stage_samples.tsv", SHEET.replace("sample_data/HG002_R1.fastq.gz", key).encode())
    work = f"dy-r: -p help\npipeline: fastq-qc\nexport_uri: {BUCKET}files/victim/results/\n"
    work += "workset_id: ../../files/victim\nprefix: files/victim/\nbucket: victim\n"
    lab.put("mine", "daylily_work.yaml", work.encode())


@pytest.mark.parametrize("key", STRAYS)
@pytest.mark.parametrize("shown", [Sentinel.READY, Sentinel.COMPLETE, Sentinel.ERROR])
def test_a_dropped_directory(lab: Lab, key: str, shown: Sentinel) -> None:
    """It is damaged, and told of; nobody has read what it names."""
    drop(lab, key, shown, body=f"2025-06-02T12:00:00Z\t{BUCKET}{SECRET}\n".encode())
    app, guard = guarded(lab)
    told = app.cycle().faults
    assert lab.worksets() == ()
    assert any(fault.startswith("mine: ") for fault in told)
    assert [each for each in guard.touched if "worksets/victims/" not in each] == []


@pytest.mark.parametrize(
    "key", [f"{BUCKET}files/local/a_R1.fastq.gz", "s3://sequencer/run/a_R1.fastq.gz"]
)
def test_ones_own_and_other_buckets_may_be_named(lab: Lab, key: str) -> None:
    """Of the installation's own customer; and where results go, we say."""
    assert lab.settings.customer == "local"
    drop(lab, key, Sentinel.READY)
    app, guard = guarded(lab)
    assert app.cycle().faults == []
    [workset] = lab.worksets()
    assert workset.state is State.IN_PROGRESS
    [job] = lab.compute.submitted
    assert "victim" not in repr(job)
    assert [each for each in guard.touched if "worksets/victims/" not in each] == []


@pytest.mark.parametrize("key", STRAYS)
def test_a_directory_that_is_restored(lab: Lab, key: str) -> None:
    """A sentinel that bears our mark makes it no better."""
    workset_id = lab.submit().workset_id
    marked = next(iter(lab.ours(workset_id).items()))
    drop(lab, key, Sentinel.READY, body=marked[1].render().encode())
    lab.put("mine", "daylily_info.yaml", b"customer_id: acme\n")
    app, guard = guarded(lab)
    app.cycle()
    assert [each.workset_id for each in lab.worksets()] == [workset_id]
    assert Outcome.MENDED not in {
        each.outcome for each in app.mend() if each.divergence.workset_id == "mine"
    }
    assert [each.workset_id for each in lab.worksets()] == [workset_id]
    assert [each for each in guard.touched if "worksets/victims/" not in each] == []


@pytest.mark.parametrize("key", STRAYS)
def test_a_registration(lab: Lab, key: str) -> None:
    """Also by an operator's program, which might mean well: the file is another customer's."""
    app, guard = guarded(lab)
    sample = Sample(sample_id="A", pairs=(FastqPair(key),))
    asked = Registration(
        workset_id="mine", customer_id="acme", submitted_by="op", name="mine", samples=(sample,)
    )
    for call in (app.register, app.register.drop):
        with pytest.raises(InvalidInputError):
            call(asked)
    with pytest.raises(InvalidInputError):
        app.submit(ADA, "acme", evolve(lab.submission(), samples=(sample,)))
    assert lab.worksets() == ()
    assert guard.touched == []


@pytest.mark.parametrize("workset_id", ["../files/victim", "..", "mine/../victims", "files/victim", ""])
def test_an_id_that_leads_elsewhere(lab: Lab, workset_id: str) -> None:
    """Nothing is looked at, imported, shown or rebuilt under it."""
    app, guard = guarded(lab)
    for call in (
        lambda: app.world.sentinels.look(workset_id),
        lambda: app.world.sentinels.read(workset_id),
        lambda: app.world.sentinels.recorded(workset_id),
        lambda: app.cancel(ADA, workset_id),
    ):
        with pytest.raises(DaylilyError):
            call()
    assert guard.touched == []
