from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.pipelines.fastq_workset import Workset

from daylily.pipelines.fastq_qc.faults import SheetError
from daylily.pipelines.fastq_qc.samples import read_samples


def faults_of(workset: Workset) -> tuple[str, ...]:
    """Return what is wrong with the sheet."""
    with pytest.raises(SheetError) as caught:
        read_samples(workset.path)
    return caught.value.faults


def test_lanes_of_one_sample(workset: Workset) -> None:
    """Rows with the same SAMPLE_ID are lanes of one sample, which keeps its first place."""
    workset.row("B", "d/1.fq", lane="1")
    workset.row("A", "d/2.fq", "d/3.fq")
    workset.row("B", "d/4.fq", "na", lane="2")
    first, second = read_samples(workset.path)
    assert (first.sample_id, [lane.lane for lane in first.lanes], first.paired) == (
        "B",
        ["1", "2"],
        False,
    )
    assert (second.sample_id, second.paired) == ("A", True)


@pytest.mark.parametrize(
    "name", ["../x.fq", "d/../../x.fq", "/etc/passwd", "s3://b/x.fq", "d\\..\\x", "d/\x07"]
)
@pytest.mark.parametrize("column", ["R1_FQ", "R2_FQ"])
def test_paths_stay_inside(workset: Workset, name: str, column: str) -> None:
    """A path that is not plainly inside the workset is refused, with line and column."""
    workset.row("S", *((name, "") if column == "R1_FQ" else ("d/1.fq", name)))
    (fault,) = faults_of(workset)
    assert fault.startswith(f"stage_samples.tsv: line 2, column {column}: ")
    assert "must be a path relative to the workset directory" in fault


@pytest.mark.parametrize("link", ["file", "directory"])
def test_links_stay_inside(workset: Workset, tmp_path: Path, link: str) -> None:
    """A symbolic link out of the workset is refused, be it the file or a directory before it."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x.fq").write_text("@r\nA\n+\nI\n")
    if link == "file":
        (workset.path / "d").mkdir()
        (workset.path / "d/x.fq").symlink_to(outside / "x.fq")
    else:
        (workset.path / "d").symlink_to(outside)
    workset.row("S", "d/x.fq")
    assert "leads out of the workset directory" in faults_of(workset)[0]


def test_loop_of_links(workset: Workset) -> None:
    """A link to itself is a fault of the sheet or of a missing file, never a crash."""
    (workset.path / "a.fq").symlink_to(workset.path / "a.fq")
    workset.row("S", "a.fq")
    assert "cannot be followed" in faults_of(workset)[0]


def test_links_inside_are_followed(workset: Workset) -> None:
    """A link to another place in the workset is fine."""
    real = workset.path / workset.file("x", b"")
    (workset.path / "link.fq.gz").symlink_to(real)
    workset.row("S", "link.fq.gz")
    assert read_samples(workset.path)[0].lanes[0].r1.path == real.resolve()


def test_all_faults_at_once(workset: Workset) -> None:
    """Every fault of the sheet is told in one go."""
    workset.row("", "d/1.fq")
    workset.row("S", "", "d/2.fq")
    workset.row("T", "d/1.fq")
    workset.row("U", "d/3.fq", "d/4.fq")
    workset.row("U", "d/5.fq")
    assert [fault.partition(": ")[2].partition(":")[0] for fault in faults_of(workset)] == [
        "line 2, column SAMPLE_ID",
        "line 3, column R1_FQ",
        "line 4, column R1_FQ",
        "sample U",
    ]


@pytest.mark.parametrize(
    ("sheet", "message"),
    [
        (b"", "lacks the column(s) SAMPLE_ID, R1_FQ"),
        (b"SAMPLE_ID\tR2_FQ\n", "lacks the column(s) R1_FQ"),
        (b"SAMPLE_ID\tR1_FQ\n\n", "no sample under the header line"),
        (b"SAMPLE_ID\tR1_FQ\nS\xff\tx\n", "not UTF-8"),
    ],
)
def test_unusable_sheets(workset: Workset, sheet: bytes, message: str) -> None:
    """A sheet that is no sheet is refused in words."""
    (workset.path / "stage_samples.tsv").write_bytes(sheet)
    assert message in faults_of(workset)[0]


def test_stray_quotes_and_byte_order_mark(workset: Workset) -> None:
    """A quote is a character like any other, and a byte order mark before the header is skipped."""
    text = '\ufeffSAMPLE_ID\tR1_FQ\n"S\td/1.fq\nT"\td/2.fq\n'
    (workset.path / "stage_samples.tsv").write_text(text, encoding="utf-8")
    assert [sample.sample_id for sample in read_samples(workset.path)] == ['"S', 'T"']
