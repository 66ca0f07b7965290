"""
The figures as ``summary.tsv`` and ``report.json``. Neither holds a time: the same reads give the
same bytes.
"""

from __future__ import annotations

import json
import platform
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, Final

from attrs import asdict, fields, frozen

from daylily.pipelines.fastq_qc.measure import Result
from daylily.pipelines.fastq_qc.metrics import (
    EXACT_LENGTHS,
    Cycle,
    MateMetrics,
    gc_percent,
    mean,
    percent,
)

SCHEMA: Final = "daylily/fastq-qc"
SCHEMA_VERSION: Final = 1
TOOLS: Final = ("daylily", "dnaio", "sequali", "xopen", "isal")


@frozen
class Figures:
    """The few numbers that stand for some reads; no reads, no numbers."""

    reads: int
    bases: int
    length_min: int
    length_mean: float | None
    length_max: int
    gc_percent: float | None
    n_percent: float | None
    quality_mean: float | None
    q20_percent: float | None
    q30_percent: float | None


def figures(mates: Sequence[MateMetrics]) -> Figures:
    """Return the figures of all *mates* taken together."""
    reads = sum(mate.reads for mate in mates)
    bases = sum(mate.bases for mate in mates)
    letters = sum((Counter(mate.base_counts) for mate in mates), Counter[str]())
    qualities = sum((Counter(dict(mate.qualities)) for mate in mates), Counter[int]())
    return Figures(
        reads=reads,
        bases=bases,
        length_min=min((mate.length_min for mate in mates), default=0),
        length_mean=round(bases / reads, 4) if reads else None,
        length_max=max((mate.length_max for mate in mates), default=0),
        gc_percent=gc_percent(letters),
        n_percent=percent(letters["N"], bases),
        quality_mean=mean(qualities.items()),
        q20_percent=percent(sum(n for q, n in qualities.items() if q >= 20), bases),
        q30_percent=percent(sum(n for q, n in qualities.items() if q >= 30), bases),
    )


COLUMNS: Final = (
    "sample_id",
    "status",
    "layout",
    "lanes",
    "reads",
    "bases",
    "length_min_bases",
    "length_mean_bases",
    "length_max_bases",
    "gc_percent",
    "n_percent",
    "quality_mean_phred",
    "q20_percent_of_bases",
    "q30_percent_of_bases",
    "error",
)


def summary_tsv(results: Sequence[Result]) -> str:
    """Return one line for each sample; a failed one has its fault and no figures."""
    rows = ["\t".join(COLUMNS)]
    for result in results:
        row: list[object] = [
            result.sample_id,
            "failed" if result.fault else "ok",
            "paired" if result.paired else "single",
            result.lanes,
        ]
        if result.fault:
            row += [""] * (len(COLUMNS) - 5) + [str(result.fault)]
        else:
            row += [*asdict(figures(result.mates)).values(), ""]
        rows.append("\t".join("" if cell is None else str(cell) for cell in row))
    return "\n".join(rows) + "\n"


def tools() -> dict[str, str]:
    """Return the versions of what computed the figures."""
    return {"python": platform.python_version(), **{name: version(name) for name in TOOLS}}


def report_json(results: Sequence[Result]) -> str:
    """Return all figures of all samples as JSON."""
    document = {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "tools": tools(),
        "samples": [_sample(result) for result in results],
    }
    return json.dumps(document) + "\n"


def _sample(result: Result) -> dict[str, Any]:
    fault = result.fault
    return {
        "sample_id": result.sample_id,
        "status": "failed" if fault else "ok",
        "error": None if fault is None else asdict(fault),
        "layout": "paired" if result.paired else "single",
        "notes": list(result.notes),
        "files": [asdict(file) for file in result.files],
        "metrics": None
        if fault
        else {
            "total": asdict(figures(result.mates)),
            **{name: _mate(mate) for name, mate in zip(("R1", "R2"), result.mates, strict=False)},
        },
    }


def _mate(mate: MateMetrics) -> dict[str, Any]:
    return {
        **asdict(figures([mate])),
        "base_counts": dict(mate.base_counts),
        "length_histogram": mate.lengths,
        "length_histogram_exact_up_to": EXACT_LENGTHS,
        "base_quality_histogram": mate.qualities,
        "read_quality_histogram": mate.read_qualities,
        "read_gc_percent_histogram": mate.read_gc,
        # A list for each column is a third of the size of an object for each cycle.
        "cycles": {at.name: [getattr(cycle, at.name) for cycle in mate.cycles] for at in fields(Cycle)},
    }
