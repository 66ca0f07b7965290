"""The table of worksets on terminals of all widths."""

from io import StringIO

import pytest
from attrs import evolve
from rich.console import Console

from daylily.entrypoints.cli.listing import Listing
from daylily.entrypoints.views import ProgressView, WorksetView

SHORT = WorksetView(
    workset_id="run-7-exome-k3v9x0q2ab",
    workset_name="Run 7",
    customer_id="acme-genomics",
    state="error",
    priority="normal",
    pipeline_type="fastq-qc",
    reference_genome="GRCh38",
    sample_count=12,
    bucket="",
    prefix="",
    created_at="2025-06-02T12:00:00Z",
    updated_at="2025-06-02T12:00:00Z",
    submitted_by="ada",
    error_details="exit code 65: sample NA1: sample_data/NA1_R1.fastq.gz: record 812: is cut short",
)
LONG = evolve(
    SHORT,
    workset_id="batch-2025-06-02-of-the-north--k3v9x0q2ab",
    state="in_progress",
    cancel_requested_by="ada",
    error_details=None,
    progress=ProgressView(done=1, total=3, message="sample NA1: 1000 reads so far"),
)


def shown(width: int, *worksets: WorksetView, customers: bool = False) -> str:
    """Return what a terminal of that width shows."""
    console = Console(file=StringIO(), width=width, color_system=None)
    console.print(Listing(worksets, customers))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("customers", [False, True])
@pytest.mark.parametrize("width", [66, 72, 80, 100, 132, 200, 500])
def test_ids_and_states_are_whole(width: int, customers: bool) -> None:
    """However little room there is, each id and state stands whole in the line of its workset."""
    text = shown(width, LONG, SHORT, customers=customers)
    heads = [line.split("  ")[0] for line in text.splitlines()]
    assert heads[0].strip() == "ID"
    assert heads[1:] == [LONG.workset_id, SHORT.workset_id]
    assert "in_progress (canceling)" in text
    assert all(len(line) <= width for line in text.splitlines())


def test_progress_shrinks_first() -> None:
    """On 80 columns the end of the message is what gives way, visibly; wider, all is there."""
    narrow, wide = shown(80, SHORT), shown(200, SHORT)
    assert "fastq-qc" in narrow
    assert "exit code 65: s" in narrow
    assert "…" in narrow
    assert SHORT.error_details is not None
    assert SHORT.error_details in wide
    for title in ("PRIORITY", "PIPELINE", "SAMPLES", "CREATED"):
        assert title in wide


def test_an_id_is_folded_before_it_is_cut() -> None:
    """Where not even id and state fit, the id goes on in the next line."""
    lines = shown(40, LONG).splitlines()[1:]
    assert "".join(line.split("  ")[0].strip() for line in lines) == LONG.workset_id
