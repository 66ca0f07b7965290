"""
What is counted over the reads of one mate, in memory that does not grow with their number.

Bases by cycle and GC of each read are counted by sequali, in C. Its quality table is kept in steps
of four Phred units, too coarse for an exact mean, so qualities by cycle are counted here.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from attrs import frozen
from dnaio import SequenceRecord
from sequali import NUMBER_OF_NUCS, A, C, FastqRecordView, G, N, QCMetrics, T

from daylily.pipelines.fastq_qc.reads import BASES, QUALITIES

CYCLES: Final = 1000
EXACT_LENGTHS: Final = 2000
PHRED: Final = 33
PHREDS: Final = ord("~") - PHRED + 1
# Up to here `bytes.count` once for each value beats a Counter; binned qualities (NovaSeq) have four
# values.
FEW_VALUES: Final = 12


class BadCharactersError(Exception):
    """Some record in the batch holds a character that no FASTQ may hold."""


@frozen
class Cycle:
    """One position of the reads, counted from 1."""

    cycle: int
    bases: int
    mean_quality: float
    p10_quality: int
    median_quality: int
    p90_quality: int
    n_percent: float
    gc_percent: float | None


@frozen
class MateMetrics:
    """All figures of one mate (R1 or R2) of a sample."""

    reads: int
    bases: int
    base_counts: Mapping[str, int]
    length_min: int
    length_max: int
    lengths: tuple[tuple[int, int], ...]
    qualities: tuple[tuple[int, int], ...]
    read_qualities: tuple[tuple[int, int], ...]
    read_gc: tuple[tuple[int, int], ...]
    cycles: tuple[Cycle, ...]

    @property
    def looks_like_phred64(self) -> bool:
        """Whether the qualities are more plausible with an offset of 64, as before 2011."""
        present = [quality for quality, _ in self.qualities]
        return bool(present) and present[0] >= 64 - PHRED and present[-1] > 45


class MateTally:
    """Counts batches of reads."""

    def __init__(self) -> None:
        self._sequali = QCMetrics(end_anchor_length=0)
        self._lengths: Counter[int] = Counter()
        self._length_min: int | None = None
        self._bases = 0
        # One row for each cycle, indexed by the quality character; index 0 takes the padding.
        self._cycles: list[array[int]] = []
        self._later: Counter[int] = Counter()
        self._seen = b""

    def add(self, records: Sequence[SequenceRecord]) -> None:
        """
        Count *records*, or none of them.

        Raises:
            BadCharactersError: A sequence or a quality string holds a character that is not allowed.
        """
        if not records:
            return
        qualities = [record.qualities_as_bytes() for record in records]
        self._check(qualities, records)
        # One by one: sequali 1.0.2 never lets go of the reads a FastqRecordArrayView is made of.
        for r in records:
            self._sequali.add_read(FastqRecordView("", r.sequence, r.qualities or ""))
        sizes = Counter(map(len, qualities))
        for size, reads in sizes.items():
            self._lengths[length_bin(size)] += reads
            self._bases += size * reads
        shortest, longest = min(sizes), max(sizes)
        self._length_min = shortest if self._length_min is None else min(shortest, self._length_min)
        self._count_qualities(
            qualities, min(longest, CYCLES), padded=shortest < longest or longest > CYCLES
        )
        if longest > CYCLES:
            self._later.update(b"".join(q[CYCLES:] for q in qualities))

    def _check(self, qualities: Iterable[bytes], records: Iterable[SequenceRecord]) -> None:
        # Deleting the characters met before leaves nothing to look at in all but the first batches.
        unseen = set(b"".join(qualities).translate(None, self._seen))
        if not unseen.issubset(QUALITIES):
            raise BadCharactersError
        self._seen += bytes(sorted(unseen))
        if "".join(r.sequence for r in records).encode().translate(None, BASES):
            raise BadCharactersError

    def _count_qualities(self, qualities: Iterable[bytes], width: int, *, padded: bool) -> None:
        if padded:
            qualities = (q[:width].ljust(width, b"\0") for q in qualities)
        block = b"".join(qualities)
        while len(self._cycles) < width:
            self._cycles.append(array("Q", bytes(8 * (PHRED + PHREDS))))
        for cycle in range(width):
            column = block[cycle::width]
            row = self._cycles[cycle]
            if len(self._seen) <= FEW_VALUES:
                for value in self._seen:
                    row[value] += column.count(value)
            else:
                for value, number in Counter(column).items():
                    row[value] += number

    def result(self) -> MateMetrics:
        """Return the figures so far."""
        table = self._sequali.base_count_table()
        rows = [row[PHRED:] for row in self._cycles]
        qualities = [sum(row[q] for row in rows) + self._later[q + PHRED] for q in range(PHREDS)]
        return MateMetrics(
            reads=self._sequali.number_of_reads,
            bases=self._bases,
            base_counts={
                name: sum(table[at::NUMBER_OF_NUCS])
                for name, at in zip("ACGTN", (A, C, G, T, N), strict=True)
            },
            length_min=self._length_min or 0,
            length_max=self._sequali.max_length,
            lengths=tuple(sorted(self._lengths.items())),
            qualities=_present(qualities),
            read_qualities=_present(self._sequali.phred_scores()),
            read_gc=_present(self._sequali.gc_content()),
            cycles=tuple(
                _cycle(number, row, table[NUMBER_OF_NUCS * (number - 1) : NUMBER_OF_NUCS * number])
                for number, row in enumerate(rows, 1)
            ),
        )


def length_bin(length: int) -> int:
    """
    Return the length under which a read of *length* is counted: itself, or three leading digits of it.

    >>> [length_bin(n) for n in (151, 2000, 2005, 12345, 1234567)]
    [151, 2000, 2000, 12300, 1230000]
    """
    if length <= EXACT_LENGTHS:
        return length
    step: int = 10 ** (len(str(length)) - 3)
    return length - length % step


def percent(part: float, whole: float) -> float | None:
    """Return *part* in percent of *whole*, to four decimals; of nothing there is no percentage."""
    return round(100 * part / whole, 4) if whole else None


def gc_percent(bases: Mapping[str, int]) -> float | None:
    """Return the share of G and C among the bases that were called (N is left out)."""
    gc = bases["G"] + bases["C"]
    return percent(gc, gc + bases["A"] + bases["T"])


def mean(histogram: Iterable[tuple[int, int]]) -> float | None:
    """
    Return the arithmetic mean of a histogram of (value, count), to four decimals.

    >>> mean([(30, 1), (40, 3)])
    37.5
    """
    total = number = 0
    for value, times in histogram:
        total += value * times
        number += times
    return round(total / number, 4) if number else None


def quantile(counts: Sequence[int], share: float) -> int:
    """Return the smallest index up to which at least *share* of all *counts* lie."""
    wanted, so_far = share * sum(counts), 0
    for index, number in enumerate(counts):
        so_far += number
        if number and so_far >= wanted:
            return index
    return 0


def _cycle(number: int, row: array[int], bases: Sequence[int]) -> Cycle:
    called = bases[A] + bases[C] + bases[G] + bases[T]
    return Cycle(
        cycle=number,
        bases=sum(row),
        mean_quality=mean(enumerate(row)) or 0.0,
        p10_quality=quantile(row, 0.1),
        median_quality=quantile(row, 0.5),
        p90_quality=quantile(row, 0.9),
        n_percent=percent(bases[N], called + bases[N]) or 0.0,
        gc_percent=percent(bases[G] + bases[C], called),
    )


def _present(counts: Iterable[int]) -> tuple[tuple[int, int], ...]:
    return tuple((value, number) for value, number in enumerate(counts) if number)
