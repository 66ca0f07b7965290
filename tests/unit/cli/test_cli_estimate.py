"""What a workset will cost, asked on the command line."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.cli.desk import Desk

Make = Callable[..., Path]


def test_nonsense_is_told_under_its_option(desk: Desk) -> None:
    """All that is wrong is told at once, under the options that it is of; no samples are too few."""
    told = desk.faults("estimate", "-p", "wgs", "--samples", 0, "--coverage", "nan", "--data-gb", -1)
    assert told.keys() == {"--samples", "--coverage", "--data-gb"}
    assert "at least one" in told["--samples"]
    assert desk.faults("estimate", "-p", "wgs", "--samples", -1).keys() == {"--samples"}


def test_a_pipeline_must_be_named(desk: Desk) -> None:
    """Without one, the hint names those that can run; a name unknown is a fault of the same place."""
    assert "use one of fastq-qc" in desk.faults("estimate")["pipeline"]
    assert "--pipeline NAME" in desk.faults("estimate")["pipeline"]
    assert "did you mean 'germline'?" in desk.faults("estimate", "-p", "germlin")["pipeline"]


@pytest.mark.parametrize("options", [(), ("--samples", 7)])
def test_a_source_is_counted(desk: Desk, fastq: Make, options: tuple[object, ...]) -> None:
    """Samples are those of the source unless said; what is left out of it is told."""
    folder = fastq("a_R1.fq", "a_R2.fq", "b_R1.fq", "b_R2.fq", "Undetermined_R1.fq")
    assert desk.json("estimate", folder, "-p", "wgs", *options)["sample_count"] == (7 if options else 2)
    assert "Undetermined_R1.fq" in desk.run("estimate", folder, "-p", "wgs").stderr
