"""Reading ``stage_samples.tsv``: rows into samples, every fault at its row and column."""

import re
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any, Final

from attrs import define, evolve, field, frozen

from daylily.adapters.formats.reading import (
    CONTROL,
    Faults,
    KeyOf,
    Namer,
    Sheet,
    as_written,
    text_of,
)
from daylily.adapters.formats.unknown import Unknown, passed_over
from daylily.domain.manifest import MAX_SAMPLES, FastqPair, Manifest, Sample, Vendor, is_fastq

COLUMNS: Final = (
    "RUN_ID",
    "SAMPLE_ID",
    "EXPERIMENTID",
    "SAMPLE_TYPE",
    "LIB_PREP",
    "SEQ_VENDOR",
    "SEQ_PLATFORM",
    "LANE",
    "SEQBC_ID",
    "PATH_TO_CONCORDANCE_DATA_DIR",
    "R1_FQ",
    "R2_FQ",
    "STAGE_DIRECTIVE",
    "STAGE_TARGET",
    "SUBSAMPLE_PCT",
    "IS_POS_CTRL",
    "IS_NEG_CTRL",
    "N_X",
    "N_Y",
    "EXTERNAL_SAMPLE_ID",
)

# Staging demands these; and a misspelt R2_FQ must not turn every sample into a single-end one.
_REQUIRED: Final = (*COLUMNS[:9], "R1_FQ", "R2_FQ")
_MAX_ROWS: Final = 10 * MAX_SAMPLES
# Columns of what staging of old writes; it lets some of them stand in its own sheet too.
_HISTORIC: Final = frozenset({
    "sampleid", "samplesource", "sampleclass", "biological_sex", "concordance_control_path",
    "is_positive_control", "is_negative_control", "tum_nrm_sampleid_match", "truth_data_dir", "runid",
    "laneid", "barcodeid", "libprep", "ilmn_r1_path", "ilmn_r2_path", "pacbio_r1_path",
    "pacbio_r2_path", "ont_r1_path", "ont_r2_path", "ug_r1_path", "ug_r2_path", "sampleuse",
    "bwa_kmer", "deep_model", "ultima_cram", "ultima_cram_aligner", "ultima_cram_snv_caller",
    "ont_cram", "ont_cram_aligner", "ont_cram_snv_caller", "pb_bam", "pb_bam_aligner",
    "pb_bam_snv_caller",
})  # fmt: skip

_NUMBER: Final = re.compile(r"(?:[0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})(?:[eE][+-]?[0-9]{1,3})?")
_YES_NO: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def _plain(cell: str) -> str:
    return cell


def _vendor(cell: str) -> Vendor:
    try:
        return Vendor(cell)
    except ValueError:
        known = ", ".join(Vendor)
        raise ValueError(f"{cell[:40]!r} is no vendor that staging knows; use one of {known}") from None


def _share(cell: str) -> float | None:
    if not _NUMBER.fullmatch(cell):
        raise ValueError(f"{cell[:40]!r} is not a number; write a share between 0 and 1, or na")
    share = float(cell)
    # Portals of old wrote 100 in every row; read as a share or as per cent, both mean "all".
    return None if share in {1, 100} else share


def _yes_no(cell: str) -> bool:
    if cell.lower() not in _YES_NO:
        raise ValueError(f"{cell[:40]!r} is neither true nor false")
    return _YES_NO[cell.lower()]


def _chromosomes(cell: str) -> int:
    if not re.fullmatch("[0-9]", cell):
        raise ValueError(f"{cell[:40]!r} is not a number of chromosomes from 0 to 9, or na")
    return int(cell)


# Field of Sample: its column, and what makes a value of a cell that is neither empty nor "na".
_FIELDS: Final[Mapping[str, tuple[str, Callable[[str], object]]]] = {
    "run_id": ("RUN_ID", _plain),
    "experiment_id": ("EXPERIMENTID", _plain),
    "sample_type": ("SAMPLE_TYPE", _plain),
    "library_prep": ("LIB_PREP", _plain),
    "vendor": ("SEQ_VENDOR", _vendor),
    "platform": ("SEQ_PLATFORM", _plain),
    "barcode": ("SEQBC_ID", _plain),
    "concordance_dir": ("PATH_TO_CONCORDANCE_DATA_DIR", _plain),
    "subsample": ("SUBSAMPLE_PCT", _share),
    "positive_control": ("IS_POS_CTRL", _yes_no),
    "negative_control": ("IS_NEG_CTRL", _yes_no),
    "n_x": ("N_X", _chromosomes),
    "n_y": ("N_Y", _chromosomes),
    "external_id": ("EXTERNAL_SAMPLE_ID", _plain),
}
COLUMN_OF: Final = {name: column for name, (column, _) in _FIELDS.items()} | {
    "sample_id": "SAMPLE_ID",
    "lane": "LANE",
    "r1": "R1_FQ",
    "r2": "R2_FQ",
}


@frozen
class _Row:
    number: int
    cells: Mapping[str, str]

    def place(self, column: str) -> str:
        return f"row {self.number}, {column}"


@frozen
class _Table:
    header: Sequence[str]
    rows: Sequence[_Row]


@define
class _Group:
    """The rows of one sample, as they come in."""

    first: Sample
    rows: list[_Row]
    pairs: list[FastqPair] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.pairs = list(self.first.pairs)


def parse(data: bytes) -> tuple[Sample, ...]:
    """
    Return the samples of a sheet as ``read`` does, whatever else it has.

    Raises:
        InvalidInputError: See there.
    """
    return read(data).samples


def read(data: bytes, *, strict: bool = False, key_of: KeyOf = as_written) -> Sheet:
    """
    Return the samples of a sheet, in the order of their first rows.

    Rows of one SAMPLE_ID are its lanes. Columns may stand in any order and case, others are passed
    over. There is no quoting. What is empty or ``na`` was not said, and takes the default.

    Args:
        strict: Take a column that looks like a misspelt one of ours for a fault, and one that names
            FASTQ files too. Not for sheets that have been run before.
        key_of: Makes the key of a file of what the sheet has for it.

    Raises:
        InvalidInputError: All that is wrong, at its row (the header is row 1) and column.
    """
    faults = Faults()
    groups: dict[str, _Group] = {}
    table = _table(text_of(data), faults)
    ignored = _ignored(table, faults if strict else None)
    for row in table.rows:
        sample, unreadable = _sample(row, faults, key_of)
        if sample.sample_id in groups:
            _add_lane(groups[sample.sample_id], sample, row, faults, unreadable)
        elif sample.sample_id:
            groups[sample.sample_id] = _Group(sample, [row])
        else:
            faults.add(row.place("SAMPLE_ID"), "is empty")
    samples = tuple(evolve(group.first, pairs=tuple(group.pairs)) for group in groups.values())
    if samples or not faults:
        found = Manifest(samples=samples, pipeline="any").faults()
        faults.extend(found, _namer(list(groups.values())))
    faults.refuse()
    return Sheet(samples, ignored, _namer(list(groups.values())))


def _table(text: str, faults: Faults) -> _Table:
    """Return the rows that can be read; blank ones are passed over, but counted."""
    lines = [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]
    if len(lines) > _MAX_ROWS + 1:
        faults.add("", f"has {len(lines) - 1} rows; at most {_MAX_ROWS} are taken")
        return _Table((), ())
    header = _header(lines[0], faults)
    rows: list[_Row] = []
    if faults:
        return _Table(header, rows)
    for number, line in enumerate(lines[1:], start=2):
        cells = [cell.strip(" ") for cell in line.split("\t")]
        if not any(cells):
            continue
        if any(cells[len(header) :]):
            faults.add(f"row {number}", f"has {len(cells)} cells under {len(header)} columns")
            continue
        bad = [index for index, cell in enumerate(cells) if CONTROL.search(cell)]
        for index in bad:
            faults.add(
                f"row {number}, {header[index]}",
                f"{cells[index][:80]!r} holds a control character",
            )
        if not bad:
            # Editors cut empty cells at the end of a line.
            rows.append(_Row(number, dict(zip(header, cells, strict=False))))
    return _Table(header, rows)


def _header(line: str, faults: Faults) -> Sequence[str]:
    header = [cell.strip().upper() for cell in line.split("\t")]
    missing = [column for column in _REQUIRED if column not in header]
    if missing:
        hint = "; columns are separated by TABs" if "\t" not in line else ""
        faults.add("row 1", f"columns are missing: {', '.join(missing)}{hint}")
    for column in COLUMNS:
        if header.count(column) > 1:
            faults.add(f"row 1, {column}", f"stands there {header.count(column)} times")
    return header


def _ignored(table: _Table, faults: Faults | None) -> tuple[str, ...]:
    """Return the columns that are passed over; note those that surely are not meant to be."""
    unknown = (
        Unknown(
            name,
            place=f"row 1, {name[:40]}",
            shown=f"column {name[:40]}",
            has_files=any(is_fastq(row.cells.get(name, "")) for row in table.rows),
        )
        for name in dict.fromkeys(table.header)
        if name and name not in COLUMNS
    )
    return passed_over(
        unknown, known=COLUMNS, historic=_HISTORIC, files="R1_FQ and R2_FQ", faults=faults
    )


def _sample(row: _Row, faults: Faults, key_of: KeyOf) -> tuple[Sample, set[str]]:
    """Return what one row says, a sample with a single pair, and the fields that cannot be read."""
    said: dict[str, Any] = {}
    unreadable = set()
    for name, (column, convert) in _FIELDS.items():
        cell = row.cells.get(column, "")
        if _said(cell):
            try:
                said[name] = convert(cell)
            except ValueError as error:
                faults.add(row.place(column), str(error))
                unreadable.add(name)
    r2, lane = row.cells.get("R2_FQ", ""), row.cells.get("LANE", "")
    pair = FastqPair(
        key_of(row.cells.get("R1_FQ", "")),
        key_of(r2) if _said(r2) else None,
        lane if _said(lane) else "0",
    )
    return Sample(sample_id=row.cells.get("SAMPLE_ID", ""), pairs=(pair,), **said), unreadable


def _said(cell: str) -> bool:
    return bool(cell) and cell.lower() != "na"


def _add_lane(
    group: _Group, sample: Sample, row: _Row, faults: Faults, unreadable: Container[str]
) -> None:
    first = group.rows[0]
    for name, (column, _) in _FIELDS.items():
        if name not in unreadable and getattr(sample, name) != getattr(group.first, name):
            was = first.cells.get(column, "")
            faults.add(
                row.place(column),
                f"{row.cells.get(column, '')[:40]!r} differs from {was[:40]!r} in row {first.number}, "
                f"and both are sample {sample.sample_id[:64]!r}",
            )
    group.pairs += sample.pairs
    group.rows.append(row)


def _namer(groups: Sequence[_Group]) -> Namer:
    def name(sample: int, pair: int | None, part: str | None) -> str:
        row = groups[sample].rows[pair or 0]
        return row.place(COLUMN_OF[part]) if part else f"row {row.number}"

    return name
