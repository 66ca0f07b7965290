"""The report: every figure a stored fact, and nothing where nothing is known."""

from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

import pytest
from attrs import evolve, frozen
from tests.unit.application.lab import SHEET, Lab

from daylily.application.report_worksets import Asked
from daylily.bootstrap import App
from daylily.config import Settings
from daylily.domain.reporting import ReportRow
from daylily.domain.sentinels import Sentinel
from daylily.ports.paging import Page
from daylily.ports.state_store import Unreadable
from daylily.testing.faults import FaultInjector
from daylily.testing.samples import NOON, a_workset

HOUR: Final = timedelta(hours=1)


@pytest.fixture
def lab() -> Lab:
    """A world with an archive."""
    return Lab(settings=Settings(store="memory", engine="memory", archive_prefix="old/"))


def rows(app: App, **asked: Any) -> dict[str, ReportRow]:
    """Return the rows of a report by workset."""
    return {row.workset: row for row in app.report(Asked(**asked))}


def ran(lab: Lab, exit_code: int = 0, **more: Any) -> tuple[App, str]:
    """Return a workset that ran for two hours."""
    workset_id = lab.submit().workset_id
    app = lab.app()
    app.cycle()
    lab.clock.advance(2 * HOUR)
    lab.compute.end(f"{workset_id}/1", exit_code=exit_code, **more)
    app.cycle()
    return app, workset_id


def shelve(lab: Lab, workset_id: str) -> None:
    """Move a directory to the archive, as people do."""
    for info in lab.objects.list(f"worksets/{workset_id}/").items:
        lab.objects.copy(info.key, info.key.replace("worksets/", "old/", 1))
        lab.objects.delete(info.key)


def test_d_31_columns_are_filled_from_what_is_stored(lab: Lab) -> None:
    """D-31: the report asks no engine and no head node, and has its figures all the same."""
    app, workset_id = ran(lab)
    lab.compute.go_down()
    lab.clock.advance(24 * HOUR)

    [row] = app.report(Asked())

    assert row == ReportRow(
        workset=workset_id,
        state="complete",
        rank=4,
        started_at=NOON,
        ended_at=NOON + 2 * HOUR,
        run_time=2 * HOUR,
        valid=True,
        pipeline_command="fastq-qc",
        samples=1,
        libraries=1,
        fastqs=2,
        compute_usd=Decimal("0.06"),  # 2 hours of one vCPU at $0.03
        detail="attempt 1 complete",
    )


def test_d_31_sizes_are_counted_when_somebody_asks(lab: Lab) -> None:
    """D-31: with ``sizes``, one listing for each row tells what lies there."""
    _, workset_id = ran(lab)
    results = "results/attempt-1/"
    for name, size in (("a.cram", 70), ("a.cram.crai", 5), ("a.vcf.gz", 20), ("a.vcf.gz.tbi", 5)):
        lab.put(workset_id, results + name, b"x" * size)
    lab.put(workset_id, "a.cram", b"of a customer, and no result")
    counted = FaultInjector()

    [row] = lab.app(counted).report(Asked(sizes=True))

    assert counted.calls == ["store.scan", "objects.list"]
    assert row.contents is not None
    assert (row.contents.crams, row.contents.cram_bytes) == (1, 70)
    assert (row.contents.vcfs, row.contents.vcf_bytes) == (1, 20)
    assert row.contents.results_bytes == 100
    assert row.contents.fastq_bytes is not None
    assert row.daily_usd == Decimal("0.00")
    assert row.cram_transfer_usd == (Decimal("0.00"), Decimal("0.00"))


def test_what_is_not_known_is_none(lab: Lab) -> None:
    """A workset that has not run has no times and no cost; nobody has looked how large it is."""
    lab.submit()
    [row] = lab.app().report(Asked())
    unknown = (row.started_at, row.ended_at, row.run_time, row.cluster, row.zone, row.compute_usd)
    assert set(unknown) == {None}
    assert (row.contents, row.daily_usd, row.budget, row.clone_command) == (None, None, None, None)
    assert row.state == "ready"


def test_reads_that_lie_elsewhere_have_no_size(lab: Lab) -> None:
    """Some of them being counted would be a wrong sum."""
    workset_id = lab.submit().workset_id
    [key] = [info.key for info in lab.objects.list(f"worksets/{workset_id}/sample_data/").items[:1]]
    lab.objects.delete(key)
    [row] = lab.app().report(Asked(sizes=True))
    assert row.contents is not None
    assert row.contents.fastq_bytes is None


def test_commands_of_the_files(lab: Lab) -> None:
    """With ``sizes``, of another system's run, what the files tell it; unsound words are left out."""
    lab.drop("ws-001", Sentinel.READY, Sentinel.IN_PROGRESS)
    lab.put("ws-001", "daylily_work.yaml", b"dy-r: -p help\nday-clone: -d x\npipeline: fastq-qc\n")
    app = lab.app()
    app.cycle()
    assert rows(app)["ws-001"].pipeline_command == "fastq-qc"

    row = rows(app, sizes=True)["ws-001"]
    assert (row.pipeline_command, row.clone_command) == ("dy-r -p help", "day-clone -d x")

    ours = lab.submit().workset_id
    app.cycle()
    assert rows(app, sizes=True)[ours].pipeline_command == "fastq-qc"

    lab.put("ws-001", "daylily_work.yaml", b"dy-r: -p $(rm)\npipeline: fastq-qc\n")
    row = rows(app, sizes=True)["ws-001"]
    assert (row.pipeline_command, row.clone_command) == ("fastq-qc", None)


def test_only_some(lab: Lab) -> None:
    """Names cost a question each; what there is no row for is told, once."""
    first, second = lab.submit().workset_id, lab.submit().workset_id
    counted, absent = FaultInjector(), list[str]()
    app = lab.app(counted)

    found = list(app.report(Asked(names=(second, "nobody", second)), absent.append))

    assert [row.workset for row in found] == [second]
    assert absent == ["nobody"]
    assert counted.calls == ["store.get", "store.get"]
    assert set(rows(app)) == {first, second}


def test_of_one_customer(lab: Lab) -> None:
    """Worksets of others are left out, and rows of nobody knows whom."""
    workset_id = lab.submit().workset_id
    lab.store.add(a_workset("ws-other", customer_id="other"))
    app = lab.app()
    assert set(rows(app)) == {workset_id, "ws-other"}
    assert set(rows(app, customer_id="acme")) == {workset_id}

    report = evolve(app.report, store=OneUnreadable(lab.store))
    odd = {row.workset: row for row in report(Asked())}["odd"]
    assert (odd.state, odd.rank, odd.valid, odd.detail) == ("unknown", 6, False, "a new field")
    assert "odd" not in {row.workset for row in report(Asked(customer_id="acme"))}


@frozen
class OneUnreadable:
    """A store in which one row cannot be read."""

    port: Any

    def __getattr__(self, method: str) -> Any:
        return getattr(self.port, method)

    def scan(self, **named: Any) -> Page[Any]:
        """See StateStore.scan."""
        page = self.port.scan(**named)
        return Page((Unreadable("odd", "a new\nfield"), *page.items), page.cursor)


def test_what_the_store_has_archived(lab: Lab) -> None:
    """It is left out unless asked for, and shown by the state it had; what is deleted never is."""
    app, workset_id = ran(lab)
    archived = app.cycle.ledger.rest(lab.get(workset_id).archive(by="ada", at=lab.clock()))
    assert rows(app) == {}
    assert rows(app, archive=True)[workset_id].state == "complete (archived)"
    app.cycle.ledger.rest(archived.delete(by="ada", at=lab.clock()))
    assert rows(app, archive=True) == {}


def test_what_people_have_moved_to_the_archive(lab: Lab) -> None:
    """What the store knows of it is told, and its files are counted where they are now."""
    app, workset_id = ran(lab)
    lab.put(workset_id, "results/attempt-1/a.cram", b"x" * 7)
    shelve(lab, workset_id)

    assert rows(app)[workset_id].state == "complete"
    row = rows(app, archive=True, sizes=True)[workset_id]
    assert row.state == "complete (archived)"
    assert row.contents is not None
    assert row.contents.cram_bytes == 7


def old(lab: Lab, workset_id: str, name: str, content: bytes) -> None:
    """Put a file into a directory of the archive."""
    lab.objects.put(f"old/{workset_id}/{name}", content)


def test_what_only_the_archive_has(lab: Lab) -> None:
    """Its files and sentinels tell; directories that make no sense have a row all the same."""
    old(lab, "ws-001", "stage_samples.tsv", SHEET.encode())
    old(lab, "ws-001", "daylily_work.yaml", b"pipeline: fastq-qc\n")
    old(lab, "ws-001", "daylily_info.yaml", b"customer_id: acme\n")
    old(lab, "ws-001", Sentinel.IN_PROGRESS, b"2025-06-01T10:00:00Z")
    old(lab, "ws-001", Sentinel.ERROR, b"2025-06-01T11:30:00Z\tdisk\tfull")
    old(lab, "ws-002", "notes.txt", b"who knows")
    app = lab.app()

    assert rows(app) == {}
    found = rows(app, archive=True)
    assert list(found) == ["ws-001", "ws-002"]
    first, second = found.values()
    assert (first.state, first.rank, first.valid) == ("error (archived)", 0, True)
    assert (first.run_time, first.samples, first.detail) == (1.5 * HOUR, 1, "disk full")
    assert (second.state, second.rank, second.valid) == ("unknown (archived)", 6, False)
    assert (second.samples, second.contents) == (None, None)

    only = rows(app, archive=True, names=("ws-002",), sizes=True)
    assert [each.contents is not None for each in only.values()] == [True]
    assert set(rows(app, archive=True, customer_id="acme")) == {"ws-001"}


def test_no_archive(lab: Lab) -> None:
    """Without the setting, nothing is looked for."""
    lab.settings = evolve(lab.settings, archive_prefix=None)
    old(lab, "ws-001", Sentinel.COMPLETE, b"")
    assert rows(lab.app(), archive=True) == {}


def test_names_that_no_directory_can_have(lab: Lab) -> None:
    """Very old tables have them: they are told, and nothing is looked for."""
    lab.store.add(a_workset("Trio 7"))
    [row] = lab.app().report(Asked(sizes=True))
    assert (row.workset, row.contents) == ("Trio 7", None)
