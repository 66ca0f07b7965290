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


def measured(app: App, pipeline: str = "fastq-qc", names: str = "A") -> Workset:
    """
    Have a pair of files go through a pipeline; return the workset once it has ended.

    Args:
        pipeline: The one that is shipped, or another of the settings.
        names: Of the samples, one character each, all each of copies of the same files.
    """
    files = sorted(_READS.glob("*.fastq.gz"))[:2]
    samples = []
    for name in names:
        keys = [f"{name}_{file.name}" for file in files]
        for key, file in zip(keys, files, strict=True):
            with file.open("rb") as source:
                app.files.put(ADA, "local", key, source)
        samples.append(Sample(sample_id=name, pairs=(FastqPair(keys[0], keys[1]),)))
    submission = Submission(name="on an engine", pipeline=pipeline, samples=tuple(samples))
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


def listed(app: App, workset: Workset) -> dict[str, str]:
    """Return the checksums that were listed beside its results, by name."""
    with app.read.open_result(ADA, workset.workset_id, "manifest.sha256") as file:
        lines = file.read().decode().splitlines()
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
