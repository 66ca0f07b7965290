"""Samples from the names of FASTQ files alone: every naming pattern of contract 2.9."""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from attrs import evolve

from daylily.domain.errors import Fault, InvalidInputError
from daylily.domain.manifest import FastqPair, Sample, is_fastq

_SUFFIX: Final = r"\.(?:fastq|fq)(?:\.gz|\.bz2)?$"
_PATTERNS: Final = (
    # Illumina: <sample>_S<n>_L<lane>_R<read>_<chunk>; CASAVA had no S<n>, and bcl2fastq
    # --no-lane-splitting leaves the lane out
    re.compile(
        r"^(?P<sample>.+?)(?:_(?P<barcode>S\d+))?(?:_L(?P<lane>\d{3}))?_R(?P<read>[12])_(?P<chunk>\d{3})"
        + _SUFFIX,
        re.IGNORECASE,
    ),
    re.compile(r"^(?P<sample>.+?)(?:_L(?P<lane>\d{3}))?[._]R(?P<read>[12])" + _SUFFIX, re.IGNORECASE),
    re.compile(r"^(?P<sample>.+?)(?:_L(?P<lane>\d{3}))?_(?P<read>[12])" + _SUFFIX, re.IGNORECASE),
)
_INDEX_READ: Final = re.compile(r"_I[12]_\d{3}" + _SUFFIX, re.IGNORECASE)


def samples_of(keys: Iterable[str], *, single_end: bool = False) -> tuple[Sample, ...]:
    """
    Group the FASTQ files among *keys* into samples, mates side by side, sorted by sample id.

    Names that carry no read number are taken as single-end samples of their own. Files that are not
    named like FASTQ are passed over, and so are Illumina's index reads (``_I1_001.fastq.gz``).

    Args:
        single_end: Take a first read without a mate as it is.

    Raises:
        InvalidInputError: A second read has no first, a paired sample lacks a mate in some lane, or
            two files claim the same place. All such faults at once, each under its file's key.
    """
    reads: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    barcodes: dict[str, str] = {}
    faults: list[Fault] = []
    for key in sorted(keys):
        name = key.rpartition("/")[2]
        if not is_fastq(name) or _INDEX_READ.search(name):
            continue
        sample_id, lane, read, barcode = _parse(name)
        place = reads[sample_id, lane]
        if read in place:
            faults.append(
                Fault(key, f"is read {read} of {sample_id!r} lane {lane}, and so is {place[read]}")
            )
        place[read] = key
        barcodes[sample_id] = barcode
    samples: dict[str, Sample] = {}
    for (sample_id, lane), mates in sorted(reads.items()):
        if "1" not in mates:
            faults.append(
                Fault(mates["2"], f"missing mate: there is no read 1 of {sample_id!r} lane {lane}")
            )
            continue
        pair = FastqPair(mates["1"], mates.get("2"), lane)
        sample = samples.get(sample_id) or Sample(
            sample_id=sample_id, pairs=(), barcode=barcodes[sample_id]
        )
        samples[sample_id] = evolve(sample, pairs=(*sample.pairs, pair))
    if not single_end:
        faults.extend(_lonely(samples.values()))
    if faults:
        raise InvalidInputError(faults)
    return tuple(_merged_lane(sample) for sample in samples.values())


def _parse(name: str) -> tuple[str, str, str, str]:
    """Return sample id, lane, read and barcode as the file name has them."""
    for pattern in _PATTERNS:
        if match := pattern.match(name):
            found = match.groupdict()
            lane = str(int(found["lane"] or 0))
            return found["sample"], lane, found["read"], found.get("barcode") or "S1"
    return re.sub(_SUFFIX, "", name, flags=re.IGNORECASE), "0", "1", "S1"


def _lonely(samples: Iterable[Sample]) -> Iterable[Fault]:
    """
    Yield a fault for each first read whose mate is missing.

    A lane without mates is single-end only if it is all there is and its name had no read number.
    """
    for sample in samples:
        for pair in sample.pairs:
            named = any(pattern.match(pair.r1.rpartition("/")[2]) for pattern in _PATTERNS)
            if pair.r2 is None and named:
                yield Fault(
                    pair.r1,
                    f"missing mate: there is no read 2 of {sample.sample_id!r} lane {pair.lane}",
                )


def _merged_lane(sample: Sample) -> Sample:
    """Name the lone lane of a sample ``0``: there is nothing left to merge."""
    if len(sample.pairs) > 1:
        return sample
    return evolve(sample, pairs=(evolve(sample.pairs[0], lane="0"),))
