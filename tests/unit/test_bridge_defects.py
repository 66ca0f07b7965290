"""What the old bridge did, and must not come back (contract 10.1)."""

import pytest
from tests.unit.application.lab import Lab, Unreadable

from daylily.bridge import WorksetIntegration
from daylily.config import Settings
from daylily.domain.errors import UnavailableError
from daylily.domain.lifecycle import State
from daylily.domain.sentinels import Sentinel
from daylily.testing.faults import Blow, FaultInjector

AFAR = {"sample_id": "HG002", "r1_file": "s3://reads/HG002_R1.fastq.gz"}


@pytest.fixture
def lab() -> Lab:
    """A world in memory, which says that it has a bucket."""
    return Lab(settings=Settings(store="memory", engine="memory", bucket="genomes"))


@pytest.fixture
def bridge(lab: Lab) -> WorksetIntegration:
    """A bridge to that world."""
    return WorksetIntegration(app=lab.app())


def test_d09_a_write_is_whole_or_is_owed(lab: Lab) -> None:
    """With the bucket away the workset is registered, not half of it: no caller hears "exists"."""
    away = FaultInjector(1, Blow.OUTAGE_BEFORE, length=999, on="objects.put")
    bridge = WorksetIntegration(app=lab.app(away))
    assert bridge.register_workset("ws-001", metadata={"samples": [AFAR]})
    assert bridge.update_state("ws-001", "complete", "done")
    lab.clock.advance(lab.patience())
    lab.app().cycle()
    lab.check()
    assert lab.folder("ws-001").sentinels.keys() == {Sentinel.COMPLETE}


def test_d09_without_the_table_nothing_is_written(lab: Lab) -> None:
    """A step that the table does not have, the bucket does not show either."""
    away = FaultInjector(1, Blow.OUTAGE_BEFORE, on="store.add")
    bridge = WorksetIntegration(app=lab.app(away))
    with pytest.raises(UnavailableError):
        bridge.register_workset("ws-001", metadata={"samples": [AFAR]})
    assert lab.folder("ws-001").names == frozenset()


def test_d10_a_second_registration_rearms_nothing(lab: Lab, bridge: WorksetIntegration) -> None:
    """Neither file nor sentinel of a workset that is over is touched."""
    bridge.register_workset("ws-001", metadata={"samples": [AFAR]})
    bridge.update_state("ws-001", "complete", "done")
    before = {info.key: info.etag for info in lab.objects.list("").items}
    again = {"samples": [AFAR], "pipeline": "wgs"}
    assert not bridge.register_workset("ws-001", metadata=again)
    assert not bridge.register_workset("ws-001", metadata=again, write_dynamodb=False)
    assert not bridge.register_workset("ws-001", metadata=again, write_s3=False)
    assert {info.key: info.etag for info in lab.objects.list("").items} == before


@pytest.mark.parametrize(
    ("sentinel", "state"),
    [
        (Sentinel.COMPLETE, State.COMPLETE),
        (Sentinel.ERROR, State.ERROR),
        (Sentinel.IN_PROGRESS, State.IN_PROGRESS),
    ],
)
def test_d11_what_a_directory_shows_is_what_it_becomes(
    lab: Lab, bridge: WorksetIntegration, sentinel: Sentinel, state: State
) -> None:
    """A complete one is not ready, and one in progress is not dropped."""
    lab.drop("ws-001", Sentinel.READY, sentinel)
    assert bridge.sync_s3_to_dynamodb("worksets/ws-001/") == "ws-001"
    assert lab.get("ws-001").state is state


def test_d11_what_cannot_be_read_is_not_absent(lab: Lab) -> None:
    """A refusal is told; the workset is not registered as something else."""

    lab.drop("ws-001", Sentinel.READY, Sentinel.COMPLETE)
    with pytest.raises(UnavailableError, match="permission denied"):
        WorksetIntegration(app=lab.app(Unreadable("ws-001"))).sync_s3_to_dynamodb("ws-001")
    assert lab.worksets() == ()


def test_d12_a_forced_sync_leaves_nothing_that_contradicts(
    lab: Lab, bridge: WorksetIntegration
) -> None:
    """A ready workset reads as ready, over whatever a run that failed has left."""
    bridge.register_workset("ws-001", metadata={"samples": [AFAR]})
    for sentinel in (Sentinel.LOCK, Sentinel.IN_PROGRESS, Sentinel.ERROR):
        lab.put("ws-001", sentinel, b"step 3 failed")
    assert bridge.sync_workset_to_s3("ws-001")
    assert lab.get("ws-001").state is State.READY
    assert lab.folder("ws-001").sentinels.keys() == {Sentinel.READY}


def test_d12_what_is_over_is_not_made_ready(lab: Lab, bridge: WorksetIntegration) -> None:
    """A full sync shows what the table says, not ready whatever it says."""
    for workset_id, state in (("ws-001", "complete"), ("ws-002", "error")):
        bridge.register_workset(workset_id, metadata={"samples": [AFAR]})
        bridge.update_state(workset_id, state, "so it is")
        bridge.sync_workset_to_s3(workset_id)
    bridge.sync_all_pending_to_s3()
    assert lab.folder("ws-001").sentinels.keys() == {Sentinel.COMPLETE}
    assert lab.folder("ws-002").sentinels.keys() == {Sentinel.ERROR}


def test_d13_what_was_born_in_the_bucket_can_change(lab: Lab, bridge: WorksetIntegration) -> None:
    """It is in the table from the first sync on, with its history, and goes through its life."""
    lab.drop("ws-001", Sentinel.READY)
    assert bridge.sync_s3_to_dynamodb("ws-001") == "ws-001"
    bridge.update_state("ws-001", "in_progress", "running")
    bridge.update_state("ws-001", "complete", "done")
    assert [step.state for step in lab.get("ws-001").history] == [
        *(State.READY, State.IN_PROGRESS, State.COMPLETE)
    ]


def test_d15_a_huge_error_can_be_tried_again(lab: Lab, bridge: WorksetIntegration) -> None:
    """A traceback of 100 KB is no reason for another process to take our own error for another's."""
    bridge.register_workset("ws-001", metadata={"samples": [AFAR]})
    bridge.update_state("ws-001", "error", "step 3 failed", error_details="E" * 100_000)
    assert lab.folder("ws-001").sentinels[Sentinel.ERROR].ours
    WorksetIntegration(app=lab.app()).update_state("ws-001", "ready", "again")
    assert lab.folder("ws-001").sentinels.keys() == {Sentinel.READY}
    lab.check()
