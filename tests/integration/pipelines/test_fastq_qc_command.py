from __future__ import annotations

import csv
import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import psutil
import pytest
from tests.unit.pipelines.fastq_workset import Workset, fastq, reads

from daylily.domain.results import MANIFEST, SAMPLES, read_samples
from daylily.pipelines.fastq_qc.__main__ import main
from daylily.pipelines.files import write_whole

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "examples/fastq-qc"
OUTPUTS = ("summary.tsv", "report.json", "report.html")
COMMAND = (sys.executable, "-m", "daylily.pipelines.fastq_qc")


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Where results go; not made yet."""
    return tmp_path / "results" / "fastq-qc"


def run(workset: Path, output: Path, *more: str) -> int:
    """Run the pipeline in this process, leaving its signal handler behind as it was."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        return main(["--workset", str(workset), "--output", str(output), *more])
    finally:
        signal.signal(signal.SIGTERM, before)


def summary(output: Path) -> dict[str, dict[str, str]]:
    """Return the rows of summary.tsv by sample."""
    with (output / "summary.tsv").open(newline="") as lines:
        return {row["sample_id"]: row for row in csv.DictReader(lines, delimiter="\t")}


def three_samples(workset: Workset) -> None:
    """Add three paired samples, of which S2 is damaged in R2, record 812."""
    damaged = fastq(reads(811, mate=2)) + b"@M1:7:FC:1:811 2:N:0:1\nACGT\n+\nIII\n"
    workset.sample("S1", fastq(reads(900)), fastq(reads(900, mate=2)))
    workset.sample("S2", fastq(reads(900)), damaged)
    workset.sample("S3", fastq(reads(50)))


def test_example_data_set(output: Path) -> None:
    """The data set we ship passes, and gives the numbers written down here."""
    assert run(EXAMPLE, output) == 0
    wanted = {
        "LAMBDA-A": ("ok", "1", "2000", "300000", "150.0"),
        "LAMBDA-B": ("ok", "2", "2400", "360000", "150.0"),
        "LAMBDA-C": ("ok", "1", "1600", "240000", "150.0"),
    }
    columns = ("status", "lanes", "reads", "bases", "length_mean_bases")
    rows = summary(output)
    assert {name: tuple(row[column] for column in columns) for name, row in rows.items()} == wanted
    qualities = {name: (row["gc_percent"], row["quality_mean_phred"]) for name, row in rows.items()}
    assert qualities == {
        "LAMBDA-A": ("50.5727", "35.3804"),
        "LAMBDA-B": ("50.0008", "35.3823"),
        "LAMBDA-C": ("49.8383", "27.3764"),
    }


@pytest.mark.parametrize("threads", ["1", "3"])
def test_damage_costs_one_sample(
    workset: Workset, output: Path, threads: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """A damaged sample ends the run in 65 and is named on stderr; the others keep their results."""
    three_samples(workset)
    assert run(workset.path, output, "--threads", threads) == 65
    fault = "sample_data/1_R2.fastq.gz: record 812: quality string has 3 characters, sequence has 4"
    told = capfd.readouterr()
    assert told.err.splitlines() == [f"sample S2: {fault}"]
    assert "/3] sample S2: failed\n" in told.out
    assert fault not in told.out
    rows = summary(output)
    assert [(name, row["status"], row["reads"]) for name, row in rows.items()] == [
        ("S1", "ok", "1800"),
        ("S2", "failed", ""),
        ("S3", "ok", "50"),
    ]
    assert rows["S2"]["error"] == fault
    report = json.loads((output / "report.json").read_text())
    assert report["schema_version"] == 1
    assert set(report["tools"]) >= {"dnaio", "sequali"}
    assert [sample["status"] for sample in report["samples"]] == ["ok", "failed", "ok"]
    assert report["samples"][1]["error"] == {
        "kind": "damaged",
        "file": "sample_data/1_R2.fastq.gz",
        "record": 812,
        "message": "quality string has 3 characters, sequence has 4",
    }
    assert report["samples"][2]["metrics"]["total"]["reads"] == 50


def test_same_reads_same_bytes(workset: Workset, output: Path, tmp_path: Path) -> None:
    """A rerun, also with more threads, writes the same bytes again and leaves nothing else."""
    three_samples(workset)
    first = tmp_path / "first"
    run(workset.path, first)
    run(workset.path, output)
    run(workset.path, output, "--threads", "2")
    for name in OUTPUTS:
        assert (output / name).read_bytes() == (first / name).read_bytes()
    assert sorted(path.name for path in output.iterdir()) == sorted((*OUTPUTS, SAMPLES, MANIFEST))


def test_outcomes_and_checksums(workset: Workset, output: Path) -> None:
    """What became of each sample, and the checksums of all files, as ``sha256sum -c`` reads them."""
    three_samples(workset)
    run(workset.path, output)

    outcomes = read_samples((output / SAMPLES).read_bytes(), ("S1", "S2", "S3"))
    assert [outcome.failed for outcome in outcomes] == [False, True, False]
    assert outcomes[1].message.startswith("sample_data/1_R2.fastq.gz: record 812: quality string has")
    names = [line.split("  ")[1] for line in (output / MANIFEST).read_text().splitlines()]
    assert names == sorted((*OUTPUTS, SAMPLES))
    subprocess.run(["/usr/bin/sha256sum", "--strict", "-c", MANIFEST], cwd=output, check=True)


def test_some_samples(workset: Workset, output: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Those that are named are measured, and no others; one that is not there is a fault."""
    three_samples(workset)

    assert run(workset.path, output, "--sample", "S3", "--sample", "S1") == 0
    assert list(summary(output)) == ["S1", "S3"]
    assert run(workset.path, output, "--sample", "S4") == 65
    assert "there is no sample 'S4'" in capfd.readouterr().err


def test_missing_file(workset: Workset, output: Path) -> None:
    """A missing file ends the run in 66; damage elsewhere outranks it."""
    workset.row("A", "sample_data/none.fastq.gz")
    workset.sample("B", fastq(reads(5)))
    assert run(workset.path, output) == 66
    assert summary(output)["B"]["status"] == "ok"
    workset.sample("C", b"")
    assert run(workset.path, output) == 65


def test_sheet_faults(workset: Workset, output: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Without a sheet it is 66; with a bad one 65, all faults told and nothing written."""
    assert run(workset.path, output) == 66
    workset.row("A", "../a.fastq")
    workset.row("B", "/b.fastq")
    capfd.readouterr()
    assert run(workset.path, output) == 65
    assert len(capfd.readouterr().err.splitlines()) == 2
    assert not output.exists()


@pytest.mark.parametrize(
    "arguments", [[], ["--workset", "x"], ["--threads", "0"], ["--threads", "many"]]
)
def test_wrong_usage(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    """Wrong usage ends in 64, with the usage on stderr."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 64
    assert "usage: fastq-qc" in capfd.readouterr().err


def test_output_that_cannot_be_made(workset: Workset, tmp_path: Path) -> None:
    """An output directory that cannot be made ends the run in 74, before any work."""
    workset.sample("S", fastq(reads(5)))
    (tmp_path / "file").write_text("in the way")
    assert run(workset.path, tmp_path / "file" / "out") == 74


def test_output_that_cannot_be_replaced(workset: Workset, output: Path) -> None:
    """A directory where a result should go ends the run in 74."""
    workset.sample("S", fastq(reads(5)))
    (output / "report.json").mkdir(parents=True)
    assert run(workset.path, output) == 74
    assert [path.name for path in output.glob(".*")] == []


@pytest.mark.parametrize("threads", ["1", "2"])
def test_progress(
    workset: Workset, output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: str
) -> None:
    """The file named by DAYLILY_PROGRESS ends up telling that all samples are done."""
    three_samples(workset)
    path = tmp_path / "progress.json"
    monkeypatch.setenv("DAYLILY_PROGRESS", str(path))
    run(workset.path, output, "--threads", threads)
    progress = json.loads(path.read_text())
    assert (progress["done"], progress["total"]) == (3, 3)
    assert progress["message"].startswith("sample S")


def test_progress_that_cannot_be_written(
    workset: Workset, output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Progress is a courtesy: when its file cannot be written, the results still are."""
    workset.sample("S", fastq(reads(5)))
    monkeypatch.setenv("DAYLILY_PROGRESS", str(tmp_path / "none" / "progress.json"))
    assert run(workset.path, output) == 0


def endless(workset: Workset, samples: int) -> None:
    """Add samples that take far longer than a test may."""
    block = gzip.compress(fastq(reads(2000, length=100)), 1)
    for number in range(samples):
        name = workset.file(f"big{number}", b"")
        (workset.path / name).write_bytes(block * 200)
        workset.row(f"S{number}", name)


@pytest.mark.parametrize(("stop", "threads"), [("SIGTERM", "1"), ("SIGTERM", "2"), ("SIGKILL", "2")])
def test_stopping(workset: Workset, output: Path, stop: str, threads: str) -> None:
    """SIGTERM ends the run at once and with it all children; a killed run takes its children along."""
    endless(workset, 2)
    arguments = ["--workset", str(workset.path), "--output", str(output), "--threads", threads]
    with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.DEVNULL) as process:
        parent = psutil.Process(process.pid)
        wanted = 0 if threads == "1" else 2
        deadline = time.monotonic() + 10
        while not output.exists() or len(parent.children()) < wanted:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        children = parent.children()
        process.send_signal(signal.Signals[stop])
        assert process.wait(5) == -signal.Signals[stop]
    _, alive = psutil.wait_procs(children, timeout=5)
    assert alive == []
    assert list(output.iterdir()) == []


def workers(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Return the workers of a run; where processes are spawned, Python has one of its own beside."""
    children = psutil.Process(process.pid).children()
    return [child for child in children if "resource_tracker" not in " ".join(child.cmdline())]


def test_worker_that_dies(workset: Workset, output: Path) -> None:
    """
    A worker killed from outside (out of memory, say) costs its own sample, in 70.

    The one that is done with B has gone before its line comes, so that a single one is left.
    """
    endless(workset, 1)
    workset.sample("B", fastq(reads(5)))
    arguments = ["--workset", str(workset.path), "--output", str(output), "--threads", "2"]
    with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "sample B: 5 reads" in process.stdout.readline()
        (child,) = workers(process)
        child.kill()
        process.stdout.read()
    assert process.returncode == 70
    assert "signal 9" in summary(output)["S0"]["error"]
    assert summary(output)["B"]["status"] == "ok"


def test_several_failures_are_told_in_the_last_line(
    workset: Workset, output: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """What an engine passes on is the last line: it names every sample that failed, up to a number."""
    for number in range(7):
        workset.sample(f"S{number}", b"")
    assert run(workset.path, output) == 65
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("7 samples failed: sample S0: ")
    assert "; sample S4: " in line
    assert line.endswith("; the report names the others")


def test_what_was_found_until_a_stop_is_told(workset: Workset, output: Path) -> None:
    """A run that is ended early still says what was wrong with the samples before."""
    workset.sample("A", b"")
    endless(workset, 1)
    arguments = ["--workset", str(workset.path), "--output", str(output)]
    with subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert "sample A: failed" in process.stdout.readline()
        process.terminate()
        _, told = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGTERM
    assert told.startswith("sample A: sample_data/")


@pytest.mark.parametrize("threads", ["1", "2"])
def test_nobody_reads_what_it_says(workset: Workset, output: Path, threads: str) -> None:
    """When the readers of its output have gone, results are written and the exit code is as ever."""
    three_samples(workset)
    reader, writer = os.pipe()
    os.close(reader)
    arguments = ["--workset", str(workset.path), "--output", str(output), "--threads", threads]
    with subprocess.Popen([*COMMAND, *arguments], stdout=writer, stderr=subprocess.PIPE) as process:
        os.close(writer)
        assert process.stderr is not None
        assert b"Error" not in process.stderr.read()
    assert process.returncode == 65
    assert summary(output)["S1"]["status"] == "ok"


KILLED_WHILE_WRITING = """
import os, pathlib, signal, sys
from daylily.pipelines.files import write_whole
sync = os.fsync
def die(handle):
    os.kill(os.getpid(), signal.SIGKILL)
os.fsync = die
write_whole(pathlib.Path(sys.argv[1]), "new" * 100_000)
"""


def test_killed_while_writing(tmp_path: Path) -> None:
    """A kill in the middle of writing leaves the old file whole; a later run sweeps up the rest."""
    path = tmp_path / "report.json"
    write_whole(path, "old")
    killed = subprocess.run([sys.executable, "-c", KILLED_WHILE_WRITING, str(path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert path.read_text() == "old"
    (part,) = tmp_path.glob(".report.json.*.part")
    os.utime(part, (0, 0))
    run(EXAMPLE, tmp_path)
    assert not part.exists()


def peak_memory(workset: Path, output: Path) -> int:
    """Return the largest memory, in KiB, that a run of its own process took."""
    script = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=2);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    arguments = ["--workset", str(workset), "--output", str(output)]
    done = subprocess.run(
        [sys.executable, "-c", script, *COMMAND, *arguments], check=True, capture_output=True, text=True
    )
    return int(done.stdout)


def test_memory_does_not_grow_with_reads(tmp_path: Path) -> None:
    """Twenty times the reads take no more memory (20 MB are allowed; the reads are 70 MB)."""
    block = [gzip.compress(fastq(reads(10_000, mate=mate)), 1) for mate in (1, 2)]
    peaks = []
    for times in (2, 40):
        path = tmp_path / str(times)
        path.mkdir()
        workset = Workset(path)
        names: Iterable[str] = [workset.file(f"R{mate}", b"") for mate in (1, 2)]
        for name, data in zip(names, block, strict=True):
            (path / name).write_bytes(data * times)
        workset.row("S", *names)
        peaks.append(peak_memory(path, tmp_path / f"out{times}"))
        assert summary(tmp_path / f"out{times}")["S"]["reads"] == str(20_000 * times)
    small, large = peaks
    assert large - small < 20_000
