"""What the old monitor and its store did, and must not come back (contract 10.1 and 10.2)."""

from datetime import timedelta

import pytest
from attrs import evolve
from tests.unit.application.lab import ADA, SHEET, Lab, Meanwhile

from daylily.bridge import WorksetIntegration
from daylily.config import Settings
from daylily.domain.customers import Principal
from daylily.domain.lifecycle import Priority, State
from daylily.domain.sentinels import Sentinel
from daylily.domain.workset import Progress
from daylily.testing.faults import Blow, FaultInjector, Killed
from daylily.testing.samples import NOON

THEIRS = b"2025-06-02T11:59:00Z\tother-monitor"


@pytest.fixture
def lab() -> Lab:
    """A world in memory, which says that it has a bucket."""
    return Lab(settings=Settings(store="memory", engine="memory", bucket="genomes"))


def test_d_05_retries_are_counted_to_the_end(lab: Lab) -> None:
    """D-05: the second failure counts like the first, and the last one is the last."""
    workset_id = lab.submit(max_retries=3).workset_id
    app = lab.app()
    for attempt in range(1, 5):
        lab.clock.advance(timedelta(hours=2))
        app.cycle()
        app.cycle()
        lab.compute.end(f"{workset_id}/{attempt}", exit_code=75)
        app.cycle()
        assert lab.get(workset_id).retries_used == min(attempt, 3)
    assert lab.get(workset_id).state is State.FAILED


@pytest.mark.parametrize("call", ["store.save", "objects.put"])
def test_d_06_of_two_monitors_that_saw_it_ready_one_runs_it(lab: Lab, call: str) -> None:
    """D-06: the other comes between any two lines; the loser leaves the winner's sentinels alone."""
    workset_id = lab.submit().workset_id
    other = lab.app()
    lab.app(Meanwhile(call, other.cycle)).cycle()
    assert lab.started() == [f"{workset_id}/1"]
    lab.clock.advance(lab.patience())
    lab.app().cycle()
    assert lab.started() == [f"{workset_id}/1"]
    assert lab.get(workset_id).state is State.IN_PROGRESS
    lab.check()


def test_d_06_a_lock_of_others_stays_as_it_is(lab: Lab) -> None:
    """D-06: an existing lock is neither passed over, nor overwritten, nor removed."""
    lab.drop("ws-001", Sentinel.READY)
    lab.put("ws-001", Sentinel.LOCK, THEIRS)
    lab.app().cycle()
    assert lab.started() == []
    with lab.objects.open(f"worksets/ws-001/{Sentinel.LOCK}") as stream:
        assert stream.read() == THEIRS


def test_d_07_a_failed_run_can_be_tried_again(lab: Lab) -> None:
    """D-07: an old monitor's failed run leaves in_progress beside error; that keeps nobody away."""
    lab.drop("ws-001", Sentinel.READY)
    for sentinel in (Sentinel.IN_PROGRESS, Sentinel.ERROR):
        lab.put("ws-001", sentinel, THEIRS)
    app = lab.app()
    app.cycle()
    assert lab.get("ws-001").state is State.ERROR
    app.retry(Principal(name="root", customer_id="local", operator=True), "ws-001")
    lab.drain(app, between=lambda: end_all(lab))
    assert lab.started() == ["ws-001/1"]
    assert lab.get("ws-001").state is State.COMPLETE


def test_d_07_a_run_outlives_its_monitor(lab: Lab) -> None:
    """D-07: the monitor that launched it is gone; another one records how it ended."""
    workset_id = lab.submit().workset_id
    lab.app().cycle()
    lab.compute.end(f"{workset_id}/1")
    lab.app().cycle()
    assert lab.get(workset_id).state is State.COMPLETE
    assert lab.started() == [f"{workset_id}/1"]


def test_d_08_what_a_monitor_holds_nobody_else_locks(lab: Lab) -> None:
    """D-08: a monitor's lock is the store's own lock, so neither the API nor a bridge gets it too."""
    workset = lab.submit()
    held: list[bool] = []

    def lock_too() -> None:
        bridge = WorksetIntegration(app=lab.app())
        held.append(bridge.acquire_lock(workset.workset_id, "somebody"))

    lab.app(Meanwhile("compute.submit", lock_too)).cycle()
    assert held == [False]
    assert lab.get(workset.workset_id).state is State.IN_PROGRESS


def test_d_14_each_state_is_whole_in_both(lab: Lab) -> None:
    """D-14: ignored, retrying and failed are written to the store and shown by the directory."""
    ignored, spent = lab.submit("ignored"), lab.submit("spent", max_retries=1)
    bridge = WorksetIntegration(app=lab.app())
    assert bridge.update_state(ignored.workset_id, "ignored", "not now")
    app = lab.app()
    app.cycle()
    lab.compute.end(f"{spent.workset_id}/1", exit_code=75)
    app.cycle()
    assert lab.get(spent.workset_id).state is State.RETRYING
    lab.check()
    lab.drain(app, between=lambda: end_all(lab, exit_code=75))
    assert lab.get(spent.workset_id).state is State.FAILED
    assert lab.get(ignored.workset_id).state is State.IGNORED
    lab.check()
    body = lab.ours(spent.workset_id)[Sentinel.ERROR]
    assert body.at is not None  # a time, and then the reason: never the reason in place of the time
    assert body.detail


def test_d_16_a_lock_whose_holder_died_runs_out(lab: Lab) -> None:
    """D-16: who dies right after the lock holds nobody up for longer than the lock lasts."""
    workset_id = lab.submit().workset_id
    died = lab.app(FaultInjector(1, Blow.DIES_BEFORE, on="compute.submit"))
    with pytest.raises(Killed):
        died.cycle()
    assert lab.get(workset_id).state is State.LOCKED
    lab.app().cycle()
    assert lab.started() == []
    lab.clock.advance(lab.settings.lock_timeout + timedelta(seconds=1))
    lab.app().cycle()
    assert lab.started() == [f"{workset_id}/1"]


def test_d_16_a_run_may_last_longer_than_its_lock(lab: Lab) -> None:
    """D-16: no lock is needed for what runs, so hours later it is neither free nor run again."""
    workset_id = lab.submit().workset_id
    lab.app().cycle()
    for _ in range(5):
        lab.clock.advance(timedelta(hours=3))
        lab.app().cycle()
    assert lab.started() == [f"{workset_id}/1"]
    assert lab.get(workset_id).state is State.IN_PROGRESS


def test_d_17_progress_is_stored(lab: Lab) -> None:
    """D-17: what the engine tells of progress is there for who asks."""
    workset_id = lab.submit().workset_id
    app = lab.app()
    app.cycle()
    progress = Progress(done=3, total=7)
    lab.compute.report(f"{workset_id}/1", progress)
    lab.clock.advance(lab.patience())
    app.cycle()
    assert lab.get(workset_id).progress == progress


def test_d_19_a_customers_own_files_are_never_written(lab: Lab) -> None:
    """D-19: their work file stays byte for byte, and idle cycles write nothing at all."""
    lab.drop("ws-001", Sentinel.READY)
    mine = b"# by hand\ndy-r: -p help\npipeline: fastq-qc\n"
    lab.put("ws-001", "daylily_work.yaml", mine)
    app = lab.app()
    app.cycle()
    lab.compute.end("ws-001/1")
    lab.drain(app)
    with lab.objects.open("worksets/ws-001/daylily_work.yaml") as stream:
        assert stream.read() == mine
    with lab.objects.open("worksets/ws-001/stage_samples.tsv") as stream:
        assert stream.read() == SHEET.encode()
    counted = FaultInjector()
    idle = lab.app(counted)
    for _ in range(3):
        lab.clock.advance(timedelta(minutes=10))
        idle.cycle()
    assert counted.calls.count("objects.put") == 0
    assert counted.calls.count("store.save") == 0


def test_d_22_a_long_run_holds_up_nobody(lab: Lab) -> None:
    """D-22: while one runs for hours, others are discovered, run and finished."""
    long = lab.submit("long").workset_id
    app = lab.app()
    app.cycle()
    lab.drop("ws-001", Sentinel.READY)
    lab.clock.advance(lab.patience())
    app.cycle()
    lab.compute.end("ws-001/1")
    lab.clock.advance(lab.patience())
    app.cycle()
    assert lab.get(long).state is State.IN_PROGRESS
    assert lab.get("ws-001").state is State.COMPLETE


def test_d_23_priority_counts_across_both_sources(lab: Lab) -> None:
    """D-23: what was dropped and what was submitted stand in one queue, urgent first."""
    lab = Lab(settings=evolve(lab.settings, max_concurrent=1))
    lab.drop("a-low", Sentinel.READY)
    lab.put("a-low", "daylily_work.yaml", b"pipeline: fastq-qc\npriority: low\n")
    lab.drop("b-urgent", Sentinel.READY)
    lab.put("b-urgent", "daylily_work.yaml", b"pipeline: fastq-qc\npriority: urgent\n")
    app = lab.app()
    app.discover()
    normal = lab.submit("normal").workset_id
    lab.drain(app, between=lambda: end_all(lab))
    assert [lab.get("a-low").priority, lab.get("b-urgent").priority] == [Priority.LOW, Priority.URGENT]
    assert lab.started() == ["b-urgent/1", f"{normal}/1", "a-low/1"]


def test_d_26_the_templates_own_sheet_is_accepted(lab: Lab) -> None:
    """D-26: R1_FQ and R2_FQ are the reads, and a concordance path of the cluster is not one of them."""
    lab.drop("ws-001", Sentinel.READY)
    sheet = SHEET.replace(
        "\tna\tsample_data", "\t/fsx/data/genomic_data/organism_annotations\tsample_data"
    )
    assert sheet != SHEET
    lab.put("ws-001", "stage_samples.tsv", sheet.encode())
    lab.app().cycle()
    assert lab.started() == ["ws-001/1"]


def test_d_26_reads_that_are_not_there_are_missed(lab: Lab) -> None:
    """D-26: a sheet whose R2 file is missing is refused, with its row."""
    lab.drop("ws-001", Sentinel.READY)
    lab.remove("ws-001", "sample_data/HG002_R2.fastq.gz")
    report = lab.app().cycle()
    assert lab.started() == []
    assert any("HG002_R2" in fault for fault in report.faults)


def test_d_27_an_engine_that_is_silent_has_not_failed(lab: Lab) -> None:
    """D-27: not to be reached means unknown; when it is back, the run goes on as if nothing was."""
    workset_id = lab.submit().workset_id
    app = lab.app()
    app.cycle()
    lab.compute.go_down()
    for _ in range(3):
        lab.clock.advance(timedelta(hours=1))
        app.cycle()
    assert lab.get(workset_id).state is State.IN_PROGRESS
    lab.compute.come_back()
    lab.compute.end(f"{workset_id}/1")
    app.cycle()
    assert lab.get(workset_id).state is State.COMPLETE
    assert lab.started() == [f"{workset_id}/1"]


def test_d_28_a_cancel_is_the_engines(lab: Lab) -> None:
    """D-28: a cancel stops the job itself, and only when the engine says so is it canceled."""
    workset_id = lab.submit().workset_id
    app = lab.app()
    app.cycle()
    app.cancel(ADA, workset_id)
    assert lab.get(workset_id).state is State.IN_PROGRESS
    lab.clock.advance(lab.patience())
    app.cycle()
    app.cycle()
    assert lab.get(workset_id).state is State.CANCELED
    assert lab.compute.status([f"{workset_id}/1"])[f"{workset_id}/1"].phase.value == "canceled"


def test_d_30_a_dry_run_waits_for_nothing_and_tells_nobody(lab: Lab) -> None:
    """D-30: it asks, and writes, sends, launches and sleeps not at all."""
    lab.submit()
    lab.drop("ws-001", Sentinel.READY)
    sent = len(lab.notifier.sent)
    counted = FaultInjector()
    steps = list(lab.app(counted).cycle.plan())
    assert [step.action for step in steps] == ["launch", "launch"]
    writes = {
        "store.save",
        "store.add",
        "objects.put",
        "objects.delete",
        "compute.submit",
        "compute.cancel",
    }
    assert not writes & set(counted.calls)
    assert len(lab.notifier.sent) == sent
    assert lab.clock() == NOON


def end_all(lab: Lab, exit_code: int = 0) -> None:
    """Let every job that runs end."""
    for key, status in lab.compute.status(lab.started()).items():
        if not status.ended:
            lab.compute.end(key, exit_code=exit_code)
