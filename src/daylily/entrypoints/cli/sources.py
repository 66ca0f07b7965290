"""What people hand to ``submit``: sheets, YAML files and folders, read with all their faults."""

import contextlib
import csv
import io
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from attrs import define, evolve, field

from daylily.adapters.formats import sheets, strict_yaml, work_yaml
from daylily.adapters.formats.reading import MAX_BYTES
from daylily.adapters.formats.work_yaml import WorkFile
from daylily.domain.errors import Fault, InvalidInputError
from daylily.domain.manifest import Sample, is_fastq
from daylily.entrypoints.cli.folders import read_folder
from daylily.entrypoints.cli.roots import Root, resolved, root_of

STAGE_SAMPLES: Final = "stage_samples.tsv"
WORK_YAML: Final = "daylily_work.yaml"


@define
class Source:
    """A source as far as it could be read, and what is wrong with it."""

    name: str
    """What the workset is called, unless somebody says otherwise."""
    root: Root
    """Where relative paths start."""
    samples: tuple[Sample, ...] = ()
    work: WorkFile | None = None
    files: list[tuple[str, str]] = field(factory=list)
    """Place and key of every FASTQ file, also of samples that could not be read."""
    faults: list[Fault] = field(factory=list)
    ignored: list[str] = field(factory=list)
    """Keys and columns that mean nothing to us."""
    left_out: list[str] = field(factory=list)
    """FASTQ files beside those of the samples; folders of such end in '/'."""
    illegible: bool = False
    """Whether a YAML file, which may name the pipeline, could not be read at all."""


def read(path: Path, *, single_end: bool = False, data_root: Path | None = None) -> Source:
    """
    Read a folder of FASTQ files, the folder of a workset, a sheet or a YAML file.

    Args:
        single_end: In a folder, take a first read without a mate as it is.
        data_root: Where relative paths start, if not where the source is.
    """
    try:
        path = resolved(path.expanduser())
        kind = path.stat().st_mode
    except OSError as error:
        fault = Fault(str(path), f"cannot be read: {error.strerror or error}")
        return Source(path.stem, Root(path.parent, path.parent), faults=[fault], illegible=True)
    is_folder = stat.S_ISDIR(kind)
    root, fault_of_root = root_of(path if is_folder else path.parent, data_root)
    source = Source(path.name if is_folder else _name_of(path), root)
    if is_folder:
        if (path / WORK_YAML).is_file() or (path / STAGE_SAMPLES).is_file():
            _read_workset(source, path / WORK_YAML, path / STAGE_SAMPLES)
        elif fault_of_root is None:
            _read_fastq(source, path, single_end)
    elif not stat.S_ISREG(kind):
        source.faults.append(Fault(path.name, "is neither a file nor a folder"))
    else:
        _read_file(source, path)
    if fault_of_root is not None:
        source.faults.append(fault_of_root)
        source.files, source.samples = [], ()  # there is no place to look for them
    return source


def _read_fastq(source: Source, path: Path, single_end: bool) -> None:
    prefix = source.root.key_of(f"{path}/x")[:-1]
    if prefix.startswith("/"):
        text = f"{source.root.given} does not hold {path}; leave it out, or name a folder above"
        source.faults.append(Fault("--data-root", text))
        return
    folder = read_folder(path, prefix=prefix, single_end=single_end)
    source.samples = folder.samples
    source.files = [(key, key) for key in folder.keys]
    source.faults += folder.faults
    source.left_out += folder.left_out


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
    said, listed = Source(source.name, source.root), Source(source.name, source.root)
    _read_yaml(said, yaml)
    _read_sheet(listed, sheet)
    # One file may be named in both: it is looked at where the sheet has it.
    source.files = listed.files or said.files
    for part, name in ((said, yaml.name), (listed, sheet.name)):
        source.faults += [_in_file(fault, name) for fault in part.faults]
        source.ignored += [f"{name}: {each}" for each in part.ignored]
    source.work, source.illegible = said.work, said.illegible
    source.samples = listed.samples
    if not said.faults and said.samples and listed.samples:
        source.faults += _differences(said.samples, listed.samples)
        coverage = {sample.sample_id: sample.coverage for sample in said.samples}
        source.samples = tuple(
            evolve(sample, coverage=coverage.get(sample.sample_id)) for sample in listed.samples
        )


def _in_file(fault: Fault, name: str) -> Fault:
    return fault if fault.place == name else Fault(f"{name}: {fault.place}", fault.message)


def _somewhere(fault: Fault, name: str) -> Fault:
    """Return a fault of a whole file with the file's name for its place."""
    return fault if fault.place else Fault(name, fault.message)


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
        source.illegible = True
        return
    reading = work_yaml.read(data, default_name=source.name, key_of=source.root.key_of)
    source.faults += [_somewhere(fault, path.name) for fault in reading.faults]
    source.illegible = reading.file is None
    if reading.file is not None:
        source.work, source.samples = reading.file, reading.file.samples
        source.ignored += reading.file.ignored
    with contextlib.suppress(InvalidInputError):  # these have just been told
        source.files += _files_of_tree("", strict_yaml.read(data), source.root)


def _read_sheet(source: Source, path: Path) -> None:
    data = _content(source, path)
    if data is None:
        return
    kind = sheets.kind_of(data, staged=path.name == STAGE_SAMPLES)
    try:
        sheet = kind.read(data, strict=True, key_of=source.root.key_of)
    except InvalidInputError as error:
        source.faults += [_somewhere(fault, path.name) for fault in error.faults]
    else:
        source.samples = sheet.samples
        source.ignored += sheet.ignored
    if len(data) <= MAX_BYTES and kind.is_separated_well:
        source.files += _files_of_table(data, kind, source.root)


def _content(source: Source, path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)  # one byte too many is what the parsers refuse
    except OSError as error:
        source.faults.append(Fault(path.name, f"cannot be read: {error.strerror or error}"))
        return None


def _files_of_table(data: bytes, kind: sheets.Kind, root: Root) -> Iterator[tuple[str, str]]:
    """Yield the FASTQ files of a sheet with row and column, whatever else may be wrong with it."""
    text = data.decode("utf-8-sig", errors="replace").replace("\0", "\ufffd")
    lines = io.StringIO(text, newline="")
    rows: Iterator[list[str]] = csv.reader(lines)
    if kind.staged:
        rows = (line.rstrip("\r\n").split("\t") for line in lines)  # no quoting there
    header: list[str] = []
    try:
        for number, row in enumerate(rows, start=1):
            cells = [cell.strip() for cell in row]
            if number == 1:
                header = kind.header(cells)
            for column, cell in zip(header, cells, strict=False):
                if column in kind.file_columns and is_fastq(cell):
                    yield f"row {number}, {column}", root.key_of(cell)
    except csv.Error:
        return  # told by the parser


def _files_of_tree(path: str, node: strict_yaml.Node, root: Root) -> Iterator[tuple[str, str]]:
    """Yield the FASTQ files of a YAML file's samples with their key paths."""
    if isinstance(node, strict_yaml.Scalar):
        named = path.rpartition(".")[2] in work_yaml.FASTQ_KEYS
        if named and "samples[" in path and is_fastq(node.text.strip()):
            yield path, root.key_of(node.text.strip())
    elif isinstance(node, strict_yaml.Sequence):
        for index, item in enumerate(node.items):
            yield from _files_of_tree(f"{path}[{index}]", item, root)
    else:
        for key, value in node.entries.items():
            yield from _files_of_tree(f"{path}.{key}" if path else key, value, root)


def _name_of(path: Path) -> str:
    return path.parent.name if path.name in {STAGE_SAMPLES, WORK_YAML} else path.stem
