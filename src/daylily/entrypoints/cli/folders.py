"""A folder of FASTQ files: samples by the names of the files, and what is left out."""

import os
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from attrs import frozen

from daylily.domain.errors import Fault, InvalidInputError
from daylily.domain.manifest import Manifest, Sample, is_fastq
from daylily.domain.pairing import Pairing, pairing_of

_PLACE: Final = re.compile(r"samples\[(\d+)\](?:\.pairs\[(\d+)\])?")
_MOST_SEEN: Final = 20_000
"""Entries of the folders below that are looked at; nobody hands in more by hand."""


@frozen(kw_only=True)
class Folder:
    """What a folder of FASTQ files says."""

    keys: tuple[str, ...] = ()
    samples: tuple[Sample, ...] = ()
    left_out: tuple[str, ...] = ()
    """Files that belong to no sample, and folders below (with a '/' behind) that have further ones."""
    faults: tuple[Fault, ...] = ()


def read_folder(folder: Path, *, prefix: str = "", single_end: bool = False) -> Folder:
    """
    Take a folder's FASTQ files by their names.

    Args:
        prefix: What to put before their names.
        single_end: See ``pairing_of``.
    """
    try:
        names = sorted(each.name for each in folder.iterdir() if _is_wanted(each.name))
        below = dict(_below(folder))
    except OSError as error:
        return Folder(faults=(Fault(str(folder), f"cannot be read: {error.strerror or error}"),))
    keys = tuple(prefix + name for name in names)
    try:
        found = pairing_of(keys, single_end=single_end)
    except InvalidInputError as error:
        return Folder(keys=keys, faults=tuple(_with_hints(error.faults, keys)))
    if not found.samples:
        return Folder(faults=(Fault(str(folder), _nothing(found, below)),))
    manifest = Manifest(samples=found.samples, pipeline="any")
    return Folder(
        keys=tuple(key for _, key in manifest.files()),
        samples=found.samples,
        left_out=(*found.left_out, *(f"{prefix}{name}/" for name in below)),
        faults=tuple(
            Fault(_file_at(fault.place, found.samples), fault.message) for fault in manifest.faults()
        ),
    )


def _with_hints(faults: Sequence[Fault], keys: Sequence[str]) -> Iterator[Fault]:
    """Yield *faults*, and with each that --single-end would cure, that it would."""
    cured = {fault.place for fault in faults}
    try:
        pairing_of(keys, single_end=True)
    except InvalidInputError as error:
        cured -= {fault.place for fault in error.faults}
    for fault in faults:
        hint = ", or say --single-end" if fault.place in cured else ""
        yield Fault(fault.place, fault.message + hint)


def _file_at(place: str, samples: Sequence[Sample]) -> str:
    """Return the file that a key path of the manifest speaks of."""
    match = _PLACE.match(place)
    if match is None:
        return place
    pair = samples[int(match[1])].pairs[int(match[2] or 0)]
    return pair.r2 if place.endswith(".r2") and pair.r2 else pair.r1


def _is_wanted(name: str) -> bool:
    return is_fastq(name) and not name.startswith(".")


def _below(folder: Path) -> Iterator[tuple[str, int]]:
    """Yield the folders below that have FASTQ files, and how many these are."""
    seen = islice(_files_below(folder), _MOST_SEEN)
    counts: dict[str, int] = {}
    for top, name in seen:
        if _is_wanted(name):
            counts[top] = counts.get(top, 0) + 1
    yield from sorted(counts.items())


def _files_below(folder: Path) -> Iterator[tuple[str, str]]:
    for inner in sorted(each for each in folder.iterdir() if not each.name.startswith(".")):
        if inner.is_dir():
            for path, _, names in os.walk(inner):
                for name in names:
                    yield Path(path).relative_to(folder).as_posix(), name


def _nothing(found: Pairing, below: dict[str, int]) -> str:
    text = "holds no FASTQ files"
    if found.left_out:
        text += f" but {len(found.left_out)} that belong to no sample (index reads, Undetermined)"
    if below:
        inner, count = max(below.items(), key=lambda each: each[1])
        return f"{text}; there are {count} in {inner}/: name that folder"
    if found.left_out:
        return f"{text}: if they are meant, list them in a sheet (sample,fastq_1,fastq_2)"
    return f"{text} (.fastq, .fq, also with .gz or .bz2), and no sheet"
