"""Registering under an id of the caller's: files stay where they are, and nothing is written over."""

from typing import Any

import pytest
from attrs import evolve
from tests.unit.application.lab import ADA, OUR_FILES, READS, Lab, Meanwhile

from daylily.application.register_workset import Registration
from daylily.domain.errors import (
    AlreadyExistsError,
    ConflictError,
    InvalidInputError,
    UnavailableError,
)
from daylily.domain.lifecycle import State
from daylily.domain.manifest import FastqPair, Sample
from daylily.domain.sentinels import Sentinel
from daylily.testing.faults import Blow, FaultInjector

AFAR = FastqPair("s3://reads/HG002_R1.fastq.gz", "s3://reads/HG002_R2.fastq.gz")
HERE = FastqPair("HG002_R1.fastq.gz", "sample_data/HG002_R2.fastq.gz")


@pytest.fixture
def lab() -> Lab:
    """A world in memory."""
    return Lab()


def a_registration(pair: FastqPair | None = AFAR, **changes: Any) -> Registration:
    """Return a registration of one sample, or of none."""
    samples = (Sample(sample_id="HG002", pairs=(pair,)),) if pair else ()
    plain = Registration(
        workset_id="ws-001", customer_id="acme", submitted_by="ada", name="trio", samples=samples
    )
    return evolve(plain, **changes)


def faults(lab: Lab, registration: Registration) -> dict[str, str]:
    """Return what is wrong with a registration, in both ways of taking it in."""
    found = []
    for take in (lab.app().register, lab.app().register.drop):
        with pytest.raises(InvalidInputError) as caught:
            take(registration)
        found.append({fault.place: fault.message for fault in caught.value.faults})
    assert found[0] == found[1]
    assert lab.worksets() == ()
    return found[0]


class TestRegister:
    """Into the store."""

    def test_it_is_ready_and_shown(self, lab: Lab) -> None:
        """What is not said is as systems of old took it: germline on GRCh38."""
        workset = lab.app().register(a_registration())

        assert workset == lab.get("ws-001")
        assert (workset.state, workset.submitted_by) == (State.READY, "ada")
        assert (workset.manifest.pipeline, workset.manifest.reference_genome) == ("germline", "GRCh38")
        assert lab.sent() == ["registered"]
        lab.check()

    def test_nobody_is_asked_about_files_that_lie_elsewhere(self, lab: Lab) -> None:
        """One write to the store, and one to each file of the directory."""
        counting = FaultInjector()
        lab.app(counting).register(a_registration())
        # Where things are is told without asking anybody.
        calls = [each for each in counting.calls if each != "objects.location"]
        assert calls == [
            "store.add",
            *["objects.put"] * 4,
            "objects.put",
            "notifier.send",
            "store.save",
        ]

    def test_the_directory_can_be_left_to_monitors(self, lab: Lab) -> None:
        """Nothing is written there until somebody pays the debts; people are told at once."""
        app = lab.app()
        owing = app.register(a_registration(), directory=False)

        assert owing.debts == lab.get("ws-001").debts != ()
        assert lab.folder("ws-001").names == frozenset()
        assert lab.sent() == ["registered"]
        lab.clock.advance(lab.patience())
        app.cycle()
        lab.check("ws-001")

    def test_an_object_store_that_is_away_is_waited_for(self, lab: Lab) -> None:
        """The workset is taken, even unseen; its directory appears when the store is back."""
        away = FaultInjector(1, Blow.OUTAGE_BEFORE, length=99, on="objects.entries")
        shut = FaultInjector(1, Blow.OUTAGE_BEFORE, length=99, on="objects.put")
        lab.app(away, shut).register(a_registration(HERE))

        assert lab.folder("ws-001").names == frozenset()
        lab.clock.advance(lab.patience())
        lab.app().cycle()
        assert lab.folder("ws-001").names >= OUR_FILES

    def test_files_of_its_directory_must_be_there(self, lab: Lab) -> None:
        """Every one that is missing is named."""
        assert faults(lab, a_registration(HERE)) == {
            "samples[0].pairs[0].r1": "'HG002_R1.fastq.gz' is not in the workset's directory; "
            "upload it first",
            "samples[0].pairs[0].r2": "'sample_data/HG002_R2.fastq.gz' is not in the workset's "
            "directory; upload it first",
        }
        lab.put("ws-001", "HG002_R1.fastq.gz", READS)
        lab.put("ws-001", "sample_data/HG002_R2.fastq.gz", READS)
        assert lab.app().register(a_registration(HERE)).manifest.samples[0].pairs == (HERE,)

    def test_the_directory_may_list_the_samples(self, lab: Lab) -> None:
        """What a customer has put there counts, and stays as it is."""
        lab.drop("ws-001")
        workset = lab.app().register(a_registration(None))

        assert [sample.sample_id for sample in workset.manifest.samples] == ["HG002"]
        assert workset.manifest.pipeline == "fastq-qc"
        assert workset.name == "trio"
        with lab.objects.open("worksets/ws-001/daylily_work.yaml") as file:
            assert b"-p help" in file.read()

    def test_what_is_said_goes_before_what_the_directory_says(self, lab: Lab) -> None:
        """As far as it is said."""
        lab.drop("ws-001")
        said = a_registration(None, pipeline="wgs", reference_genome="hg19")
        manifest = lab.app().register(said).manifest
        assert (manifest.pipeline, manifest.reference_genome) == ("wgs", "GRCh37")

    def test_a_directory_that_lists_them_badly_is_refused(self, lab: Lab) -> None:
        """All that is wrong with its files is told at the door."""
        lab.drop("ws-001")
        lab.remove("ws-001", "daylily_work.yaml")
        lab.remove("ws-001", "sample_data/HG002_R2.fastq.gz")
        assert faults(lab, a_registration(None)).keys() == {
            "daylily_work.yaml",
            "sample_data/HG002_R2.fastq.gz",
        }

    def test_samples_may_come_later(self, lab: Lab) -> None:
        """An empty directory says nothing: what it lists when it is launched counts."""
        assert lab.app().register(a_registration(None)).manifest.samples == ()
        lab.check()

    def test_an_id_is_taken_once(self, lab: Lab) -> None:
        """The first has it, whatever the second says."""
        first = lab.app().register(a_registration())
        with pytest.raises(AlreadyExistsError):
            lab.app().register(a_registration(name="another"))
        assert lab.get("ws-001") == first

    def test_a_directory_that_somebody_has_dropped_is_taken_too(self, lab: Lab) -> None:
        """It is a workset already, which monitors import; and it may be over."""
        lab.drop("ws-001", Sentinel.READY, Sentinel.COMPLETE)
        with pytest.raises(AlreadyExistsError, match=r"daylily\.complete, daylily\.ready"):
            lab.app().register(a_registration(None))
        assert lab.worksets() == ()

    def test_a_dropped_directory_that_nobody_had_to_look_at(self, lab: Lab) -> None:
        """Neither runs with the samples of the other; one that is written later is looked at before."""
        lab.drop("ws-001", Sentinel.READY)
        with pytest.raises(AlreadyExistsError, match=r"has daylily\.ready"):
            lab.app().register(a_registration(), directory=False)
        assert lab.worksets() == ()
        with pytest.raises(AlreadyExistsError, match=r"canceled: daylily\.ready"):
            lab.app().register(a_registration())
        lab.drain(lab.app())
        assert [each.state for each in lab.worksets()] == [State.CANCELED]
        assert lab.started() == []

    def test_a_registrar_who_stalls_finds_a_later_ready_of_ours(self, lab: Lab) -> None:
        """The workset has failed and been retried meanwhile: that is no clash."""

        def happens() -> None:
            app = lab.app()
            lab.clock.advance(lab.patience())
            app.cycle()
            lab.compute.end("ws-001/1", exit_code=1)
            app.cycle()
            app.retry(ADA, "ws-001")

        stalls = Meanwhile("objects.put", happens, nth=5)
        lab.app(stalls).register(a_registration(pipeline="fastq-qc"))
        lab.app().cycle()
        assert lab.started() == ["ws-001/1", "ws-001/2"]
        assert lab.get("ws-001").state is State.IN_PROGRESS

    def test_one_that_is_over_before_its_clash_shows(self, lab: Lab) -> None:
        """It cannot be canceled any more; its registrar is told all the same."""
        app = lab.app()
        lab.drop("ws-001", Sentinel.READY)
        other = Meanwhile("store.save", lambda: lab.app().cancel(ADA, "ws-001"))
        with pytest.raises(AlreadyExistsError, match="canceled"):
            lab.app(other).register(a_registration())
        assert app.world.store.get("ws-001").state is State.CANCELED

    def test_all_faults_at_once(self, lab: Lab) -> None:
        """Each with its place."""
        bad = a_registration(
            FastqPair("reads.txt"),
            workset_id="../x",
            customer_id="a b",
            name="",
            pipeline="unheard-of",
            reference_genome="hg99",
            priority="asap",
            max_retries=11,
            notification_email="nobody",
        )
        assert faults(lab, bad).keys() == {
            *("workset_id", "customer_id", "workset_name", "pipeline", "reference_genome"),
            *("priority", "max_retries", "notification_email", "samples[0].pairs[0].r1"),
        }


class TestDrop:
    """Into the directory alone."""

    def test_any_monitor_imports_it(self, lab: Lab) -> None:
        """As if somebody had dropped it by hand: the store hears of it from the directory."""
        lab.put("ws-001", "HG002_R1.fastq.gz", READS)
        lab.put("ws-001", "sample_data/HG002_R2.fastq.gz", READS)
        dropped = lab.app().register.drop(a_registration(HERE, pipeline="qc", priority="urgent"))

        assert lab.worksets() == ()
        assert lab.ours("ws-001") == {}
        assert lab.folder("ws-001").sentinels[Sentinel.READY].detail.startswith("registered by ada")
        lab.app().cycle()
        found = lab.get("ws-001")
        assert found.state is State.IN_PROGRESS
        assert (found.name, found.priority) == (dropped.name, dropped.priority)
        assert list(found.manifest.files()) == list(dropped.manifest.files())

    def test_files_that_are_there_already_may_say_the_same(self, lab: Lab) -> None:
        """An alias of the pipeline's name is the same."""
        lab.drop("ws-001")
        lab.put("ws-001", "daylily_work.yaml", b"dy-r: -p help\npipeline: QC\n")
        lab.app().register.drop(a_registration(None))
        assert Sentinel.READY in lab.folder("ws-001").sentinels

    def test_files_that_say_otherwise_are_left_and_told(self, lab: Lab) -> None:
        """Nobody may take what two people have written half of each."""
        lab.drop("ws-001")
        with pytest.raises(ConflictError, match="files that say otherwise"):
            lab.app().register.drop(a_registration(AFAR))
        assert lab.folder("ws-001").sentinels == {}

    def test_it_needs_samples(self, lab: Lab) -> None:
        """There is no table that could know of a workset whose directory says nothing."""
        with pytest.raises(InvalidInputError, match="samples: there are none"):
            lab.app().register.drop(a_registration(None))
        assert lab.folder("ws-001").names == frozenset()

    def test_an_id_is_taken_once(self, lab: Lab) -> None:
        """Whether the store has it or the directory: it stays as it is."""
        lab.app().register(a_registration(), directory=False)
        with pytest.raises(AlreadyExistsError):
            lab.app().register.drop(a_registration())
        assert lab.folder("ws-001").names == frozenset()
        lab.drop("ws-002", Sentinel.ERROR)
        with pytest.raises(AlreadyExistsError):
            lab.app().register.drop(a_registration(None, workset_id="ws-002"))
        assert lab.folder("ws-002").sentinels.keys() == {Sentinel.ERROR}

    def test_of_two_at_once_one_is_told_so(self, lab: Lab) -> None:
        """The other hears that it has been done."""
        other = lab.app().register
        meanwhile = Meanwhile("objects.put", lambda: other.drop(a_registration(name="other")), nth=5)
        with pytest.raises(AlreadyExistsError, match=r"daylily\.ready"):
            lab.app(meanwhile).register.drop(a_registration())

    @pytest.mark.parametrize("hand", ["", "removes", "replaces"])
    def test_of_two_at_once_the_table_is_heeded(self, lab: Lab, hand: str) -> None:
        """Who registers in the table while the directory is written has the id; ours is taken back."""
        other = lab.app().register
        registers = Meanwhile(
            "objects.put", lambda: other(a_registration(name="other"), directory=False), nth=5
        )

        def act() -> None:
            if hand == "removes":
                lab.remove("ws-001", Sentinel.READY)
            elif hand == "replaces":
                lab.put("ws-001", Sentinel.READY, b"by hand")

        with pytest.raises(AlreadyExistsError, match="there is a workset"):
            lab.app(registers, Meanwhile("store.known", act, nth=2)).register.drop(a_registration())
        assert bool(lab.folder("ws-001").sentinels) == (hand == "replaces")

    def test_an_outage_is_told(self, lab: Lab) -> None:
        """Without daylily.ready nobody takes what was written, and it can be done again."""
        with pytest.raises(UnavailableError):
            lab.app(FaultInjector(3, Blow.OUTAGE_BEFORE, on="objects.put")).register.drop(
                a_registration()
            )
        assert lab.folder("ws-001").sentinels == {}
        lab.app().register.drop(a_registration())
        assert lab.folder("ws-001").sentinels.keys() == {Sentinel.READY}
