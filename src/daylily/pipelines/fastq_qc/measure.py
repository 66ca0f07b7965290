"""Measure one sample: all lanes, both mates, in step."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

from attrs import field, frozen
from dnaio import SequenceRecord, records_are_mates

from daylily.pipelines.fastq_qc.faults import Fault, Kind, SampleError, quoted
from daylily.pipelines.fastq_qc.metrics import BadCharactersError, MateMetrics, MateTally
from daylily.pipelines.fastq_qc.reads import FastqFile
from daylily.pipelines.fastq_qc.samples import Lane, Sample

LARGEST_BATCH: Final = 1024
BASES_IN_BATCH: Final = 2_000_000

Report = Callable[[int], None]
"""Told, at most once a second, how many reads of the sample are done."""


@frozen
class FileReads:
    """How many reads one file of one lane holds."""

    file: str
    lane: str
    mate: str
    reads: int


@frozen
class Result:
    """What is known of one sample in the end: its figures, or its fault."""

    sample_id: str
    paired: bool
    lanes: int
    fault: Fault | None = None
    files: tuple[FileReads, ...] = ()
    mates: tuple[MateMetrics, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def reads(self) -> int:
        """Reads of both mates."""
        return sum(mate.reads for mate in self.mates)


def measure(sample: Sample, report: Report = lambda reads: None) -> Result:
    """Return the figures of *sample*, or its fault: damaged data is a result, not an exception."""
    tallies = [MateTally() for _ in range(2 if sample.paired else 1)]
    files: list[FileReads] = []
    pace = _Pace(report)
    try:
        for lane in sample.lanes:
            files += _measure_lane(lane, tallies, pace)
    except SampleError as error:
        return Result(sample.sample_id, sample.paired, len(sample.lanes), fault=error.fault)
    mates = tuple(tally.result() for tally in tallies)
    return Result(
        sample_id=sample.sample_id,
        paired=sample.paired,
        lanes=len(sample.lanes),
        files=tuple(files),
        mates=mates,
        notes=tuple(
            f"{name}: the qualities look like Phred+64 (Illumina before 2011) and are shown 31 too high"
            for name, mate in zip(("R1", "R2"), mates, strict=False)
            if mate.looks_like_phred64
        ),
    )


class _Pace:
    """Passes the count on, but not more often than once a second."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._reads = 0
        self._next = time.monotonic() + 1

    def add(self, reads: int) -> None:
        self._reads += reads
        now = time.monotonic()
        if now >= self._next:
            self._next = now + 1
            self._report(self._reads)


def _measure_lane(lane: Lane, tallies: list[MateTally], pace: _Pace) -> list[FileReads]:
    with ExitStack() as stack:
        files = [stack.enter_context(FastqFile(file)) for file in (lane.r1, lane.r2) if file]
        size, longest = 16, 1
        while True:
            before = files[0].reads
            batches = [file.take(size) for file in files]
            if len(files) == 2:
                _check_mates(files[0], files[1], batches[0], batches[1], before)
            for file, batch, tally in zip(files, batches, tallies, strict=True):
                try:
                    tally.add(batch)
                except BadCharactersError as error:
                    raise file.damage(error) from None
            if len(batches[0]) < size:
                break
            pace.add(sum(map(len, batches)))
            # Batches grow to the size that is fastest, unless long reads would make them heavy.
            longest = max(longest, *(len(record) for batch in batches for record in batch))
            size = max(1, min(LARGEST_BATCH, 4 * size, BASES_IN_BATCH // longest))
        for file in files:
            if not file.reads:
                raise SampleError(Fault(Kind.DAMAGED, "the file holds no reads", file.file.name))
        return [
            FileReads(file.file.name, lane.lane, mate, file.reads)
            for file, mate in zip(files, ("R1", "R2"), strict=False)
        ]


def _check_mates(
    r1: FastqFile,
    r2: FastqFile,
    batch1: list[SequenceRecord],
    batch2: list[SequenceRecord],
    before: int,
) -> None:
    """
    Check that the batches, of which the first record has number *before* + 1, are mates of each other.

    Raises:
        SampleError: Two names differ, or one file has fewer records.
    """
    for number, (one, two) in enumerate(zip(batch1, batch2, strict=False), before + 1):
        if not records_are_mates(one, two):
            message = f"the name is {quoted(two.name)}, but in {r1.file.name} it is {quoted(one.name)}"
            raise SampleError(Fault(Kind.DAMAGED, message, r2.file.name, number))
    if len(batch1) == len(batch2):
        return
    shorter, longer = (r1, r2) if len(batch1) < len(batch2) else (r2, r1)
    if shorter.reads:
        common = f"the file ends after {shorter.reads} records, but {longer.file.name} has more"
        raise SampleError(Fault(Kind.DAMAGED, common, shorter.file.name, shorter.reads + 1))
    raise SampleError(Fault(Kind.DAMAGED, "the file holds no reads", shorter.file.name))
