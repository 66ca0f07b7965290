"""``daylily report``, as people type it, and as programs and spreadsheets read it."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console
from tests.unit.cli.desk import Desk

from daylily.domain.lifecycle import State
from daylily.entrypoints.cli import report as report_module
from daylily.entrypoints.cli.base import Common
from daylily.entrypoints.cli.in_order import in_order
from daylily.entrypoints.cli.report_columns import COLUMNS
from daylily.entrypoints.cli.session import Session
from daylily.entrypoints.cli.workset_report import workset_report
from daylily.ports.object_store import ObjectStore
from daylily.testing.samples import NOON, a_workset, running

TITLES = [
    *("Workset", "State", "StartDT", "EndDT", "RunTime", "Valid", "Cluster", "RegionAZ", "Budget"),
    *("PipelineCmd", "CloneCmd", "NumSamps", "NumSampLibs", "NumFASTQs", "FASTQSize", "NumCRAMs"),
    *("CRAMSize", "NumVCFs", "VCFSize", "ResultsSize", "S3DailyCost", "CRAMTransferCost"),
    *("VCFTransferCost", "EC2Cost", "Detail"),
]
"""As contract 6.1 has them."""


@pytest.fixture
def several(desk: Desk) -> Desk:
    """A desk with worksets in several states, whose names are not in the order of the report."""
    store = desk.world.store
    for name, state in (("ws-9", State.ERROR), ("ws-1", State.COMPLETE), ("ws-2", State.ERROR)):
        taken = a_workset(name).adopt(state, at=NOON, reason="=1+1\tof\nothers", actor="m")
        store.add(taken)
    store.add(a_workset("ws-5"))
    store.add(running(a_workset("ws-7")))
    return desk


ORDER = ["ws-2", "ws-9", "ws-7", "ws-5", "ws-1"]
"""What needs a person first, then what runs, waits, is over; and by name."""


def test_the_table(several: Desk) -> None:
    """All columns of the old report, what needs a person first; nothing is cut in a pipe."""
    head, *lines = several.ok("report").splitlines()
    assert head.split() == TITLES == list(COLUMNS)
    assert [line.split()[0] for line in lines] == ORDER
    assert "error" in lines[0]


def test_the_least(several: Desk) -> None:
    """--min-deets leaves five columns."""
    head, first, *_ = several.ok("report", "term", "--min-deets").splitlines()
    assert head.split() == ["Workset", "State", "StartDT", "Valid", "Detail"]
    assert first.split() == ["ws-2", "error", "yes", "=1+1", "of", "others"]


@pytest.mark.parametrize(("name", "separator"), [("all.csv", ","), ("all.TSV", "\t")])
def test_files(several: Desk, tmp_path: Path, name: str, separator: str) -> None:
    """A file for a spreadsheet: one line a workset, and no cell that it would take for a formula."""
    path = tmp_path / name
    result = several.run("report", path)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "5 worksets in" in result.stderr
    with path.open(newline="") as file:
        head, *lines = csv.reader(file, delimiter=separator)
    assert head == TITLES
    assert [line[0] for line in lines] == ORDER
    assert lines[0][-1] == "'=1+1 of others"
    assert len(path.read_text().splitlines()) == 6
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []


def test_a_file_that_cannot_be_written(several: Desk, tmp_path: Path) -> None:
    """It is told, with exit code 1; a folder that is not there is not made."""
    result = several.run("report", tmp_path / "nowhere" / "all.csv")
    assert result.exit_code == 1
    assert "No such file" in result.stderr
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    "target", ["all.txt", "csv", "s3://bucket", "s3://bucket/all", "s3://Bucket!/a.csv", "s3://b/a.csv"]
)
def test_an_unknown_target(several: Desk, target: str) -> None:
    """Exit code 2, before anything is read."""
    result = several.run("report", target)
    assert result.exit_code == 2
    assert "TARGET" in result.stderr


def test_an_object(several: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A target in S3 is written there, in whatever bucket it is."""
    asked = list[str]()

    def bucket_of(_: object, name: str) -> ObjectStore:
        asked.append(name)
        return several.world.objects

    monkeypatch.setattr("daylily.bootstrap.bucket_of", bucket_of)
    several.ok("report", "s3://lab-reports/2025/all.csv")

    assert asked == ["lab-reports"]
    with several.world.objects.open("2025/all.csv") as stream:
        head, *lines = stream.read().decode().splitlines()
    assert head == ",".join(TITLES)
    assert [line.split(",")[0] for line in lines] == ORDER


def test_json(several: Desk, submitted: str) -> None:
    """Numbers are numbers, null is what is not known; the order is that of the table."""
    found = several.json("report", "--sizes")
    assert [each["workset_id"] for each in found if each["workset_id"] != submitted] == ORDER
    [row] = [each for each in found if each["workset_id"] == submitted]
    assert (row["samples"], row["fastqs"], row["valid"]) == (1, 2, True)
    assert row["fastq_bytes"] > 0
    assert row["cram_transfer_usd"] == {"cross_region": 0.0, "internet": 0.0}
    assert (row["ec2_usd"], row["runtime_seconds"]) == (None, None)
    [least, *_] = several.json("report", "--min-deets")
    assert list(least) == ["workset_id", "state", "started_at", "valid", "detail"]


def test_json_does_not_go_with_a_file(desk: Desk, tmp_path: Path) -> None:
    """It would be neither: exit code 2."""
    assert desk.run("report", tmp_path / "a.csv", "--json").exit_code == 2


def test_nothing_to_tell(desk: Desk, tmp_path: Path) -> None:
    """An empty installation has an empty report, in every form."""
    result = desk.run("report")
    assert result.stdout.split() == TITLES
    assert "no worksets" in result.stderr
    assert desk.json("report") == []
    desk.ok("report", tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text().split(",")[0] == "Workset"


def test_only_some(several: Desk) -> None:
    """Names follow the option, as of old; who is not there is warned of, and that is all."""
    for names in (
        ["--process-directory", "ws-5", "ws-0", "ws-9", "--json"],
        ["--process-directory", "ws-5", "--process-directory", "ws-9", "--json"],
        ["term", "--json", "--process-directory=ws-5", "--process-directory", "ws-9"],
    ):
        result = several.run("report", *names)
        assert result.exit_code == 0
        assert [each["workset_id"] for each in json.loads(result.stdout)] == ["ws-9", "ws-5"]
        assert ("no workset ws-0" in result.stderr) == ("ws-0" in names)


def test_of_one_customer(several: Desk) -> None:
    """An operator's report is of all customers, unless one is named."""
    several.run("customer", "add", "acme")
    several.run("customer", "add", "other")
    assert len(several.json("report", "--customer", "acme")) == 5
    assert several.json("report", "--customer", "other") == []


def test_the_archive_needs_a_setting(several: Desk) -> None:
    """Without it, people are told what is not looked at."""
    assert "archive_prefix" in several.run("report", "--include-archive").stderr


def test_not_through_a_server(desk: Desk) -> None:
    """A report is made where the store is."""
    assert desk.run("--url", "http://127.0.0.1:9", "report").exit_code == 2


def test_a_narrow_terminal(several: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns in which nothing is known give way there; a bar shows how far it is."""
    monkeypatch.setattr(
        Session,
        "console",
        lambda _, stderr=False: Console(stderr=stderr, force_terminal=True, width=80),
    )
    head, *lines = several.ok("report").splitlines()
    assert "Budget" not in head
    assert {"Workset", "State", "Detail"} <= {*head.split()}
    assert [line.split()[0] for line in lines] == ORDER


def test_more_than_memory_may_hold(several: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sorted in parts on the disk, the report is the same."""
    whole = several.ok("report"), several.ok("report", "--json")
    monkeypatch.setattr(report_module, "in_order", lambda entries: in_order(entries, part=2))
    assert (several.ok("report", "--min-deets").split()[0]) == "Workset"
    parts = several.ok("report"), several.ok("report", "--json")
    assert [_timeless(each) for each in parts] == [_timeless(each) for each in whole]


def _timeless(text: str) -> list[Any]:
    # What runs does so for longer in the second of two reports.
    return [line.split()[:2] for line in text.splitlines()]


def program(desk: Desk, *args: str) -> Result:
    """Run ``daylily-workset-report``."""
    return CliRunner().invoke(workset_report, args, obj=Common(Session(world=desk.world)))


def test_under_the_old_name(several: Desk, tmp_path: Path) -> None:
    """CONFIG comes first, then TARGET, and the flags of old are known."""
    config = tmp_path / "monitor-config.yaml"
    config.write_text(f"store: memory\nhome: {several.home}\narchive_prefix: old/\n")
    result = program(several, str(config), "--min-deets", "--include-archive", "--force-recalculate")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["Workset", *ORDER]
    assert "archive_prefix" not in result.stderr

    some = program(several, str(config), "term", "--process-directory", "ws-5", "ws-1", "--verbose")
    assert [line.split()[0] for line in some.stdout.splitlines()[1:]] == ["ws-5", "ws-1"]
    assert program(several, str(config), "all.txt").exit_code == 2
    assert program(several, str(tmp_path / "none.yaml")).exit_code == 2
    assert "daylily-workset-report" in program(several, "--help").stdout
