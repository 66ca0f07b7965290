"""What people hand to ``submit``: sheets, YAML files and folders, read with all their faults."""

import contextlib
import csv
import io
import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from attrs import define, evolve, field

from daylily.adapters.formats import sample_sheet, stage_samples, strict_yaml, work_yaml
from daylily.adapters.formats.reading import MAX_BYTES
from daylily.adapters.formats.work_yaml import WorkFile
from daylily.domain.errors import Fault, InvalidInputError
from daylily.domain.manifest import Manifest, Sample, is_fastq
from daylily.domain.pairing import samples_of

STAGE_SAMPLES: Final = "stage_samples.tsv"
WORK_YAML: Final = "daylily_work.yaml"

_PLACE: Final = re.compile(r"samples\[(\d+)\](?:\.pairs\[(\d+)\])?")
_UNNAMED: Final = ("sample", "fastq_1", "fastq_2")


@define
class Source:
    """A source as far as it could be read, and what is wrong with it."""

    root: Path
    """Where relative paths start."""
    name: str
    """What the workset is called, unless somebody says otherwise."""
    samples: tuple[Sample, ...] = ()
    work: WorkFile | None = None
    files: list[tuple[str, str]] = field(factory=list)
    """Place and key of every FASTQ file, also of samples that could not be read."""
    faults: list[Fault] = field(factory=list)


def read(path: Path, *, single_end: bool = False) -> Source:
    """
    Read a folder of FASTQ files, the folder of a workset, a sheet or a YAML file.

    Args:
        single_end: In a folder, take a first read without a mate as it is.
    """
    try:
        path = resolved(path.expanduser())
        kind = path.stat().st_mode
    except OSError as error:
        fault = Fault(str(path), f"cannot be read: {error.strerror or error}")
        return Source(path.parent, path.stem, faults=[fault])
    if stat.S_ISDIR(kind):
        source = Source(path, path.name or "workset")
        if (path / WORK_YAML).is_file() or (path / STAGE_SAMPLES).is_file():
            _read_workset(source, path / WORK_YAML, path / STAGE_SAMPLES)
        else:
            _read_folder(source, path, single_end)
        return source
    source = Source(path.parent, _name_of(path))
    if not stat.S_ISREG(kind):
        source.faults.append(Fault(path.name, "is neither a file nor a folder"))
    else:
        _read_file(source, path)
    return source


def resolved(path: Path) -> Path:
    """
    Return *path* without links.

    Raises:
        OSError: Something on the way is not there, or links lead round in a circle.
    """
    # Path.resolve has raised RuntimeError for circles until Python 3.13.
    return Path(os.path.realpath(path, strict=True))


def _read_file(source: Source, path: Path) -> None:
    suffix = path.suffix.lower()
    if suffix in {".yaml", ".yml"}:
        _read_yaml(source, path)
        sheet = path.parent / STAGE_SAMPLES
        if not source.samples and not source.faults and sheet.is_file():
            _read_sheet(source, sheet)  # dialects of old leave the samples to the sheet beside them
        elif not source.samples and not source.faults:
            source.faults.append(Fault("samples", f"there are none, nor is there a {STAGE_SAMPLES}"))
    elif suffix in {".tsv", ".csv", ".txt"}:
        _read_sheet(source, path)
    else:
        hint = "name the folder that it is in" if is_fastq(path.name) else "I read .tsv, .csv, .yaml"
        source.faults.append(Fault(path.name, f"is neither a sheet, a YAML file nor a folder: {hint}"))


def _read_workset(source: Source, yaml: Path, sheet: Path) -> None:
    """Read the folder of a workset: what to run from the one file, the samples from the other."""
    if not sheet.is_file():
        _read_file(source, yaml)
        return
    if not yaml.is_file():
        _read_sheet(source, sheet)
        return
    said, listed = Source(source.root, source.name), Source(source.root, source.name)
    _read_yaml(said, yaml)
    _read_sheet(listed, sheet)
    # One file may be named in both: it is looked at where the sheet has it.
    source.files = listed.files or said.files
    source.faults += [_in_file(fault, yaml.name) for fault in said.faults]
    source.faults += [_in_file(fault, sheet.name) for fault in listed.faults]
    source.work = said.work
    source.samples = listed.samples
    if said.samples and listed.samples:
        source.faults += _differences(said.samples, listed.samples)
        coverage = {sample.sample_id: sample.coverage for sample in said.samples}
        source.samples = tuple(
            evolve(sample, coverage=coverage.get(sample.sample_id)) for sample in listed.samples
        )


def _in_file(fault: Fault, name: str) -> Fault:
    return Fault(f"{name}: {fault.place}" if fault.place else name, fault.message)


def _differences(yaml: Iterable[Sample], sheet: Iterable[Sample]) -> Iterator[Fault]:
    first, second = set(_lanes(yaml)), set(_lanes(sheet))
    for name, other, only in ((WORK_YAML, STAGE_SAMPLES, first - second),
                              (STAGE_SAMPLES, WORK_YAML, second - first)):  # fmt: skip
        for sample_id, lane, r1, _ in sorted(only, key=str):
            yield Fault(
                name,
                f"sample {sample_id!r}, lane {lane}, {r1!r} is not so in {other}: "
                f"mend one of the two, or submit the right one by its own name",
            )


def _lanes(samples: Iterable[Sample]) -> Iterator[tuple[str, str, str, str | None]]:
    for sample in samples:
        for pair in sample.pairs:
            yield sample.sample_id, pair.lane, pair.r1, pair.r2


def _read_yaml(source: Source, path: Path) -> None:
    data = _content(source, path)
    if data is None:
        return
    try:
        source.work = work_yaml.parse(data, default_name=source.name)
        source.samples = source.work.samples
    except InvalidInputError as error:
        source.faults += error.faults
    with contextlib.suppress(InvalidInputError):  # these have just been told
        source.files += _files_of_tree("", strict_yaml.read(data))


def _read_sheet(source: Source, path: Path) -> None:
    data = _content(source, path)
    if data is None:
        return
    first_line = data[:4096].partition(b"\n")[0]
    tabs = b"\t" in first_line or path.name == STAGE_SAMPLES
    try:
        source.samples = (stage_samples if tabs else sample_sheet).parse(data)
    except InvalidInputError as error:
        source.faults += error.faults
    if len(data) <= MAX_BYTES:
        source.files += _files_of_table(data, "\t" if tabs else ",")


def _content(source: Source, path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)  # one byte too many is what the parsers refuse
    except OSError as error:
        source.faults.append(Fault(path.name, f"cannot be read: {error.strerror or error}"))
        return None


def _files_of_table(data: bytes, delimiter: str) -> Iterator[tuple[str, str]]:
    """Yield the FASTQ files of a sheet with row and column, whatever else may be wrong with it."""
    text = data.decode("utf-8-sig", errors="replace").replace("\0", "\ufffd")
    lines = io.StringIO(text, newline="")
    rows: Iterator[list[str]] = csv.reader(lines)
    if delimiter == "\t":
        rows = (line.rstrip("\r\n").split("\t") for line in lines)  # no quoting there
    header: list[str] = []
    try:
        for number, row in enumerate(rows, start=1):
            cells = [cell.strip() for cell in row]
            if number == 1:
                headless = any(map(is_fastq, cells))
                header = list(_UNNAMED) if headless else cells
                header = [cell.upper() if delimiter == "\t" else cell.lower() for cell in header]
            for column, cell in zip(header, cells, strict=False):
                if is_fastq(cell):
                    yield f"row {number}, {column}", cell
    except csv.Error:
        return  # told by the parser


def _files_of_tree(path: str, node: strict_yaml.Node) -> Iterator[tuple[str, str]]:
    """Yield the FASTQ files of a YAML file's samples with their key paths."""
    if isinstance(node, strict_yaml.Scalar):
        if "samples[" in path and is_fastq(node.text.strip()):
            yield path, node.text.strip()
    elif isinstance(node, strict_yaml.Sequence):
        for index, item in enumerate(node.items):
            yield from _files_of_tree(f"{path}[{index}]", item)
    else:
        for key, value in node.entries.items():
            yield from _files_of_tree(f"{path}.{key}" if path else key, value)


def _read_folder(source: Source, folder: Path, single_end: bool) -> None:
    """Take a folder's FASTQ files by their names."""
    try:
        names = sorted(each.name for each in folder.iterdir() if _is_wanted(each.name))
    except OSError as error:
        source.faults.append(Fault(str(folder), f"cannot be read: {error.strerror or error}"))
        return
    source.files = [(name, name) for name in names]
    if not names:
        source.faults.append(Fault(str(folder), _none_here(folder)))
        return
    try:
        samples = samples_of(names, single_end=single_end)
    except InvalidInputError as error:
        hint = "; or say --single-end"
        source.faults += [
            Fault(fault.place, fault.message + (hint if "no read 2" in fault.message else ""))
            for fault in error.faults
        ]
        return
    source.samples = samples

    for fault in Manifest(samples=samples, pipeline="any").faults():
        source.faults.append(Fault(_file_at(fault.place, samples), fault.message))


def _file_at(place: str, samples: Sequence[Sample]) -> str:
    """Return the file that a key path of the manifest speaks of."""
    match = _PLACE.match(place)
    if match is None:
        return place
    pair = samples[int(match[1])].pairs[int(match[2] or 0)]
    return pair.r2 if place.endswith(".r2") and pair.r2 else pair.r1


def _is_wanted(name: str) -> bool:
    return is_fastq(name) and not name.startswith(".")


def _none_here(folder: Path) -> str:
    for inner in sorted(each for each in folder.iterdir() if each.is_dir()):
        try:
            count = sum(_is_wanted(each.name) for each in inner.iterdir())
        except OSError:
            continue
        if count:
            return f"holds no FASTQ files; there are {count} in {inner.name}/: name that folder"
    return "holds no FASTQ files (.fastq, .fq, also with .gz or .bz2), and no sheet"


def _name_of(path: Path) -> str:
    return path.parent.name if path.name in {STAGE_SAMPLES, WORK_YAML} else path.stem
