"""A workset of real reads, and its life on whatever engine the settings have chosen."""

import time
from pathlib import Path
from typing import Final

from daylily.application.submit_workset import Submission
from daylily.bootstrap import App
from daylily.domain.customers import Principal
from daylily.domain.lifecycle import TERMINAL
from daylily.domain.manifest import FastqPair, Sample
from daylily.domain.workset import Workset
from daylily.testing.contracts.compute import DEADLINE

ADA: Final = Principal(name="ada", customer_id="local")
_READS: Final = Path(__file__).parents[2] / "examples" / "fastq-qc" / "reads"


def measured(app: App) -> Workset:
    """Have a pair of files go through the shipped pipeline; return the workset once it has ended."""
    files = sorted(_READS.glob("*.fastq.gz"))[:2]
    for file in files:
        with file.open("rb") as source:
            app.files.put(ADA, "local", file.name, source)
    sample = Sample(sample_id="A", pairs=(FastqPair(files[0].name, files[1].name),))
    submission = Submission(name="on an engine", pipeline="fastq-qc", samples=(sample,))
    workset_id = app.submit(ADA, "local", submission).workset_id
    end = time.monotonic() + DEADLINE
    while (now := app.read.get(ADA, workset_id)).state not in TERMINAL:
        assert time.monotonic() < end, now
        report = app.cycle()
        assert not report.faults, report.faults
        time.sleep(0.1)
    return now


def results(app: App, workset: Workset) -> set[str]:
    """Return the names of the files among its results."""
    found = app.read.results(ADA, workset.workset_id).items
    return {info.key.rpartition("/")[2] for info in found}
