"""What a workset is made of: samples, their FASTQ pairs, a reference genome and a pipeline."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Final, Self

from attrs import evolve, frozen

from daylily.domain.errors import Fault, InvalidInputError
from daylily.domain.names import key_fault

SAMPLE_ID_PATTERN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
# Sheets write "na" where nothing is said, so no lane can be called that.
LANE_PATTERN: Final = re.compile(r"(?!(?:na|NA|Na|nA)\Z)[A-Za-z0-9]{1,16}")
WORD_PATTERN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+-]{0,63}")
LINE_PATTERN: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]{0,1024}")
_FASTQ: Final = re.compile(r"\.(?:fastq|fq)(?:\.gz|\.bz2)?\Z", re.IGNORECASE)
MAX_SAMPLES: Final = 10_000

_GENOMES: Final = {
    "GRCh38": ("hg38",),
    "GRCh37": ("hg19",),
    "T2T-CHM13": ("chm13", "t2t", "hs1"),
    "GRCm39": ("mm39",),
}
REFERENCE_GENOMES: Final = tuple(_GENOMES)
_ALIASES: Final = {
    alias.lower(): genome for genome, aliases in _GENOMES.items() for alias in (genome, *aliases)
}


def reference_genome(name: str) -> str:
    """
    Return the standard name of a reference genome, given it or an alias (``hg38``, ``grch38``).

    Raises:
        InvalidInputError: No genome we know goes by that name.
    """
    genome = _ALIASES.get(name.strip().lower())
    if genome is None:
        known = ", ".join(REFERENCE_GENOMES)
        raise InvalidInputError.of(
            "reference_genome", f"{name[:80]!r} is not known; use one of {known}"
        )
    return genome


class Vendor(StrEnum):
    """Sequencing vendors under the only codes that the staging step understands (contract 2.9)."""

    ILLUMINA = "ILMN"
    NANOPORE = "ONT"
    PACBIO = "PACBIO"
    ULTIMA = "UG"

    @classmethod
    def _missing_(cls, value: object) -> "Vendor | None":
        return _VENDOR_ALIASES.get(str(value).strip().upper())


_VENDOR_ALIASES: Final = {
    "ILMN": Vendor.ILLUMINA,
    "ILLUMINA": Vendor.ILLUMINA,
    "ONT": Vendor.NANOPORE,
    "NANOPORE": Vendor.NANOPORE,
    "OXFORD NANOPORE": Vendor.NANOPORE,
    "PACBIO": Vendor.PACBIO,
    "PACIFIC BIOSCIENCES": Vendor.PACBIO,
    "UG": Vendor.ULTIMA,
    "ULTIMA": Vendor.ULTIMA,
}


@frozen
class Seal:
    """How a file was when its workset was taken in: what is not so any more is another file."""

    size: int
    """Bytes."""
    etag: str
    """What the object store tells contents apart by."""


@frozen
class FastqPair:
    """The reads of one lane: a file of first reads and, unless single-end, one of their mates."""

    r1: str
    """Key relative to the workset, or ``s3://bucket/key``."""
    r2: str | None = None
    lane: str = "0"
    """``0`` says that the lanes have been merged already; the sample then has a single pair."""
    seals: tuple[Seal, ...] = ()
    """How each of ``files`` was, in their order; none where nobody has looked at them yet."""

    def files(self) -> Iterator[tuple[str, str]]:
        """Yield ``("r1", key)`` and, if paired, ``("r2", key)``."""
        yield "r1", self.r1
        if self.r2 is not None:
            yield "r2", self.r2


@frozen(kw_only=True)
class Sample:
    """One sample of a workset: its reads, and what staging must know of them (contract 2.9)."""

    sample_id: str
    pairs: tuple[FastqPair, ...]
    run_id: str | None = None
    """The sequencing run; None: named after the workset."""
    experiment_id: str | None = None
    """None: named after the sample."""
    sample_type: str = "blood"
    library_prep: str = "noampwgs"
    vendor: Vendor = Vendor.ILLUMINA
    platform: str = "NOVASEQX"
    barcode: str = "S1"
    concordance_dir: str | None = None
    subsample: float | None = None
    """Share of the reads to keep, strictly between 0 and 1; None keeps all."""
    positive_control: bool = False
    negative_control: bool = False
    n_x: int | None = None
    n_y: int | None = None
    external_id: str | None = None
    coverage: float | None = None
    """Mean depth (x) that is expected; None where nobody said."""


@frozen(kw_only=True)
class Manifest:
    """What is to be run: samples, pipeline and reference genome, by their standard names."""

    samples: tuple[Sample, ...]
    pipeline: str
    reference_genome: str = "GRCh38"

    def files(self) -> Iterator[tuple[str, str]]:
        """Yield the place and the key of every FASTQ file, in order."""
        for s, sample in enumerate(self.samples):
            for p, pair in enumerate(sample.pairs):
                for read, key in pair.files():
                    yield f"samples[{s}].pairs[{p}].{read}", key

    def seals(self) -> Iterator[tuple[str, Seal]]:
        """Yield the key and the seal of every FASTQ file that has one, in order."""
        for sample in self.samples:
            for pair in sample.pairs:
                for (_, key), seal in zip(pair.files(), pair.seals, strict=False):
                    yield key, seal

    def sealed(self, seals: Iterable[Seal]) -> Self:
        """Return this manifest with *seals* for its files, in their order."""
        each = iter(seals)

        def pair(old: FastqPair) -> FastqPair:
            return evolve(old, seals=tuple(next(each) for _ in old.files()))

        samples = (evolve(old, pairs=tuple(map(pair, old.pairs))) for old in self.samples)
        return evolve(self, samples=tuple(samples))

    def faults(self) -> Iterator[Fault]:
        """Yield all that is wrong, each with its key path (``samples[0].pairs[1].r1``)."""
        if not self.samples:
            yield Fault("samples", "there are none; a workset has at least one sample")
        if len(self.samples) > MAX_SAMPLES:
            yield Fault("samples", f"there are {len(self.samples)}; at most {MAX_SAMPLES} are taken")
            return
        yield from self._faults_of_ids()
        for index, sample in enumerate(self.samples):
            yield from _faults_of_sample(f"samples[{index}]", sample)
        yield from self._faults_of_files()

    def _faults_of_ids(self) -> Iterator[Fault]:
        seen: dict[str, tuple[int, str]] = {}
        for index, sample in enumerate(self.samples):
            # Staging writes '_' as '-' and upper and lower case may share a file system, so ids
            # that differ in nothing else would overwrite each other there.
            staged = sample.sample_id.replace("_", "-").lower()
            if staged not in seen:
                seen[staged] = (index, sample.sample_id)
                continue
            first, other = seen[staged]
            same = f"duplicate sample id {sample.sample_id!r}, already at samples[{first}]"
            merged = f"{sample.sample_id!r} and {other!r} of samples[{first}] are the same once staged"
            yield Fault(f"samples[{index}].sample_id", same if other == sample.sample_id else merged)

    def _faults_of_files(self) -> Iterator[Fault]:
        times = Counter(key for _, key in self.files())
        first: dict[str, str] = {}
        for place, key in self.files():
            if times[key] > 1 and key in first:
                yield Fault(place, f"{key!r} is already used at {first[key]}")
            first.setdefault(key, place)


def _faults_of_sample(place: str, sample: Sample) -> Iterator[Fault]:
    if not SAMPLE_ID_PATTERN.fullmatch(sample.sample_id):
        rule = "1 to 64 letters, digits, '.', '-' and '_', the first a letter or digit"
        yield Fault(f"{place}.sample_id", f"{sample.sample_id[:80]!r} is not a sample id: {rule}")
    for name in ("run_id", "experiment_id", "sample_type", "library_prep", "platform", "barcode"):
        value = getattr(sample, name)
        if value is not None and not WORD_PATTERN.fullmatch(value):
            yield Fault(f"{place}.{name}", f"{value[:80]!r} is not a plain word of up to 64 characters")
    yield from _faults_of_free_fields(place, sample)
    if sample.subsample is not None and not 0 < sample.subsample < 1:
        yield Fault(f"{place}.subsample", f"{sample.subsample} is not between 0 and 1")
    if sample.coverage is not None and not 0 <= sample.coverage <= 100_000:
        yield Fault(f"{place}.coverage", f"{sample.coverage} is not a depth from 0 to 100000")
    if not sample.pairs:
        yield Fault(place, "has no FASTQ files")
    lanes = Counter(pair.lane for pair in sample.pairs)
    for index, pair in enumerate(sample.pairs):
        yield from _faults_of_pair(f"{place}.pairs[{index}]", pair)
        if lanes[pair.lane] > 1:
            yield Fault(
                f"{place}.pairs[{index}].lane",
                f"sample {sample.sample_id!r} has lane {pair.lane!r} {lanes[pair.lane]} times",
            )
        elif pair.lane == "0" and len(sample.pairs) > 1:
            yield Fault(
                f"{place}.pairs[{index}].lane",
                f"sample {sample.sample_id!r} has several lanes, and 0 means a merged one",
            )


def _faults_of_free_fields(place: str, sample: Sample) -> Iterator[Fault]:
    # Nobody's vocabulary, but a TAB or a line end would break the sheet that staging reads.
    for name in ("concordance_dir", "external_id"):
        value = getattr(sample, name)
        if value is not None and not LINE_PATTERN.fullmatch(value):
            yield Fault(f"{place}.{name}", f"{value[:80]!r} is not one line of up to 1024 characters")
    for name in ("n_x", "n_y"):
        count = getattr(sample, name)
        if count is not None and not 0 <= count <= 9:
            yield Fault(f"{place}.{name}", f"{count} is not a number of chromosomes from 0 to 9")


def _faults_of_pair(place: str, pair: FastqPair) -> Iterator[Fault]:
    if not LANE_PATTERN.fullmatch(pair.lane):
        yield Fault(
            f"{place}.lane", f"{pair.lane[:40]!r} is not a lane: 1 to 16 letters and digits, but not na"
        )
    for read, key in pair.files():
        path = key.removeprefix("s3://")
        if fault := key_fault(path, f"{place}.{read}"):
            yield fault
        elif key != key.strip():
            # Sheets drop outer blanks, and would then name another file.
            yield Fault(f"{place}.{read}", f"{key[:80]!r} starts or ends with a blank")
        elif not is_fastq(path):
            yield Fault(
                f"{place}.{read}",
                f"{key[:80]!r} is not named like FASTQ (.fastq, .fq, also with .gz or .bz2)",
            )


def is_fastq(name: str) -> bool:
    """Tell whether a file's name says that it holds FASTQ."""
    return _FASTQ.search(name) is not None
