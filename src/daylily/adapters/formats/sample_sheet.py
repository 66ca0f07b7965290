"""A sample sheet as nf-core has it: CSV with ``sample,fastq_1,fastq_2``, one row a lane."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from attrs import frozen

from daylily.adapters.formats.reading import CONTROL, Faults, KeyOf, Sheet, as_written, text_of
from daylily.adapters.formats.unknown import Unknown, passed_over
from daylily.domain.manifest import MAX_SAMPLES, FastqPair, Manifest, Sample, is_fastq

NAMES: Final = {
    "sample": ("sample", "sample_id", "sample_name"),
    "r1": ("fastq_1", "fastq_r1", "fastq1", "r1", "read1", "read_1"),
    "r2": ("fastq_2", "fastq_r2", "fastq2", "r2", "read2", "read_2"),
    "lane": ("lane",),
}
KNOWN: Final = tuple(name for names in NAMES.values() for name in names)
FILE_COLUMNS: Final = (*NAMES["r1"], *NAMES["r2"])
UNNAMED: Final = ("sample", "fastq_1", "fastq_2")
_MAX_ROWS: Final = 10 * MAX_SAMPLES


@frozen
class _Row:
    number: int
    cells: Mapping[str, str]


@frozen
class _Table:
    columns: Mapping[str, str]
    """What the sheet calls ``sample``, ``r1``, ``r2`` and ``lane``, where it has them."""
    rows: Sequence[_Row]
    unknown: Sequence[Unknown] = ()

    def place(self, row: _Row, part: str) -> str:
        return f"row {row.number}, {self.columns.get(part, part)}"


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

    The header is optional, in any case, and may have further columns. Several rows of one sample are
    its lanes ``L1``, ``L2`` ... in order, unless a column ``lane`` names them.

    Args:
        strict: Take a column that looks like a misspelt one of ours for a fault, and one that names
            FASTQ files too.
        key_of: Makes the key of a file of what the sheet has for it.

    Raises:
        InvalidInputError: All that is wrong, at its row (the first line is row 1) and column.
    """
    faults = Faults()
    table = _table(text_of(data), faults)
    ignored = passed_over(
        table.unknown,
        known=KNOWN,
        historic=(),
        files="fastq_1 and fastq_2",
        faults=faults if strict else None,
    )
    groups: dict[str, list[_Row]] = {}
    for row in table.rows:
        if _bad(row, table, faults):
            continue
        if row.cells["sample"]:
            groups.setdefault(row.cells["sample"], []).append(row)
        else:
            faults.add(table.place(row, "sample"), "is empty")
    samples = tuple(
        Sample(sample_id=sample_id, pairs=tuple(_pairs(rows, key_of)))
        for sample_id, rows in groups.items()
    )
    by_index = list(groups.values())

    def name(sample: int, pair: int | None, part: str | None) -> str:
        row = by_index[sample][pair or 0]
        return table.place(row, part.removesuffix("_id")) if part else f"row {row.number}"

    if samples or not faults:
        faults.extend(Manifest(samples=samples, pipeline="any").faults(), name)
    faults.refuse()
    return Sheet(samples, ignored, name)


def _pairs(rows: Sequence[_Row], key_of: KeyOf) -> Iterator[FastqPair]:
    for number, row in enumerate(rows, start=1):
        lane = row.cells.get("lane", "")
        if not lane or lane.lower() == "na":
            lane = f"L{number}" if len(rows) > 1 else "0"
        r1, r2 = row.cells["r1"], row.cells["r2"]
        yield FastqPair(key_of(r1), key_of(r2) if r2 else None, lane)


def _bad(row: _Row, table: _Table, faults: Faults) -> bool:
    bad = [part for part, cell in row.cells.items() if CONTROL.search(cell)]
    for part in bad:
        faults.add(table.place(row, part), f"{row.cells[part][:80]!r} holds a control character")
    return bool(bad)


def _table(text: str, faults: Faults) -> _Table:
    lines = _lines(text, faults)
    if faults or not lines:
        return _Table({}, ())
    _, first = lines[0]
    named = [cell.lower() for cell in first]
    # A sample may well be called "sample1": what tells a header is that it names no file.
    if {*KNOWN}.isdisjoint(named) or any(map(is_fastq, first)):
        header, rows = list(UNNAMED), lines
    else:
        header, rows = named, lines[1:]
    columns = _columns(header, faults)
    unknown = [
        Unknown(
            name,
            place=f"row 1, {name[:40]}",
            shown=f"column {name[:40]}",
            has_files=any(is_fastq(cell) for _, cells in rows for cell in cells[index : index + 1]),
        )
        for index, name in enumerate(header)
        if name and name not in KNOWN
    ]
    if faults:
        return _Table({}, (), unknown)
    for number, cells in rows:
        if any(cells[len(header) :]):
            faults.add(f"row {number}", f"has {len(cells)} cells under {len(header)} columns")
    at = {part: header.index(column) for part, column in columns.items()}
    return _Table(
        columns,
        [
            _Row(number, {part: cells[i] if i < len(cells) else "" for part, i in at.items()})
            for number, cells in rows
        ],
        unknown,
    )


def _columns(header: Sequence[str], faults: Faults) -> Mapping[str, str]:
    columns = {part: column for part, names in NAMES.items() for column in header if column in names}
    count = Counter(part for part, names in NAMES.items() for column in header if column in names)
    for part, names in NAMES.items():
        if part != "lane" and not count[part]:
            faults.add("row 1", f"column {names[0]} is missing")
        if count[part] > 1:
            faults.add(f"row 1, {columns[part]}", f"{count[part]} columns say the same")
    return columns


def _lines(text: str, faults: Faults) -> list[tuple[int, list[str]]]:
    """Return the rows that are not blank, with their numbers: those that a spreadsheet shows."""
    table: list[tuple[int, list[str]]] = []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            if number > _MAX_ROWS:
                faults.add("", f"has more than {_MAX_ROWS} rows")
                break
            stripped = [cell.strip(" ") for cell in cells]
            if any(stripped):
                table.append((number, stripped))
    except csv.Error as error:
        faults.add(f"row {number + 1}", f"is not CSV: {error}")
    return table
