"""The steps of ``daylily-omics``, with scripts that stand in for the programs of old."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import frozen

from daylily.pipelines.omics.__main__ import main

CLONE = """
while [ $# -gt 0 ]; do case "$1" in -d) where=$2; shift 2;; *) others="$others $1"; shift;; esac; done
mkdir -p "$where/daylily-omics-analysis"
echo "$others" > "$where/daylily-omics-analysis/others"
"""


@frozen
class Site:
    """A shared folder, a workset, its results, and programs."""

    home: Path

    @property
    def root(self) -> Path:
        """Where runs are."""
        return self.home / "runs"

    @property
    def clone(self) -> Path:
        """Where the clone of the run is."""
        return self.root / "ws-1" / "daylily-omics-analysis"

    def program(self, name: str, text: str) -> str:
        """Write a shell script; return the option that names it."""
        path = self.home / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return f"--program={path}"

    def do(self, step: str, *words: str) -> int:
        """Do a step of the run."""
        return main([step, "--root", str(self.root), "--name", "ws-1", *words])

    def cloned(self, *words: str) -> int:
        """Stage and clone."""
        self.do("stage", "--workset", str(self.home / "workset"))
        return self.do("clone", self.program("day-clone", CLONE), "--", *words)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site with a staged workset."""
    for name in ("runs", "results", "workset/sample_data", "workset/results/attempt-1"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "workset/stage_samples.tsv").write_text("sheet\n")
    (tmp_path / "workset/sample_data/a_R1.fastq.gz").write_text("reads\n")
    for name in ("daylily.ready", "daylily_work.yaml", "results/attempt-1/old"):
        (tmp_path / "workset" / name).write_text("x")
    return Site(tmp_path)


def test_a_clone_has_the_staged_files(site: Site) -> None:
    """Samples and sheet are where the pipeline looks for them; sentinels and results are not."""
    assert site.cloned("-t", "main") == 0
    found = {str(path.relative_to(site.clone)) for path in site.clone.rglob("*") if path.is_file()}
    assert found == {
        "others", "stage_samples.tsv", "sample_data/a_R1.fastq.gz", "config/analysis_samples.tsv"
    }  # fmt: skip
    assert (site.clone / "others").read_text().split() == ["-t", "main"]


def test_a_second_clone_leaves_the_first(site: Site) -> None:
    """What another try has left is moved aside, and deleted by nobody."""
    for n in (1, 2, 3):
        assert site.cloned() == 0
        (site.clone / f"made-by-{n}").touch()
    assert not (site.clone / "made-by-1").exists()
    aside = sorted(path.name for path in site.root.glob("ws-1.before-*"))
    assert aside == ["ws-1.before-1", "ws-1.before-2"]


@pytest.mark.parametrize(
    "words",
    [
        ("-d", "../elsewhere"),
        ("--destination=/etc",),
        ("-r", "evil/code", "-w", "https"),
        ("-t",),
        ("-t", "-d"),
        ("--git-tag=--upload-pack",),
    ],
)
def test_customers_choose_a_version_and_nothing_else(site: Site, words: tuple[str, ...]) -> None:
    """Where to, and of what, a clone is made is the operator's to say."""
    assert site.cloned(*words) == 0
    assert (site.clone / "others").read_text().split() == []


def test_d_34_a_budget_does_not_break_the_clone(site: Site) -> None:
    """D-34: day-clone knows no ``--budget``, and is not given one; the rest of the words is heeded."""
    strict = CLONE.replace("shift;; esac", 'shift;; esac; case "$1" in --budget*) exit 2;; esac')
    site.do("stage", "--workset", str(site.home / "workset"))
    words = ("--budget", "lab-7", "-t", "main", "--budget=lab-7")
    assert site.do("clone", site.program("day-clone", strict), "--", *words) == 0
    assert (site.clone / "others").read_text().split() == ["-t", "main"]


@pytest.mark.parametrize("name", ["..", "../ws-2", "/etc", "a/b", "", "."])
@pytest.mark.parametrize("step", ["stage", "clone", "run", "export", "cancel"])
def test_d_36_a_name_leads_nowhere_else(site: Site, step: str, name: str) -> None:
    """D-36: a run's name is a workset's id; no other becomes part of a path."""
    with pytest.raises(SystemExit) as caught:
        main([step, "--root", str(site.root), "--name", name])
    assert caught.value.code == 64


def test_d_39_all_lanes_of_any_size_are_staged(site: Site) -> None:
    """D-39: what is in ``sample_data/`` is staged, lane by lane, small as it is; nothing is merged."""
    lanes = [f"sample_data/A_L00{lane}_R{read}.fastq.gz" for lane in (1, 2) for read in (1, 2)]
    for name in lanes:
        (site.home / "workset" / name).write_text(f"reads of {name}\n")
    assert site.cloned() == 0
    assert [(site.clone / name).read_text() for name in lanes] == [f"reads of {n}\n" for n in lanes]


def test_d_35_words_are_arguments(site: Site) -> None:
    """D-35: whatever a word holds, it is one argument of the pipeline's program, and runs nothing."""
    site.cloned()
    words = ["help; touch pwned", "$(touch pwned)", "`touch pwned`", "a b", "*", "--config", "x=[y]"]
    run = site.program("day_run", "printf '%s\\n' \"$@\" > words")
    assert site.do("run", "--genome", "GRCh38", run, "--", *words) == 0
    assert (site.clone / "words").read_text().splitlines() == ["hg38", *words]
    assert not (site.clone / "pwned").exists()


def test_d_35_the_shipped_script_evaluates_nothing(site: Site) -> None:
    """D-35: words go through bash, which the environment of a clone is made for, untouched."""
    site.cloned()
    (site.clone / "bin").mkdir()
    (site.clone / "dyoainit").write_text("ready=$1\n")
    (site.clone / "bin/day_activate").write_text('[ "$*" = "slurm hg38 remote" ] && export DAY=1\n')
    (site.clone / "bin/day_run").write_text('printf "%s\\n" "$DAY" "$@" > words\n')
    words = ["$(touch pwned)", "; touch pwned", "a  b", "$ready"]
    assert site.do("run", "--", *words) == 0
    assert (site.clone / "words").read_text().splitlines() == ["1", *words]
    assert not (site.clone / "pwned").exists()


@pytest.mark.parametrize(
    ("script", "code"), [("exit 3", 3), ("touch daylily.failed_run", 1), ("kill -9 $$", 137), ("", 0)]
)
def test_how_a_run_ends(site: Site, script: str, code: int) -> None:
    """The exit code counts, and so does what the run says of itself; what an earlier one said, not."""
    site.cloned()
    (site.clone / "daylily.failed_run").touch()
    assert site.do("run", site.program("day_run", script)) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("fsx_export: {status: Success, s3_uri: s3://b/x}", 0),
        ("fsx_export: {status: error, message: no such filesystem}", 74),
        ("fsx_export: {}", 74),
        ("fsx_export: [status]", 74),
        ("[", 74),
        ("", 74),
    ],
)
def test_an_export_says_how_it_went(site: Site, text: str, code: int) -> None:
    """Only ``status: success`` is one, in whatever case."""
    export = site.program("export", f"echo '{text}' > fsx_export.yaml")
    assert site.do("export", "--output", str(site.home / "results"), export) == code


def test_d_29_only_the_export_of_this_run_counts(site: Site, capfd: pytest.CaptureFixture[str]) -> None:
    """D-29: what an earlier run has left of its export is no success of this one."""
    (site.home / "results/fsx_export.yaml").write_text("fsx_export: {status: success}")
    assert site.do("export", "--output", str(site.home / "results"), site.program("e", ":")) == 74
    assert "the export has left no fsx_export.yaml" in capfd.readouterr().err
    assert site.do("export", "--output", str(site.home / "results"), site.program("e", "exit 7")) == 7


def test_jobs_of_the_run_alone_are_canceled(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those submitted from its folder: none of another run, and not the job that cancels."""
    site.cloned()
    listed = [f"11|{site.clone}", f"12|{site.clone}/sub", f"13|{site.clone}", f"14|{site.root}/ws-10"]
    lines = "\n".join(listed)
    site.program("squeue", f"echo '{lines}'")
    site.program("scancel", f'echo "$@" >> {site.home}/canceled')
    monkeypatch.setenv("PATH", f"{site.home}/bin:{os.environ['PATH']}")
    monkeypatch.setenv("SLURM_JOB_ID", "13")
    assert site.do("cancel") == 0
    assert (site.home / "canceled").read_text() == "11 12\n"

    site.program("squeue", ":")
    assert site.do("cancel") == 0
    site.program("squeue", "echo no controller >&2; exit 1")
    assert site.do("cancel") == 69
    assert (site.home / "canceled").read_text() == "11 12\n"


@pytest.mark.parametrize(
    ("do", "code"),
    [
        (lambda site: site.do("stage", "--workset", str(site.home)), 66),
        (lambda site: site.do("run", site.program("x", ":")), 66),
        (lambda site: site.do("clone", "--program=nope"), 127),
        (lambda site: site.do("clone"), 64),
        (lambda site: site.do("clone", site.program("x", "exit 5")), 5),
        (lambda site: site.do("clone", site.program("x", ":")), 66),
        (lambda site: site.do("export", "--output", str(site.home / "nope"), "--program=x"), 127),
    ],
)
def test_what_cannot_be_done(site: Site, do: Callable[[Site], int], code: int) -> None:
    """Each reason has an exit code that says who can mend it."""
    assert do(site) == code


def test_wrong_usage(site: Site) -> None:
    """What makes no sense is told with the usage."""
    with pytest.raises(SystemExit) as caught:
        site.do("dance")
    assert caught.value.code == 64
