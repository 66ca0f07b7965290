"""What is taken of folders and sheets, what is left out, and what is said of both."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.cli.desk import Desk, sheet

Make = Callable[..., Path]
QC = ("-p", "fastq-qc")


def work(folder: Path, text: str) -> Path:
    """Write a daylily_work.yaml."""
    path = folder / "daylily_work.yaml"
    path.write_text(text)
    return path


# Keys and columns


@pytest.mark.parametrize("command", ["validate", "submit"])
def test_a_misspelt_key_is_refused(desk: Desk, pair: Path, command: str) -> None:
    """A key that is nearly one of ours is a fault at its key path, and nothing is stored."""
    path = work(
        pair,
        "pipeline: fastq-qc\npriorty: urgent\nsamples:\n"
        "- {sample_id: NA1, fastq_r1: NA1_R1.fastq.gz, mate: NA1_R2.fastq.gz}\n",
    )
    told = desk.faults(command, path)
    assert "did you mean 'priority'?" in told["priorty"]
    assert "names FASTQ files" in told["samples[0].mate"]
    assert desk.stored() == ([], [], [])


@pytest.mark.parametrize("command", ["validate", "submit"])
def test_a_key_of_nobody_is_named(desk: Desk, pair: Path, command: str) -> None:
    """A key unlike any of ours is told on standard error and as JSON, and does no harm."""
    path = work(
        pair,
        "pipeline: fastq-qc\noperator: Ada\nsamples:\n"
        "- {sample_id: NA1, fastq_r1: NA1_R1.fastq.gz, fastq_r2: NA1_R2.fastq.gz, tissue: liver}\n",
    )
    result = desk.run(command, path)
    assert result.exit_code == 0
    assert "ignored, since daylily knows no such key" in result.stderr
    assert "operator, samples[0].tissue" in result.stderr
    assert desk.json(command, path)["ignored"] == ["operator", "samples[0].tissue"]


def test_columns(desk: Desk, pair: Path) -> None:
    """Columns of a sheet are held to the same rule as keys."""
    path = pair / "run.csv"
    path.write_text("sample,fastq_1,fastq_2,lanes\nNA1,NA1_R1.fastq.gz,NA1_R2.fastq.gz,1\n")
    assert "did you mean 'lane'?" in desk.faults("validate", path, *QC)["row 1, lanes"]
    path.write_text("sample,fastq_1,fastq_2,sex\nNA1,NA1_R1.fastq.gz,NA1_R2.fastq.gz,XX\n")
    assert desk.json("validate", path, *QC)["ignored"] == ["column sex"]


def test_both_files_of_a_worksets_folder(desk: Desk, pair: Path) -> None:
    """Where there are two files, it is said in which of them a key is."""
    sheet(pair, {})
    work(pair, "pipeline: fastq-qc\noperator: Ada\n")
    assert desk.json("validate", pair)["ignored"] == ["daylily_work.yaml: operator"]
    work(pair, "pipeline: fastq-qc\npriorty: low\n")
    assert desk.faults("validate", pair).keys() == {"daylily_work.yaml: priorty"}


# Counts and pairs


def test_validate_shows_the_pairs(desk: Desk, fastq: Make) -> None:
    """Which files are which reads of which sample is shown, and the files counted are those."""
    folder = fastq("a_R1.fq", "a_R2.fq", "b.fq", "Undetermined_R1.fq")
    lines = [line.split() for line in desk.ok("validate", folder, *QC).splitlines()]
    assert lines[:3] == [
        ["SAMPLE", "LANE", "R1", "R2"],
        ["a", "0", "a_R1.fq", "a_R2.fq"],
        ["b", "0", "b.fq", "(single-end)"],
    ]
    told = desk.json("validate", folder, *QC)
    assert told["file_count"] == 3
    assert told["samples"] == [
        {"sample_id": "a", "lanes": [{"lane": "0", "r1": "a_R1.fq", "r2": "a_R2.fq"}]},
        {"sample_id": "b", "lanes": [{"lane": "0", "r1": "b.fq", "r2": None}]},
    ]


def test_only_the_files_of_the_manifest_count(desk: Desk, pair: Path) -> None:
    """A file that is named elsewhere in the source is neither counted nor sent."""
    (pair / "other.fq").write_bytes((pair / "NA1_R1.fastq.gz").read_bytes())
    path = sheet(pair, {"EXTERNAL_SAMPLE_ID": "other.fq"})
    assert desk.json("validate", path, *QC)["file_count"] == 2


# Folders


def test_what_is_left_out_is_named(desk: Desk, fastq: Make) -> None:
    """Index reads, undetermined reads and folders below are told on standard error and as JSON."""
    folder = fastq("a_R1.fq", "a_R2.fq", "a_I1.fq", "Undetermined_R1.fq", "old/b_R1.fq", ".x/c.fq")
    left_out = ["Undetermined_R1.fq", "a_I1.fq", "old/"]
    assert desk.json("validate", folder, *QC)["left_out"] == left_out
    told = desk.run("submit", folder, *QC)
    assert told.exit_code == 0
    for name in left_out:
        assert name in told.stderr
    assert desk.json("submit", folder, *QC)["left_out"] == left_out


@pytest.mark.parametrize(("exit_code", "state", "code"), [(0, "complete", 0), (2, "error", 1)])
def test_what_is_left_out_is_told_with_the_end(
    desk: Desk,
    fastq: Make,
    monkeypatch: pytest.MonkeyPatch,
    exit_code: int,
    state: str,
    code: int,
) -> None:
    """Who waits and wants JSON gets one document: the workset as it ended, and what was left out."""

    def a_moment_later(_: float) -> None:
        desk.ok("monitor", "--once")
        [key] = [job.key for job in desk.engine.submitted]
        desk.engine.end(key, exit_code=exit_code, message="bad reads")
        desk.ok("monitor", "--once")

    monkeypatch.setattr("daylily.entrypoints.cli.watch.time.sleep", a_moment_later)
    folder = fastq("a_R1.fq", "a_R2.fq", "a_I1.fq")
    result = desk.run("submit", folder, *QC, "--wait", "--json")
    assert result.exit_code == code
    told = json.loads(result.stdout)
    assert (told["state"], told["left_out"], told["ignored"]) == (state, ["a_I1.fq"], [])


def test_nothing_but_what_is_left_out(desk: Desk, fastq: Make) -> None:
    """A folder of Undetermined reads alone is no workset; folders below with reads are named."""
    folder = fastq("Undetermined_S0_R1_001.fq", "Undetermined_S0_R2_001.fq")
    told = desk.faults("validate", folder, *QC)[str(folder)]
    assert "belong to no sample" in told
    assert "sheet" in told
    fastq("project/s/a_R1.fq", "project/s/a_R2.fq")
    assert "2 in project/s/: name that folder" in desk.faults("validate", folder, *QC)[str(folder)]


@pytest.mark.parametrize(
    ("names", "hinted"),
    [
        (("a-R1.fq",), True),
        (("a-1.fq", "a-2.fq"), True),
        (("a_R1_trimmed.fq", "a_R2_trimmed.fq"), False),
        (("a_R2.fq",), False),
    ],
)
def test_single_end_is_offered_where_it_helps(
    desk: Desk, fastq: Make, names: tuple[str, ...], hinted: bool
) -> None:
    """Half a pair is a missing mate; --single-end is offered where it would cure that, and does."""
    folder = fastq(*names)
    told = desk.faults("validate", folder, *QC)
    assert told.keys() == {*names}
    assert all(("--single-end" in message) is hinted for message in told.values())
    if hinted:
        made = desk.json("validate", folder, *QC, "--single-end")
        assert made["sample_count"] == len(names)


def test_a_folder_below_the_data_root(desk: Desk, fastq: Make, tmp_path: Path) -> None:
    """--data-root may be a folder above, so that links out of the folder stay within it."""
    folder = fastq("a_R1.fq", "a_R2.fq", "store/b_R1.fq", "store/b_R2.fq", folder="data/reads")
    (tmp_path / "data" / "store").mkdir()
    for name in ("a_R1.fq", "a_R2.fq"):
        (folder / name).rename(tmp_path / "data" / "store" / name)
        (folder / name).symlink_to(tmp_path / "data" / "store" / name)
    assert "--data-root" in desk.faults("validate", folder, *QC)["a_R1.fq"]
    told = desk.json("validate", folder, *QC, "--data-root", tmp_path / "data")
    assert told["samples"][0]["lanes"][0]["r1"] == "reads/a_R1.fq"
    assert told["left_out"] == ["reads/store/"]
    (tmp_path / "other").mkdir()
    told = desk.faults("validate", folder, *QC, "--data-root", tmp_path / "other")
    assert "does not hold" in told["--data-root"]


# Paths


@pytest.mark.parametrize("through", ["itself", "a link above", "a link as its root"])
def test_full_paths_below_the_root(desk: Desk, pair: Path, tmp_path: Path, through: str) -> None:
    """Paths given in full are taken where they lie below the root, however either is spelt."""
    (tmp_path / "link").symlink_to(pair)
    written = pair if through == "itself" else tmp_path / "link"
    options = ("--data-root", tmp_path / "link") if through == "a link as its root" else ()
    path = pair / "run.csv"
    path.write_text(f"sample,fastq_1,fastq_2\nA,{written}/NA1_R1.fastq.gz,./NA1_R2.fastq.gz\n")
    made = desk.json("submit", path, *QC, *options)
    assert made["samples"][0]["files"] == [
        "sample_data/NA1_R1.fastq.gz",
        "sample_data/NA1_R2.fastq.gz",
    ]
    for other in (
        sheet(pair, {"R1_FQ": f"{written}/NA1_R1.fastq.gz"}),
        work(pair, f"samples: [{{id: A, r1: {written}/NA1_R1.fastq.gz, r2: NA1_R2.fastq.gz}}]"),
    ):
        told = desk.json("validate", other, *QC, *options)
        assert told["samples"][0]["lanes"][0]["r1"] == "NA1_R1.fastq.gz"
        other.unlink()


def test_full_paths_elsewhere(desk: Desk, pair: Path, tmp_path: Path) -> None:
    """A path that lies elsewhere is one fault, which says where it should be and what to do."""
    path = sheet(
        pair,
        {"R1_FQ": "/elsewhere/a.fq", "R2_FQ": f"{tmp_path}/b.fq"},
        {"SAMPLE_ID": "NA2", "R1_FQ": f"{pair}/../c.fq", "R2_FQ": "s3://bucket/d.fq"},
    )
    told = desk.faults("validate", path, *QC)
    for place in ("row 2, R1_FQ", "row 2, R2_FQ"):
        assert f"it is not in {pair}" in told[place]
        assert "--data-root" in told[place]
    assert ".." in told["row 3, R1_FQ"]
    assert "fetch it first" in told["row 3, R2_FQ"]
    assert len(json.loads(desk.run("validate", path, *QC, "--json").stdout)["faults"]) == 4


@pytest.mark.parametrize("root", ["gone", "file.csv"])
def test_a_root_that_is_none(desk: Desk, pair: Path, root: str) -> None:
    """A --data-root that is not there, or no folder, is the one fault told."""
    path = pair / "file.csv"
    path.write_text("sample,fastq_1,fastq_2\nA,NA1_R1.fastq.gz,NA1_R2.fastq.gz\n")
    told = desk.faults("validate", path, *QC, "--data-root", pair / root)
    assert told.keys() == {"--data-root"}


# One fault for one mistake


@pytest.mark.parametrize(
    "text", ["pipeline: [", "pipeline: fastq-qc\n\tpriority: low\n", "- a\n", "&a x: y\n"]
)
def test_broken_yaml_is_one_fault(desk: Desk, pair: Path, text: str) -> None:
    """Of a YAML file that cannot be read it is not also said that it names no pipeline."""
    told = json.loads(desk.run("validate", work(pair, text), "--json").stdout)
    assert len(told["faults"]) == 1


def test_a_fault_of_the_yaml_hides_no_other(desk: Desk, pair: Path) -> None:
    """What the file says rightly counts: its pipeline is not missed, and its wrong one is told."""
    text = "pipeline: {}\npriority: soon\nsamples: [{{id: a, r1: NA1_R1.fastq.gz}}]\n"
    assert desk.faults("validate", work(pair, text.format("fastq-qc"))).keys() == {"priority"}
    told = desk.faults("validate", work(pair, text.format("fastqc")))
    assert told.keys() == {"priority", "pipeline"}


@pytest.mark.parametrize(
    ("name", "separator", "hint"),
    [("run.csv", ";", "semicolons"), ("run.csv", "\t", "TABs"), ("run.tsv", "\t", "TABs")],
)
def test_separators(desk: Desk, pair: Path, name: str, separator: str, hint: str) -> None:
    """A sheet with another separator is one fault that names it."""
    path = pair / name
    text = "sample,fastq_1,fastq_2\nA,NA1_R1.fastq.gz,NA1_R2.fastq.gz\n"
    path.write_text(text.replace(",", separator))
    told = desk.faults("validate", path, *QC)
    assert told.keys() == {"row 1"}
    assert f"separated by {hint}; save the sheet with commas" in told["row 1"]
