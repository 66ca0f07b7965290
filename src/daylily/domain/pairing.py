"""
Samples from the names of FASTQ files alone: every naming pattern of contract 2.9, and those like it.

Nothing is guessed. What may be half of a pair or a sample of its own is a fault, since a run with the
wrong reads looks like any other.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from attrs import define, evolve, field, frozen

from daylily.domain import read_names
from daylily.domain.errors import Fault, InvalidInputError
from daylily.domain.manifest import FastqPair, Sample, is_fastq
from daylily.domain.read_names import Reading

_SAY_IT: Final = "rename it, or list samples and files in a sheet"


@frozen(kw_only=True)
class Pairing:
    """What the names of files say."""

    samples: tuple[Sample, ...]
    left_out: tuple[str, ...] = ()
    """FASTQ files of no sample: index reads, and reads that demultiplexing could not assign."""


def samples_of(keys: Iterable[str], *, single_end: bool = False) -> tuple[Sample, ...]:
    """
    Return the samples that ``pairing_of`` finds.

    Raises:
        InvalidInputError: See there.
    """
    return pairing_of(keys, single_end=single_end).samples


def pairing_of(keys: Iterable[str], *, single_end: bool = False) -> Pairing:
    """
    Group the FASTQ files among *keys* into samples, mates side by side, sorted by sample id.

    Names that carry no read number are taken as single-end samples of their own. Files that are not
    named like FASTQ are passed over; index reads (``_I1``) and ``Undetermined`` ones are left out.

    Args:
        single_end: Take a first read without a mate as it is, and names that only count
            (``a-1.fastq``, ``a-2.fastq``) as so many samples.

    Raises:
        InvalidInputError: A second read has no first, a paired sample lacks a mate in some lane,
            two files claim the same place, or a name may mean two things. All such faults at once,
            each under its file's key.
    """
    names = {key: key.rpartition("/")[2] for key in sorted(keys)}
    names = {key: name for key, name in names.items() if is_fastq(name)}
    left_out = tuple(
        key for key, name in names.items() if read_names.is_left_out(name, _beside(key, names))
    )
    for key in left_out:
        del names[key]
    found = _Found(names, single_end)
    found.sort()
    samples = found.samples()
    if found.faults:
        raise InvalidInputError(found.faults)
    return Pairing(samples=samples, left_out=left_out)


@define
class _Found:
    """Files at their places, each of which is read 1 or 2 of a sample's lane."""

    _names: Mapping[str, str]
    _single_end: bool
    faults: list[Fault] = field(init=False, factory=list)
    _places: dict[tuple[str, str], dict[str, str]] = field(
        init=False, factory=lambda: defaultdict(dict)
    )
    _barcodes: dict[str, str] = field(init=False, factory=dict)
    _nameless: set[str] = field(init=False, factory=set)
    """Keys whose names say nothing of a read."""

    def sort(self) -> None:
        """Put each file at its place, or note what is wrong with its name."""
        counted = _counted(self._names)
        for key, name in self._names.items():
            reading = None if key in counted else read_names.read(name)
            if key in counted and not self._single_end:
                self.faults.append(Fault(key, counted[key]))
            elif reading is not None:
                self._put(key, reading)
            elif fault := None if key in counted else self._doubt(key, name):
                self.faults.append(Fault(key, fault))
            else:
                self._nameless.add(key)
                self._put(key, Reading(read_names.stem(name)))

    def _put(self, key: str, found: Reading) -> None:
        if found.read not in {"1", "2"}:
            text = f"is read {found.read} of {found.sample!r}, and only reads 1 and 2 are told by name"
            self.faults.append(Fault(key, f"{text}: {_SAY_IT}"))
            return
        place = self._places[found.sample, found.lane]
        if found.read in place:
            at = f"read {found.read} of {found.sample!r} lane {found.lane}"
            self.faults.append(Fault(key, f"is {at}, and so is {place[found.read]}"))
        place[found.read] = key
        self._barcodes[found.sample] = found.barcode

    def _doubt(self, key: str, name: str) -> str | None:
        """Return what is wrong with a name that may be more than a sample's."""
        if read_names.is_bare_index_read(name):
            return f"is named like an index read, and the reads are not beside it: {_SAY_IT}"
        other = read_names.doubt(name, _beside(key, self._names))
        if other is None or (other == "1" and self._single_end):
            return None
        if other in {"1", "2"}:
            return f"missing mate: it is named like read {other}, and the other is not there; {_SAY_IT}"
        return f"may be the mate of {other}, or a sample of its own: {_SAY_IT}"

    def samples(self) -> tuple[Sample, ...]:
        """Return the samples, and note the mates that are missing."""
        found: dict[str, Sample] = {}
        for (sample_id, lane), mates in sorted(self._places.items()):
            if "1" not in mates:
                text = f"missing mate: there is no read 1 of {sample_id!r} lane {lane}"
                self.faults.append(Fault(mates["2"], text))
                continue
            pair = FastqPair(mates["1"], mates.get("2"), lane)
            if pair.r2 is None and pair.r1 not in self._nameless and not self._single_end:
                text = f"missing mate: there is no read 2 of {sample_id!r} lane {lane}"
                self.faults.append(Fault(pair.r1, text))
            sample = found.get(sample_id) or Sample(
                sample_id=sample_id, pairs=(), barcode=self._barcodes[sample_id]
            )
            found[sample_id] = evolve(sample, pairs=(*sample.pairs, pair))
        return tuple(_merged_lane(sample) for sample in found.values())


def _beside(key: str, names: Mapping[str, str]) -> read_names.There:
    folder = key.removesuffix(names[key])
    return lambda name: folder + name in names


def _counted(names: Mapping[str, str]) -> Mapping[str, str]:
    """
    Return the keys of files whose names may merely count, with what is to be said of them.

    ``a_1`` and ``a_2`` are mates, but not if there is an ``a_3`` too. ``a-1`` and ``a-2`` may be
    mates or not; only three of these are samples for sure.
    """
    rows: dict[tuple[str, str, str], dict[int, str]] = defaultdict(dict)
    for key, name in names.items():
        if found := read_names.counted(name):
            head, mark, number, suffix = found
            rows[key.removesuffix(name) + head, mark, suffix][number] = key
    doubtful: dict[str, str] = {}
    for (_, mark, _), row in rows.items():
        known, more = {1, 2} & row.keys(), row.keys() - {1, 2}
        if (mark == "-" and known == {1, 2} and not more) or (mark != "-" and known and more):
            shown = ", ".join(names[key] for _, key in sorted(row.items())[:3])
            text = f"may be one of two mates or a sample of its own ({shown}): {_SAY_IT}"
            doubtful |= dict.fromkeys(row.values(), text)
    return doubtful


def _merged_lane(sample: Sample) -> Sample:
    """Name the lone lane of a sample ``0``: there is nothing left to merge."""
    if len(sample.pairs) > 1:
        return sample
    return evolve(sample, pairs=(evolve(sample.pairs[0], lane="0"),))
