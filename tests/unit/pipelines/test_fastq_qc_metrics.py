from __future__ import annotations

from collections import Counter

import pytest
from dnaio import SequenceRecord
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.pipelines.fastq_workset import Record, Workset, fastq, reads

from daylily.pipelines.fastq_qc.measure import measure
from daylily.pipelines.fastq_qc.metrics import CYCLES, BadCharactersError, MateMetrics, MateTally
from daylily.pipelines.fastq_qc.results import figures
from daylily.pipelines.fastq_qc.samples import read_samples

QUALITY = st.sampled_from([chr(c) for c in range(33, 127)])
BASE = st.sampled_from("ACGTNacgtnRYKM.")


@st.composite
def records(draw: st.DrawFn) -> list[Record]:
    """Some reads of any length, empty ones among them."""
    lengths = draw(st.lists(st.integers(0, 12), min_size=1, max_size=20))
    return [
        (
            "r",
            "".join(draw(st.lists(BASE, min_size=n, max_size=n))),
            "".join(draw(st.lists(QUALITY, min_size=n, max_size=n))),
        )
        for n in lengths
    ]


def tallied(*batches: list[Record]) -> MateMetrics:
    """Return the figures of reads added in *batches*."""
    tally = MateTally()
    for batch in batches:
        tally.add([SequenceRecord(*record) for record in batch])
    return tally.result()


def letter(base: str) -> str:
    """Return how a base is counted."""
    return base.upper() if base.upper() in "ACGT" else "N"


def assert_as_counted_by_hand(metrics: MateMetrics, wanted: list[Record]) -> None:
    """Compare with the plainest computation there is."""
    bases = [[letter(base) for base in sequence] for _, sequence, _ in wanted]
    phreds = [[ord(c) - 33 for c in quality] for _, _, quality in wanted]
    everything = Counter(base for read in bases for base in read)
    assert metrics.reads == len(wanted)
    assert metrics.bases == sum(map(len, bases))
    assert dict(metrics.base_counts) == {base: everything[base] for base in "ACGTN"}
    assert dict(metrics.lengths) == Counter(map(len, bases))
    assert (metrics.length_min, metrics.length_max) == (min(map(len, bases)), max(map(len, bases)))
    assert dict(metrics.qualities) == Counter(q for read in phreds for q in read)
    gc = Counter[int]()
    for read in bases:
        called = [base for base in read if base != "N"]
        if called:
            # C's round: halves go up
            gc[int(100 * sum(base in "GC" for base in called) / len(called) + 0.5)] += 1
    assert dict(metrics.read_gc) == gc
    assert len(metrics.cycles) == max(map(len, bases))
    for cycle in metrics.cycles:
        at = cycle.cycle - 1
        there = sorted(read[at] for read in phreds if len(read) > at)
        letters = Counter(read[at] for read in bases if len(read) > at)
        assert cycle.bases == len(there)
        assert cycle.mean_quality == round(sum(there) / len(there), 4)
        assert cycle.n_percent == round(100 * letters["N"] / len(there), 4)
        called_there = len(there) - letters["N"]
        gc_there = letters["G"] + letters["C"]
        assert cycle.gc_percent == (round(100 * gc_there / called_there, 4) if called_there else None)
        quantiles = {0.1: cycle.p10_quality, 0.5: cycle.median_quality, 0.9: cycle.p90_quality}
        for share, value in quantiles.items():
            assert sum(q <= value for q in there) >= share * len(there)
            assert sum(q < value for q in there) < share * len(there)


@given(st.lists(records(), min_size=1, max_size=3))
def test_as_counted_by_hand(batches: list[list[Record]]) -> None:
    """Every figure equals the plain computation, however the reads are cut into batches."""
    assert_as_counted_by_hand(tallied(*batches), [record for batch in batches for record in batch])


def test_few_and_many_quality_values() -> None:
    """Both ways of counting a column (few values, many values) are exact, also changing over."""
    few = [("r", "ACGTACGT", quality) for quality in ("FFFF:::,", "FF,,F:F#")] * 50
    many = [*reads(300, length=11), ("r", "A" * 60, "".join(chr(40 + n) for n in range(60)))]
    assert_as_counted_by_hand(tallied(few), few)
    assert_as_counted_by_hand(tallied(few, many, few), few + many + few)


def test_long_reads_keep_the_first_cycles() -> None:
    """Of long reads the first cycles are kept apart, and all bases count in everything else."""
    long = [("r", "ACGT" * 400, "I" * 1200 + "5" * 400), ("r", "AC", "##")]
    metrics = tallied(long)
    assert len(metrics.cycles) == CYCLES
    assert dict(metrics.qualities) == {40: 1200, 20: 400, 2: 2}
    assert metrics.bases == 1602
    assert metrics.cycles[0].mean_quality == 21.0
    assert metrics.cycles[-1].mean_quality == 40.0


@pytest.mark.parametrize(
    ("bases", "quality"), [("AC", "I "), ("AC", "I\x7f"), ("A ", "II"), ("A-", "II")]
)
def test_bad_characters_are_not_counted(bases: str, quality: str) -> None:
    """A batch with a character that FASTQ does not allow is refused as a whole."""
    tally = MateTally()
    with pytest.raises(BadCharactersError):
        tally.add([SequenceRecord("r", "AC", "II"), SequenceRecord("r", bases, quality)])
    assert tally.result().reads == 0


def test_whole_file_as_counted_by_hand(workset: Workset) -> None:
    """From gzip to figures: lanes are added up, mates are kept apart, each file's reads are told."""
    lanes = [(reads(700, seed=n), reads(700, seed=n, mate=2)) for n in range(2)]
    for number, (r1, r2) in enumerate(lanes, 1):
        workset.sample("S", fastq(r1), fastq(r2), lane=str(number))
    (sample,) = read_samples(workset.path)
    result = measure(sample)
    assert_as_counted_by_hand(result.mates[0], lanes[0][0] + lanes[1][0])
    assert_as_counted_by_hand(result.mates[1], lanes[0][1] + lanes[1][1])
    assert [(f.lane, f.mate, f.reads) for f in result.files] == [
        ("1", "R1", 700),
        ("1", "R2", 700),
        ("2", "R1", 700),
        ("2", "R2", 700),
    ]
    assert figures(result.mates).reads == 2800


def test_line_ends_of_windows(workset: Workset) -> None:
    """CR LF line ends, in the FASTQ and in the sheet, change no figure."""
    text = fastq(reads(50))
    workset.line_end = "\r\n"
    workset.sample("A", text)
    workset.sample("B", text.replace(b"\n", b"\r\n"))
    one, two = (measure(sample) for sample in read_samples(workset.path))
    assert one.mates == two.mates


def test_no_line_end_after_the_last_record(workset: Workset) -> None:
    """The last line may lack its line end."""
    workset.sample("S", fastq(reads(50)).rstrip(b"\n"))
    (sample,) = read_samples(workset.path)
    assert measure(sample).reads == 50


def test_old_illumina_qualities_are_noted(workset: Workset) -> None:
    """Qualities that look like Phred+64 are read as Phred+33, and the report says so."""
    workset.sample("S", fastq([("r", "ACGT", "hhgB")]))
    (sample,) = read_samples(workset.path)
    (note,) = measure(sample).notes
    assert "Phred+64" in note
