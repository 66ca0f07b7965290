"""The guide's names: what the old signatures give is read, and what they promise is returned."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve
from tests.unit.application.lab import READS, Lab

from daylily.bridge import WorksetIntegration, WorksetStateDB, settings_for
from daylily.config import ConfigError, Settings
from daylily.domain.errors import IllegalTransitionError, InvalidInputError, NotFoundError
from daylily.domain.lifecycle import Priority, State
from daylily.domain.sentinels import Sentinel

AFAR: dict[str, Any] = {
    "sample_id": "HG002",
    "r1_file": "s3://reads/HG002_R1.fastq.gz",
    "r2_file": "s3://reads/HG002_R2.fastq.gz",
}


@pytest.fixture
def lab() -> Lab:
    """A world in memory, which says that it has a bucket."""
    return Lab(settings=Settings(store="memory", engine="memory", bucket="genomes"))


@pytest.fixture
def bridge(lab: Lab) -> WorksetIntegration:
    """A bridge to that world."""
    return WorksetIntegration(app=lab.app())


def places(caught: pytest.ExceptionInfo[InvalidInputError]) -> set[str]:
    """Return where the faults stand."""
    return {fault.place for fault in caught.value.faults}


class TestRegister:
    """What is said of a workset."""

    def test_all_that_can_be_said(self, lab: Lab, bridge: WorksetIntegration) -> None:
        """Each under the name that some version had for it."""
        assert bridge.register_workset(
            "ws-001",
            "genomes",
            "worksets/ws-001/",
            "urgent",
            {
                "workset_name": "Trio of May",
                "pipeline_type": "rna-seq",
                "reference_genome": "hg19",
                "notification_email": "ada@example.org",
                "max_retries": 1,
                "submitted_by": "ada@example.org",
                "customer_id": "acme",
                "samples": [AFAR, {"id": "007", "fq1": "s3://reads/007_R1.fastq.gz"}],
            },
        )
        workset = lab.get("ws-001")
        assert (workset.name, workset.priority) == ("Trio of May", Priority.URGENT)
        assert (workset.customer_id, workset.submitted_by) == ("acme", "ada@example.org")
        assert (workset.notification_email, workset.max_retries) == ("ada@example.org", 1)
        assert (workset.manifest.pipeline, workset.manifest.reference_genome) == ("rnaseq", "GRCh37")
        assert [sample.sample_id for sample in workset.manifest.samples] == ["HG002", "007"]

    def test_little_need_be_said(self, lab: Lab, bridge: WorksetIntegration) -> None:
        """The customer is that of the settings, the retries too; the user is the one who runs this."""
        assert bridge.register_workset("ws-001")
        workset = lab.get("ws-001")
        assert (workset.name, workset.customer_id) == ("ws-001", lab.settings.customer)
        assert workset.max_retries == lab.settings.max_retries
        assert workset.submitted_by

    def test_who_submits_may_be_the_customer(self, lab: Lab, bridge: WorksetIntegration) -> None:
        """So rows are read that name none (contract 3.2)."""
        bridge.register_workset("ws-001", metadata={"submitted_by": "acme"})
        assert lab.get("ws-001").customer_id == "acme"

    @pytest.mark.parametrize("samples", [[...], ..., [], None, ()])
    def test_an_ellipsis_stands_for_the_samples_of_the_directory(
        self, lab: Lab, bridge: WorksetIntegration, samples: object
    ) -> None:
        """As does saying nothing: what the directory lists counts."""
        lab.drop("ws-001")
        assert bridge.register_workset("ws-001", metadata={"samples": samples})
        assert [sample.sample_id for sample in lab.get("ws-001").manifest.samples] == ["HG002"]

    def test_an_ellipsis_stands_for_nothing_else(self, lab: Lab, bridge: WorksetIntegration) -> None:
        """It is no value, and half a list of samples is none either."""
        for metadata in (
            {"samples": [AFAR, ...]},
            {"samples": "HG002"},
            {"reference_genome": ...},
            {"samples": [{"sample_id": ..., "r1": "s3://reads/a_R1.fastq"}]},
        ):
            with pytest.raises(InvalidInputError):
                bridge.register_workset("ws-001", metadata=metadata)
        assert lab.worksets() == ()

    def test_all_faults_of_samples_at_once(self, bridge: WorksetIntegration) -> None:
        """At their key paths, as in the file that they are written to."""
        with pytest.raises(InvalidInputError) as caught:
            bridge.register_workset(
                "ws-001",
                metadata={
                    "reference_genome": "hg99",
                    "samples": [{"sample_id": "a b", "r1": "reads.txt"}, {"r1": "b_R1.fastq"}],
                },
            )
        assert places(caught) >= {"reference_genome", "samples[1].sample_id"}

    def test_an_unknown_priority_is_no_normal_one(self, bridge: WorksetIntegration) -> None:
        """The old version took whatever it did not know for normal."""
        with pytest.raises(InvalidInputError, match="priority"):
            bridge.register_workset("ws-001", priority="asap")

    def test_what_is_not_kept_is_told(
        self, bridge: WorksetIntegration, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Rather than dropped without a word."""
        bridge.register_workset("ws-001", metadata={"mood": "fine"})
        assert "not kept of metadata: mood" in caplog.text

    def test_the_second_of_an_id_is_told_false(
        self, lab: Lab, bridge: WorksetIntegration, caplog: pytest.LogCaptureFixture
    ) -> None:
        """As of old; and why is logged."""
        assert bridge.register_workset("ws-001")
        first = lab.get("ws-001")
        assert not bridge.register_workset("ws-001", priority="urgent")
        assert lab.get("ws-001") == first
        assert "ws-001 is not registered again" in caplog.text

    def test_only_its_own_bucket_and_directory(self, lab: Lab, bridge: WorksetIntegration) -> None:
        """What lies elsewhere, no monitor of these settings would find."""
        where = ("another", "worksets/ws-002/")
        calls: tuple[Callable[[], bool], ...] = (
            lambda: bridge.register_workset("ws-001", *where),
            lambda: bridge.update_state("ws-001", "complete", "so", *where),
            lambda: bridge.acquire_lock("ws-001", "worker-1", *where),
            lambda: bridge.release_lock("ws-001", "worker-1", *where),
        )
        for call in calls:
            with pytest.raises(InvalidInputError) as caught:
                call()
            assert places(caught) == {"bucket", "prefix"}
        assert lab.worksets() == ()
        assert bridge.register_workset("ws-001", "genomes", "/worksets/ws-001")

    def test_the_directory_can_be_left_to_the_next_monitor(
        self, lab: Lab, bridge: WorksetIntegration
    ) -> None:
        """``write_s3=False`` is a debt like any other."""
        assert bridge.register_workset("ws-001", metadata={"samples": [AFAR]}, write_s3=False)
        assert lab.folder("ws-001").names == frozenset()
        lab.clock.advance(lab.patience())
        lab.app().cycle()
        lab.check()

    def test_the_table_can_be_left_to_the_next_monitor(
        self, lab: Lab, bridge: WorksetIntegration
    ) -> None:
        """``write_dynamodb=False`` drops a directory, which whoever finds it imports."""
        lab.put("ws-001", "HG002_R1.fastq.gz", READS)
        metadata = {"samples": [{"sample_id": "HG002", "r1": "HG002_R1.fastq.gz"}], "pipeline": "qc"}
        assert bridge.register_workset("ws-001", metadata=metadata, write_dynamodb=False)
        assert lab.worksets() == ()
        assert not bridge.register_workset("ws-001", metadata=metadata, write_dynamodb=False)
        lab.app().cycle()
        assert lab.get("ws-001").state is State.IN_PROGRESS

    def test_one_of_both_has_to_be_written(self, bridge: WorksetIntegration) -> None:
        """Nothing would be registered anywhere."""
        with pytest.raises(InvalidInputError, match="nothing to do"):
            bridge.register_workset("ws-001", write_s3=False, write_dynamodb=False)


class TestLife:
    """Locks and states."""

    def test_a_worker_of_old(self, lab: Lab, bridge: WorksetIntegration) -> None:
        """It locks, runs and completes, in the words that it always used."""
        bridge.register_workset("ws-001", metadata={"samples": [AFAR]})
        assert bridge.acquire_lock("ws-001", "worker-1")
        assert not bridge.acquire_lock("ws-001", "worker-2")
        assert not bridge.release_lock("ws-001", "worker-2")
        assert bridge.update_state(
            "ws-001", "in-progress", "running", cluster_name="c7", owner_id="worker-1"
        )
        assert lab.get("ws-001").history[-1].reason == "running (cluster c7)"
        assert bridge.update_state("ws-001", "complete", "done", metrics={"seconds": 9})
        assert lab.get("ws-001").state is State.COMPLETE
        lab.check()

    def test_a_lock_lasts_as_long_as_was_said(self, lab: Lab) -> None:
        """An hour, unless the table's name came with another time."""
        for state_db, seconds in ((None, 3600), (WorksetStateDB("t", lock_timeout_seconds=60), 60)):
            bridge = WorksetIntegration(state_db, app=lab.app())
            bridge.register_workset(f"ws-{seconds}")
            bridge.acquire_lock(f"ws-{seconds}", "worker-1")
            lock = lab.get(f"ws-{seconds}").lock
            assert lock is not None
            assert (lock.expires_at - lock.acquired_at).total_seconds() == seconds

    def test_a_lock_given_back(self, lab: Lab, bridge: WorksetIntegration) -> None:
        """The workset is ready again."""
        bridge.register_workset("ws-001")
        bridge.acquire_lock("ws-001", "worker-1")
        assert bridge.release_lock("ws-001", "worker-1")
        assert lab.get("ws-001").state is State.READY

    def test_an_error_with_its_details(self, lab: Lab, bridge: WorksetIntegration) -> None:
        """They are in the history, and in what people are told."""
        bridge.register_workset("ws-001")
        bridge.update_state("ws-001", "error", "step 3 failed", error_details="disk full")
        failure = lab.get("ws-001").failure
        assert failure is not None
        assert failure.message == "step 3 failed: disk full"

    def test_what_cannot_be_raises(self, bridge: WorksetIntegration) -> None:
        """Rather than answer False to somebody who does not look."""
        bridge.register_workset("ws-001")
        bridge.update_state("ws-001", "complete", "done")
        with pytest.raises(IllegalTransitionError):
            bridge.update_state("ws-001", "in_progress", "again")
        with pytest.raises(IllegalTransitionError):
            bridge.acquire_lock("ws-001", "worker-1")
        with pytest.raises(NotFoundError):
            bridge.update_state("ws-002", "complete", "done")
        with pytest.raises(InvalidInputError, match="'done' is not one of ready, "):
            bridge.update_state("ws-001", "done", "done")
        with pytest.raises(InvalidInputError, match="write_dynamodb"):
            bridge.update_state("ws-001", "archived", "old", write_dynamodb=False)

    def test_the_directory_can_be_left(self, lab: Lab, bridge: WorksetIntegration) -> None:
        """``write_s3=False`` shows nothing yet."""
        bridge.register_workset("ws-001")
        bridge.update_state("ws-001", "ignore", "wrong samples", write_s3=False)
        assert lab.ours("ws-001").keys() == {Sentinel.READY}
        assert bridge.sync_dynamodb_to_s3("ws-001")
        lab.check()


class TestReady:
    """What waits."""

    def test_both_sources_in_one_order(self, lab: Lab, bridge: WorksetIntegration) -> None:
        """Urgent first, oldest first, whether the table has it or a directory was dropped."""
        bridge.register_workset("ws-low", priority="low")
        lab.drop("ws-dropped", Sentinel.READY)
        lab.clock.advance(lab.patience())
        bridge.register_workset("ws-urgent", priority="urgent")
        ready = bridge.get_ready_worksets()
        assert [row["workset_id"] for row in ready] == ["ws-urgent", "ws-dropped", "ws-low"]
        assert [row["workset_id"] for row in bridge.get_ready_worksets(limit=1)] == ["ws-urgent"]
        assert bridge.get_ready_worksets(limit=0) == []

    def test_as_rows_have_them(self, bridge: WorksetIntegration) -> None:
        """Under the names of contract 3.2."""
        bridge.register_workset("ws-001", metadata={"samples": [AFAR], "workset_name": "Trio"})
        (row,) = bridge.get_ready_worksets()
        assert (row["state"], row["priority"]) == ("ready", "normal")
        assert (row["bucket"], row["prefix"]) == ("genomes", "worksets/ws-001/")
        assert row["metadata"]["workset_name"] == "Trio"
        assert row["metadata"]["samples"][0]["r1_file"] == AFAR["r1_file"]
        assert row["state_history"][0]["reason"] == "Initial registration"

    def test_what_cannot_be_taken_is_told(
        self, lab: Lab, bridge: WorksetIntegration, caplog: pytest.LogCaptureFixture
    ) -> None:
        """And hides nothing else (D-21)."""
        lab.put("ws-damaged", Sentinel.READY, b"\xff\xfe")
        bridge.register_workset("ws-001")
        with caplog.at_level(logging.WARNING):
            assert len(bridge.get_ready_worksets()) == 1
        assert "ws-damaged cannot be taken" in caplog.text


class TestSync:
    """Both ways."""

    def test_by_force_and_in_the_mass(self, lab: Lab, bridge: WorksetIntegration) -> None:
        """Told whether there was anything to do."""
        for workset_id in ("ws-001", "ws-002"):
            bridge.register_workset(workset_id)
            lab.remove(workset_id, Sentinel.READY)
        assert bridge.sync_workset_to_s3("ws-001")
        lab.check("ws-001")
        assert bridge.sync_all_pending_to_s3() == 2
        lab.check()

    def test_what_is_not_there_is_told_false(self, bridge: WorksetIntegration) -> None:
        """As of old; an outage is something else, and raises."""
        assert not bridge.sync_workset_to_s3("ws-001")

    def test_from_a_directory(self, lab: Lab, bridge: WorksetIntegration) -> None:
        """Named by its prefix or by its id alone; the id is returned."""
        lab.drop("ws-001", Sentinel.READY, Sentinel.COMPLETE)
        assert bridge.sync_s3_to_dynamodb("worksets/ws-001/") == "ws-001"
        assert lab.get("ws-001").state is State.COMPLETE
        assert bridge.sync_s3_to_dynamodb("ws-001") == "ws-001"
        assert bridge.sync_s3_to_dynamodb("ws-002") is None
        for strange in ("elsewhere/ws-001/", "worksets/../ws-001/"):
            with pytest.raises(InvalidInputError, match="prefix"):
                bridge.sync_s3_to_dynamodb(strange)


class TestSettings:
    """What the constructors stand for."""

    def test_all_that_is_given(self) -> None:
        """Goes before the environment; the prefix gets its one slash."""
        found = settings_for(WorksetStateDB("worksets-7", "eu-west-1"), "genomes", "/a/b", None)
        assert (found.store, found.table, found.region) == ("aws", "worksets-7", "eu-west-1")
        assert (found.bucket, found.prefix) == ("genomes", "a/b/")

    def test_without_a_table(self) -> None:
        """All is kept in the bucket."""
        found = settings_for(None, "genomes", None, "eu-west-1")
        assert (found.table, found.region, found.prefix) == ("none", "eu-west-1", "worksets/")

    def test_an_ellipsis_takes_all_from_the_settings(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Those of the environment, under the guide's names."""
        for name, value in (
            *(("S3_BUCKET", "genomes"), ("S3_PREFIX", "a/"), ("WORKSET_TABLE_NAME", "worksets-7")),
            ("AWS_REGION", "eu-west-1"),
        ):
            monkeypatch.setenv(name, value)
        found = settings_for(..., None, None, None)
        assert (found.store, found.table, found.region) == ("aws", "worksets-7", "eu-west-1")
        assert (found.bucket, found.prefix) == ("genomes", "a/")

    def test_what_is_missing_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """There are no worksets without a bucket."""
        monkeypatch.delenv("S3_BUCKET", raising=False)
        with pytest.raises(ConfigError, match="S3_BUCKET"):
            WorksetIntegration(WorksetStateDB("daylily-worksets"))

    def test_it_can_be_closed(self, lab: Lab) -> None:
        """That closes what it holds open, once."""
        closed: list[str] = []
        app = lab.app()
        world = evolve(app.world, close=lambda: closed.append("world"))
        WorksetIntegration(app=evolve(app, world=world)).close()
        assert closed == ["world"]
