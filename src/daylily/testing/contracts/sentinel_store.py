"""What every SentinelStore owes."""

from datetime import timedelta
from typing import Protocol

import pytest
from attrs import evolve, frozen

from daylily.domain.clusters import Requirements
from daylily.domain.errors import InvalidInputError, NotFoundError
from daylily.domain.lifecycle import Priority
from daylily.domain.manifest import Manifest
from daylily.domain.sentinels import Sentinel, SentinelBody
from daylily.ports.object_store import ObjectStore
from daylily.ports.paging import every
from daylily.ports.sentinel_store import Folder, SentinelStore
from daylily.testing.racing import RUNNERS, race
from daylily.testing.samples import NOON, a_manifest, a_workset

TEXTS = ("daylily_work.yaml", "daylily_info.yaml", "stage_samples.tsv")
CORE = frozenset({*TEXTS, "sample_data/"})
FASTQ = ("sample_data/NA12878_R1.fastq.gz", "sample_data/NA12878_R2.fastq.gz")
WORK = b"pipeline: germline\nreference_genome: hg38\npriority: urgent\nworkset_name: Blood\n"
SHEET = (
    "RUN_ID\tSAMPLE_ID\tEXPERIMENTID\tSAMPLE_TYPE\tLIB_PREP\tSEQ_VENDOR\tSEQ_PLATFORM\tLANE\tSEQBC_ID"
    "\tPATH_TO_CONCORDANCE_DATA_DIR\tR1_FQ\tR2_FQ\n"
    "R0\tNA12878\tx1\tblood\tnoampwgs\tILMN\tNOVASEQX\t0\tS1\t"
    f"\t{FASTQ[0]}\t{FASTQ[1]}\n"
).encode()


def body(sequence: int = 1, detail: str = "locked by monitor-a") -> SentinelBody:
    """Return a body as we write it."""
    return SentinelBody(NOON, detail, sequence)


class Drawer(Protocol):
    """What people and other systems do to the directories, past the store under test."""

    def drop(self, key: str, content: bytes) -> None:
        """Put a file at a path below the directory of all worksets (``ws-1/daylily.ready``)."""

    def remove(self, key: str) -> None:
        """Remove a file."""

    def peek(self, key: str) -> bytes | None:
        """Return what a file holds; None if it is not there."""


@frozen
class ObjectDrawer:
    """A Drawer for stores whose directories are in an ObjectStore."""

    objects: ObjectStore
    prefix: str = "worksets/"

    def drop(self, key: str, content: bytes) -> None:
        """See Drawer.drop."""
        self.objects.put(f"{self.prefix}{key}", content)

    def remove(self, key: str) -> None:
        """See Drawer.remove."""
        self.objects.delete(f"{self.prefix}{key}")

    def peek(self, key: str) -> bytes | None:
        """See Drawer.peek."""
        try:
            with self.objects.open(f"{self.prefix}{key}") as stream:
                return stream.read()
        except NotFoundError:
            return None


class SequentialSentinelStoreContract:
    """
    The contract as far as one caller can tell.

    For engines whose threads prove nothing, such as moto; of any other it asks too little.
    """

    @pytest.fixture
    def drawer(self) -> Drawer:
        """Return a way to the directories that does not lead through the store."""
        raise NotImplementedError("override the fixture `drawer`")

    @pytest.fixture
    def store(self, drawer: Drawer) -> SentinelStore:
        """Return a store in which there is no directory yet."""
        raise NotImplementedError("override the fixture `store` with one that has no directories")

    # publish

    def test_publish_writes_what_an_engine_needs(self, store: SentinelStore) -> None:
        """The four entries that every engine asks for are there, and no sentinel."""
        store.publish(a_workset())
        assert store.look("ws-1") == Folder(sentinels={}, names=CORE)

    def test_publish_can_be_repeated(self, store: SentinelStore, drawer: Drawer) -> None:
        """A repeat, even of a workset that has moved on, changes no file."""
        store.publish(a_workset())
        first = [drawer.peek(f"ws-1/{name}") for name in TEXTS]
        store.publish(a_workset(name="Renamed since"))
        assert [drawer.peek(f"ws-1/{name}") for name in TEXTS] == first
        assert None not in first

    @pytest.mark.parametrize("name", TEXTS)
    def test_publish_writes_over_nothing(self, store: SentinelStore, drawer: Drawer, name: str) -> None:
        """A file that somebody put there stays as it is; the others are written."""
        drawer.drop(f"ws-1/{name}", b"the customer's own")
        store.publish(a_workset())
        assert drawer.peek(f"ws-1/{name}") == b"the customer's own"
        assert store.look("ws-1").names == CORE

    def test_publish_leaves_sample_data_alone(self, store: SentinelStore, drawer: Drawer) -> None:
        """Where sample files are in place, nothing is put between them."""
        drawer.drop("ws-1/sample_data/a_R1.fastq.gz", b"x")
        store.publish(a_workset())
        assert drawer.peek("ws-1/sample_data/.hold") is None

    def test_what_is_published_reads_back(self, store: SentinelStore, drawer: Drawer) -> None:
        """Another Daylily that finds a published directory reads the same work from it."""
        workset = a_workset(
            priority=Priority.LOW, name="試料 'x'", manifest=a_manifest("NA12878", "NA12891")
        )
        for _, key in workset.manifest.files():
            drawer.drop(f"ws-1/{key}", b"x")
        store.publish(workset)
        dropped = store.read("ws-1")

        assert (dropped.name, dropped.priority) == (workset.name, Priority.LOW)
        assert list(dropped.manifest.files()) == list(workset.manifest.files())
        assert dropped.manifest.pipeline == "germline"
        assert dropped.manifest.reference_genome == "GRCh38"

    # fetch

    def test_files_are_fetched(self, store: SentinelStore, drawer: Drawer) -> None:
        """Each is copied to its place in the order of the manifest, and sealed; what is there stays."""
        sources = [f"worksets/elsewhere/{name}.fastq.gz" for name in ("x", "y")]
        for source in sources:
            drawer.drop(source.removeprefix("worksets/"), source.encode())
        drawer.drop(f"ws-1/{FASTQ[1]}", b"there already")
        seals = []
        for _ in range(2):
            seals.append([*store.fetch(a_workset(), sources)])
            assert drawer.peek(f"ws-1/{FASTQ[0]}") == sources[0].encode()
            assert drawer.peek(f"ws-1/{FASTQ[1]}") == b"there already"
        assert [seal.size for seal in seals[0]] == [len(sources[0]), len(b"there already")]
        assert seals[1] == seals[0]

    def test_missing_files_are_told(self, store: SentinelStore, drawer: Drawer) -> None:
        """All of them, under their places in the manifest; those that are there are copied."""
        drawer.drop("elsewhere/y.fastq.gz", b"reads")
        with pytest.raises(InvalidInputError) as refused:
            store.fetch(a_workset(), [f"worksets/elsewhere/{name}.fastq.gz" for name in ("x", "y")])
        assert [fault.place for fault in refused.value.faults] == ["samples[0].pairs[0].r1"]
        assert drawer.peek(f"ws-1/{FASTQ[1]}") == b"reads"

    # post

    @pytest.mark.parametrize("sentinel", Sentinel)
    def test_a_posted_sentinel_stands(
        self, store: SentinelStore, drawer: Drawer, sentinel: Sentinel
    ) -> None:
        """A sentinel is one object of its name, and reads back as it was posted."""
        assert store.post("ws-1", sentinel, body()) is True
        assert drawer.peek(f"ws-1/{sentinel}") == body().render().encode()
        assert store.look("ws-1") == Folder(sentinels={sentinel: body()}, names=frozenset({sentinel}))

    def test_a_repeated_post_is_still_ours(self, store: SentinelStore) -> None:
        """Whoever created a sentinel is told True again, as often as it asks."""
        assert [store.post("ws-1", Sentinel.LOCK, body()) for _ in range(3)] == [True] * 3

    @pytest.mark.parametrize(
        "theirs", [b"", b"2026-01-14T10:45:09Z", b"Locked by old", b"\xff\xfe", b"x" * 100_000]
    )
    def test_a_foreign_sentinel_is_left_alone(
        self, store: SentinelStore, drawer: Drawer, theirs: bytes
    ) -> None:
        """Where somebody else's stands, a post says False and leaves it untouched; so does withdraw."""
        drawer.drop("ws-1/daylily.lock", theirs)
        assert store.post("ws-1", Sentinel.LOCK, body()) is False
        store.withdraw("ws-1", Sentinel.LOCK, 10**6)
        assert drawer.peek("ws-1/daylily.lock") == theirs

    def test_another_body_of_ours_is_left_alone(self, store: SentinelStore) -> None:
        """Another monitor's sentinel is not ours either."""
        store.post("ws-1", Sentinel.LOCK, body(1, "locked by a"))
        assert store.post("ws-1", Sentinel.LOCK, body(1, "locked by b")) is False
        assert store.look("ws-1").sentinels == {Sentinel.LOCK: body(1, "locked by a")}

    def test_an_earlier_one_of_ours_is_replaced(self, store: SentinelStore) -> None:
        """What a slow payer left of an earlier transition gives way; a later one does not."""
        store.post("ws-1", Sentinel.IGNORE, body(2))
        assert store.post("ws-1", Sentinel.IGNORE, body(4)) is True
        store.withdraw("ws-1", Sentinel.IGNORE, 2)
        assert store.look("ws-1").sentinels == {Sentinel.IGNORE: body(4)}
        assert store.post("ws-1", Sentinel.IGNORE, body(3)) is False
        assert store.look("ws-1").sentinels == {Sentinel.IGNORE: body(4)}

    # withdraw

    @pytest.mark.parametrize(("stands", "upto", "stays"), [(3, 2, True), (3, 3, False), (3, 4, False)])
    def test_only_what_is_not_newer_is_withdrawn(
        self, store: SentinelStore, stands: int, upto: int, stays: bool
    ) -> None:
        """A late withdraw does not remove what a later transition posted."""
        store.post("ws-1", Sentinel.READY, body(stands))
        store.post("ws-1", Sentinel.LOCK, body(stands))
        store.withdraw("ws-1", Sentinel.LOCK, upto)
        assert (Sentinel.LOCK in store.look("ws-1").sentinels) is stays
        assert Sentinel.READY in store.look("ws-1").sentinels

    def test_withdraw_can_be_repeated(self, store: SentinelStore) -> None:
        """Withdrawing what is not there, even from a directory that is not there, does nothing."""
        store.withdraw("ws-1", Sentinel.LOCK, 5)
        store.post("ws-1", Sentinel.LOCK, body())
        store.withdraw("ws-1", Sentinel.LOCK, 5)
        store.withdraw("ws-1", Sentinel.LOCK, 5)
        assert store.look("ws-1").names == frozenset()
        assert store.post("ws-1", Sentinel.LOCK, body(2)) is True

    def test_what_another_wrote_over_ours_is_left_alone(
        self, store: SentinelStore, drawer: Drawer
    ) -> None:
        """Old monitors write over locks: then it is theirs; the others are withdrawn all the same."""
        for sentinel in (Sentinel.READY, Sentinel.LOCK, Sentinel.IN_PROGRESS):
            assert store.post("ws-1", sentinel, body()) is True
        drawer.drop("ws-1/daylily.lock", b"2026-01-14T10:45:09Z")
        store.withdraw_all("ws-1", dict.fromkeys(Sentinel, 5))
        assert store.look("ws-1").sentinels == {
            Sentinel.LOCK: SentinelBody.parse("2026-01-14T10:45:09Z")
        }

    def test_several_are_withdrawn_as_one_is(self, store: SentinelStore) -> None:
        """Those of later transitions stay."""
        store.post("ws-1", Sentinel.READY, body(1))
        store.post("ws-1", Sentinel.LOCK, body(2))
        store.post("ws-1", Sentinel.IN_PROGRESS, body(3))
        store.withdraw_all("ws-1", {Sentinel.READY: 2, Sentinel.LOCK: 2, Sentinel.IN_PROGRESS: 2})
        assert store.look("ws-1").sentinels == {Sentinel.IN_PROGRESS: body(3)}
        store.withdraw_all("ws-1", {})
        assert store.look("ws-1").sentinels == {Sentinel.IN_PROGRESS: body(3)}

    # look

    def test_an_absent_directory_is_empty(self, store: SentinelStore) -> None:
        """Looking at what is not there is no error, and makes nothing."""
        assert store.look("ws-1") == Folder(sentinels={}, names=frozenset())
        assert list(every(lambda cursor: store.directories(cursor=cursor))) == []

    def test_only_direct_entries_count(self, store: SentinelStore, drawer: Drawer) -> None:
        """A sentinel deeper down, or of a name that only resembles one, is nobody's."""
        drawer.drop("ws-1/results/daylily.complete", b"x")
        drawer.drop("ws-1/daylily.error.bak", b"x")
        drawer.drop("ws-1/notes.txt", b"x")
        drawer.drop("ws-10/daylily.ignore", b"x")
        assert store.look("ws-1") == Folder(
            sentinels={}, names=frozenset({"results/", "daylily.error.bak", "notes.txt"})
        )

    def test_every_body_found_in_the_field_is_present(
        self, store: SentinelStore, drawer: Drawer
    ) -> None:
        """Empty, undecodable, long and time-less bodies are present, and their words readable."""
        drawer.drop("ws-1/daylily.ready", b"")
        drawer.drop("ws-1/daylily.lock", b"2026-01-14T10:45:09.123456Z")
        drawer.drop("ws-1/daylily.error", b"no disk \xff left\r\n")
        drawer.drop("ws-1/daylily.ignore", b"y" * 1_000_000)
        sentinels = store.look("ws-1").sentinels

        assert set(sentinels) == {Sentinel.READY, Sentinel.LOCK, Sentinel.ERROR, Sentinel.IGNORE}
        assert sentinels[Sentinel.READY] == SentinelBody(None)
        assert sentinels[Sentinel.LOCK].at is not None
        assert sentinels[Sentinel.ERROR].detail == "no disk \N{REPLACEMENT CHARACTER} left"
        assert not any(found.ours for found in sentinels.values())

    def test_foreign_sentinels_are_told_from_ours(self, store: SentinelStore, drawer: Drawer) -> None:
        """What others put there is foreign, and what we posted is not."""
        store.post("ws-1", Sentinel.READY, body(1))
        drawer.drop("ws-1/daylily.complete", b"2026-01-14T10:45:09Z")
        assert store.look("ws-1").foreign(1) == {Sentinel.COMPLETE}

    def test_how_old_a_foreign_lock_is(self, store: SentinelStore, drawer: Drawer) -> None:
        """Whatever it says of itself, the store knows since when it stands there; ours need no such."""
        drawer.drop("ws-1/daylily.lock", b"1999-12-31T23:59:59Z")
        drawer.drop("ws-2/daylily.lock", b"Locked by somebody")
        store.post("ws-3", Sentinel.LOCK, body(1))
        drawer.drop("ws-4/daylily.ready", b"")

        first, second = (store.look(each).locked_at for each in ("ws-1", "ws-2"))
        assert first is not None
        assert second is not None
        assert abs(second - first) < timedelta(minutes=5)
        assert store.look("ws-3").locked_at is store.look("ws-4").locked_at is None

    # directories and changed

    def test_directories_are_listed_once(self, store: SentinelStore, drawer: Drawer) -> None:
        """Every directory is listed once, in order, whether it is a workset or not; files are not."""
        for n in range(25):
            drawer.drop(f"ws-{n:02}/daylily.ready", b"")
        drawer.drop("just-files/deep/down.txt", b"")
        drawer.drop("a-file.txt", b"")
        found = list(every(lambda cursor: store.directories(cursor=cursor)))
        assert found == ["just-files", *(f"ws-{n:02}" for n in range(25))]

    def test_since_when_a_directory_is_ready(self, store: SentinelStore, drawer: Drawer) -> None:
        """Of any name that is listed, by the store's clock, whatever the sentinel says."""
        for name in ("ws-1", "..x", "a b"):
            drawer.drop(f"{name}/daylily.ready", b"1999-12-31T23:59:59Z")
        drawer.drop("unready/results/daylily.ready", b"")
        listed = list(every(lambda cursor: store.directories(cursor=cursor)))
        assert sorted(listed) == ["..x", "a b", "unready", "ws-1"]
        since = {name: store.ready_since(name) for name in listed}
        assert since.pop("unready") is store.ready_since("absent") is None
        assert all(at is not None and at.year > 1999 for at in since.values())

    def test_all_directories_are_shown(self, store: SentinelStore, drawer: Drawer) -> None:
        """Each directory comes once, with its sentinels, and whether all files of ours are there."""
        for n in range(25):
            drawer.drop(f"ws-{n:02}/daylily.ready", b"")
        store.publish(a_workset("ws-07"))
        store.post("ws-07", Sentinel.LOCK, body())
        drawer.drop("ws-07/results/attempt-1/daylily.complete", b"too deep to count")
        drawer.drop("ws-08/daylily.error/odd", b"a folder of a sentinel's name")
        drawer.drop("no-sentinel/notes.txt", b"")
        drawer.drop("a-file.txt", b"")
        drawer.drop("x/no-id.txt", b"")

        found = list(every(lambda cursor: store.shown(cursor=cursor)))

        by_id = {each.workset_id: each for each in found}
        assert len(by_id) == len(found)
        assert by_id.pop("no-sentinel").sentinels == frozenset()
        assert sorted(by_id) == [f"ws-{n:02}" for n in range(25)]
        seventh = by_id.pop("ws-07")
        assert seventh.sentinels == {Sentinel.READY, Sentinel.LOCK}
        assert seventh.whole
        assert all(each.sentinels == {Sentinel.READY} and not each.whole for each in by_id.values())

    def test_no_garbage_is_a_cursor_of_what_is_shown(self, store: SentinelStore) -> None:
        """A cursor of another listing is refused."""
        with pytest.raises(InvalidInputError):
            store.shown(cursor="W10")

    def test_a_new_directory_is_never_missed(self, store: SentinelStore, drawer: Drawer) -> None:
        """After a directory has come, the mark of before is answered with a new one."""
        mark = store.changed(None)
        assert mark is not None
        for n in range(50):
            drawer.drop(f"ws-{n:02}/daylily.ready", b"")
            new = store.changed(mark)
            assert new is not None
            mark = new

    # read

    def drop_sound(self, drawer: Drawer, **replaced: bytes | None) -> None:
        """Drop a sound workset ``ws-1``; *replaced* files have other content, or are left out."""
        sound: dict[str, bytes | None] = {"work": WORK, "sheet": SHEET, "r1": b"x", "r2": b"x"}
        paths = {"work": "daylily_work.yaml", "sheet": "stage_samples.tsv"}
        paths |= {"r1": FASTQ[0], "r2": FASTQ[1]}
        for name, content in (sound | replaced).items():
            if content is not None:
                drawer.drop(f"ws-1/{paths[name]}", content)

    def faults(self, store: SentinelStore) -> list[str]:
        """Return the places of all that is wrong with ``ws-1``."""
        with pytest.raises(InvalidInputError) as refused:
            store.read("ws-1")
        return [fault.place for fault in refused.value.faults]

    def test_a_sound_directory_is_read(self, store: SentinelStore, drawer: Drawer) -> None:
        """The sheet tells the samples, the YAML file what is to be done with them."""
        self.drop_sound(drawer)
        dropped = store.read("ws-1")
        (sample,) = dropped.manifest.samples
        assert (sample.sample_id, sample.run_id, sample.experiment_id) == ("NA12878", "R0", "x1")
        assert [key for _, key in dropped.manifest.files()] == list(FASTQ)
        assert (dropped.manifest.pipeline, dropped.manifest.reference_genome) == ("germline", "GRCh38")
        assert (dropped.name, dropped.priority) == ("Blood", Priority.URGENT)

    def test_samples_of_the_yaml_file_will_do(self, store: SentinelStore, drawer: Drawer) -> None:
        """Without a sheet, the samples that the YAML file lists are taken."""
        listed = f"samples: [{{sample_id: NA12878, fastq_r1: {FASTQ[0]}, fastq_r2: {FASTQ[1]}}}]\n"
        self.drop_sound(drawer, sheet=None, work=WORK + listed.encode())
        assert [key for _, key in store.read("ws-1").manifest.files()] == list(FASTQ)

    def test_what_is_missing_is_told(self, store: SentinelStore, drawer: Drawer) -> None:
        """Each missing file is a fault under its name."""
        assert self.faults(store) == ["daylily_work.yaml"]
        self.drop_sound(drawer, sheet=None, r1=None, r2=None)
        assert self.faults(store) == ["stage_samples.tsv"]
        drawer.drop("ws-1/stage_samples.tsv", SHEET)
        assert self.faults(store) == list(FASTQ)
        drawer.drop(f"ws-1/{FASTQ[1]}", b"x")
        assert self.faults(store) == [FASTQ[0]]

    def test_all_faults_are_told_at_once(self, store: SentinelStore, drawer: Drawer) -> None:
        """Both files' faults come together, each with its file and its place there."""
        self.drop_sound(
            drawer,
            work=b"reference_genome: hg99\npriority: whenever\n",
            sheet=SHEET.replace(b"ILMN", b"ACME").replace(b"NA12878\t", b"../x\t"),
        )
        places = self.faults(store)
        assert any(place.startswith("daylily_work.yaml, reference_genome") for place in places)
        assert any(place.startswith("daylily_work.yaml, priority") for place in places)
        assert sum(place.startswith("stage_samples.tsv, row 2") for place in places) >= 2

    @pytest.mark.parametrize("name", ["work", "sheet"])
    @pytest.mark.parametrize(
        "junk",
        [b"", b"\0\xff" * 50, b"x" * (11 << 20), b"- [", b"a: &x [*x]"],
        ids=lambda junk: junk[:5],
    )
    def test_junk_is_refused(
        self, store: SentinelStore, drawer: Drawer, name: str, junk: bytes
    ) -> None:
        """Files that are empty, binary, endless or broken are faults, never a crash."""
        self.drop_sound(drawer, **{name: junk})
        assert self.faults(store)

    def test_a_damaged_directory_hides_no_other(self, store: SentinelStore, drawer: Drawer) -> None:
        """What one directory holds is no concern of calls about another."""
        self.drop_sound(drawer)
        drawer.drop("ws-0/daylily_work.yaml", b"\xff")
        drawer.drop("ws-0/daylily.ready/oddly", b"a folder of a sentinel's name")
        with pytest.raises(InvalidInputError):
            store.read("ws-0")
        assert store.look("ws-0").sentinels == {}
        assert store.read("ws-1").name == "Blood"

    # recorded

    def test_what_is_published_is_recorded(self, store: SentinelStore) -> None:
        """All that the files carry reads back, though no FASTQ file is there any more."""
        workset = a_workset("ws-1", at=NOON, notification_email="ada@example.org", max_retries=7)
        needs = Requirements(
            cluster="east", availability_zone="us-west-2a", time_limit=timedelta(minutes=90)
        )
        workset = evolve(
            workset, priority=Priority.LOW, submitted_by="Ada Lovelace", requirements=needs
        )
        store.publish(workset)

        recorded = store.recorded("ws-1")

        assert [sample.sample_id for sample in recorded.manifest.samples] == ["NA12878"]
        assert list(recorded.manifest.files()) == list(workset.manifest.files())
        assert (recorded.manifest.pipeline, recorded.name) == (workset.manifest.pipeline, workset.name)
        assert (recorded.priority, recorded.max_retries) == (Priority.LOW, 7)
        assert recorded.notification_email == "ada@example.org"
        assert recorded.requirements == needs
        assert (recorded.customer_id, recorded.submitted_by) == ("acme", "Ada Lovelace")
        assert recorded.created_at == NOON

    def test_a_workset_without_samples_is_recorded(self, store: SentinelStore) -> None:
        """One that was registered without samples has none, and that is no fault."""
        store.publish(a_workset("ws-1", manifest=Manifest(samples=(), pipeline="germline")))
        assert store.recorded("ws-1").manifest.samples == ()

    @pytest.mark.parametrize(
        "info", [None, b"", b"\xff", b"- [", b"customer_id: [a]\ncreated_at: soon\n"]
    )
    def test_what_the_files_do_not_say(
        self, store: SentinelStore, drawer: Drawer, info: bytes | None
    ) -> None:
        """The file for people may be missing or broken: what it alone says is then not known."""
        self.drop_sound(drawer)
        if info is not None:
            drawer.drop("ws-1/daylily_info.yaml", info)
        recorded = store.recorded("ws-1")
        assert (recorded.name, recorded.max_retries) == ("Blood", 3)
        assert (recorded.customer_id, recorded.submitted_by, recorded.created_at) == (None, None, None)

    @pytest.mark.parametrize(
        ("replaced", "place"),
        [
            ({"work": None}, "daylily_work.yaml"),
            ({"sheet": None}, "stage_samples.tsv"),
            ({"work": b"priority: urgent\n"}, "daylily_work.yaml, pipeline"),
        ],
        ids=["no-work", "no-sheet", "no-pipeline"],
    )
    def test_what_cannot_be_read_back(
        self, store: SentinelStore, drawer: Drawer, replaced: dict[str, bytes | None], place: str
    ) -> None:
        """What is needed to run it again must be there, and sound."""
        self.drop_sound(drawer, **replaced)
        with pytest.raises(InvalidInputError) as refused:
            store.recorded("ws-1")
        assert [fault.place for fault in refused.value.faults] == [place]

    @pytest.mark.parametrize("workset_id", ["", "..", "../ws-1", "ws/1", "a", "ws-1\n", "x" * 65])
    def test_only_ids_name_directories(self, store: SentinelStore, workset_id: str) -> None:
        """A name that could lead elsewhere is refused by every call."""
        workset = evolve(a_workset(), workset_id=workset_id)
        for call in (
            lambda: store.look(workset_id),
            lambda: store.read(workset_id),
            lambda: store.recorded(workset_id),
            lambda: store.post(workset_id, Sentinel.READY, body()),
            lambda: store.withdraw(workset_id, Sentinel.READY, 1),
            lambda: store.publish(workset),
        ):
            with pytest.raises(InvalidInputError):
                call()

    def test_times_are_kept_to_the_second(self, store: SentinelStore) -> None:
        """A body is one line of whole seconds: what is finer is lost, and a repeat still ours."""
        fine = SentinelBody(NOON + timedelta(microseconds=7), "two\nlines", 4)
        assert store.post("ws-1", Sentinel.ERROR, fine)
        assert store.post("ws-1", Sentinel.ERROR, fine)
        assert store.look("ws-1").sentinels == {Sentinel.ERROR: SentinelBody(NOON, "two lines", 4)}


class SentinelStoreContract(SequentialSentinelStoreContract):
    """Subclass it and give the fixtures ``store`` and ``drawer``, which see the same directories."""

    def test_one_of_many_posts_wins(self, store: SentinelStore) -> None:
        """Of 32 threads with different bodies one is told True, and its body stands."""
        bodies = [body(1, f"locked by {runner}") for runner in range(RUNNERS)]
        outcomes = race(lambda runner: store.post("ws-1", Sentinel.LOCK, bodies[runner]))
        assert sorted(map(bool, outcomes)) == [False] * (RUNNERS - 1) + [True]
        assert store.look("ws-1").sentinels == {Sentinel.LOCK: bodies[outcomes.index(True)]}
