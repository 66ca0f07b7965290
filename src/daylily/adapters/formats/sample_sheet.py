"""A sample sheet as nf-core has it: CSV with ``sample,fastq_1,fastq_2``, one row a lane."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from attrs import frozen

from daylily.adapters.formats.reading import CONTROL, Faults, text_of
from daylily.domain.manifest import MAX_SAMPLES, FastqPair, Manifest, Sample, is_fastq

_NAMES: Final = {
    "sample": ("sample", "sample_id", "sample_name"),
    "r1": ("fastq_1", "fastq_r1", "fastq1", "r1", "read1", "read_1"),
    "r2": ("fastq_2", "fastq_r2", "fastq2", "r2", "read2", "read_2"),
    "lane": ("lane",),
}
_UNNAMED: Final = ("sample", "fastq_1", "fastq_2")
_MAX_ROWS: Final = 10 * MAX_SAMPLES


@frozen
class _Row:
    number: int
    cells: Mapping[str, str]


@frozen
class _Sheet:
    columns: Mapping[str, str]
    """What the sheet calls ``sample``, ``r1``, ``r2`` and ``lane``, where it has them."""
    rows: Sequence[_Row]

    def place(self, row: _Row, part: str) -> str:
        return f"row {row.number}, {self.columns.get(part, part)}"


def parse(data: bytes) -> tuple[Sample, ...]:
    """
    Return the samples of a sheet, in the order of their first rows.

    The header is optional, in any case, and may have further columns. Several rows of one sample are
    its lanes ``L1``, ``L2`` ... in order, unless a column ``lane`` names them.

    Raises:
        InvalidInputError: All that is wrong, at its row (the first line is row 1) and column.
    """
    faults = Faults()
    sheet = _sheet(text_of(data), faults)
    groups: dict[str, list[_Row]] = {}
    for row in sheet.rows:
        if _bad(row, sheet, faults):
            continue
        if row.cells["sample"]:
            groups.setdefault(row.cells["sample"], []).append(row)
        else:
            faults.add(sheet.place(row, "sample"), "is empty")
    samples = tuple(
        Sample(sample_id=sample_id, pairs=tuple(_pairs(rows))) for sample_id, rows in groups.items()
    )
    by_index = list(groups.values())

    def name(sample: int, pair: int | None, part: str | None) -> str:
        row = by_index[sample][pair or 0]
        return sheet.place(row, part.removesuffix("_id")) if part else f"row {row.number}"

    if samples or not faults:
        faults.extend(Manifest(samples=samples, pipeline="any").faults(), name)
    faults.refuse()
    return samples


def _pairs(rows: Sequence[_Row]) -> Iterator[FastqPair]:
    for number, row in enumerate(rows, start=1):
        lane = f"L{number}" if len(rows) > 1 else "0"
        yield FastqPair(row.cells["r1"], row.cells.get("r2") or None, row.cells.get("lane") or lane)


def _bad(row: _Row, sheet: _Sheet, faults: Faults) -> bool:
    bad = [part for part, cell in row.cells.items() if CONTROL.search(cell)]
    for part in bad:
        faults.add(sheet.place(row, part), f"{row.cells[part][:80]!r} holds a control character")
    return bool(bad)


def _sheet(text: str, faults: Faults) -> _Sheet:
    table = _table(text, faults)
    if faults or not table:
        return _Sheet({}, ())
    _, first = table[0]
    named = [cell.lower() for cell in first]
    known = {name for names in _NAMES.values() for name in names}
    # A sample may well be called "sample1": what tells a header is that it names no file.
    if known.isdisjoint(named) or any(map(is_fastq, first)):
        header, rows = list(_UNNAMED), table
    else:
        header, rows = named, table[1:]
    columns = _columns(header, faults)
    if faults:
        return _Sheet({}, ())
    for number, cells in rows:
        if any(cells[len(header) :]):
            faults.add(f"row {number}", f"has {len(cells)} cells under {len(header)} columns")
    at = {part: header.index(column) for part, column in columns.items()}
    return _Sheet(
        columns,
        [
            _Row(number, {part: cells[i] if i < len(cells) else "" for part, i in at.items()})
            for number, cells in rows
        ],
    )


def _columns(header: Sequence[str], faults: Faults) -> Mapping[str, str]:
    columns = {part: column for part, names in _NAMES.items() for column in header if column in names}
    count = Counter(part for part, names in _NAMES.items() for column in header if column in names)
    for part, names in _NAMES.items():
        if part != "lane" and not count[part]:
            faults.add("row 1", f"column {names[0]} is missing")
        if count[part] > 1:
            faults.add(f"row 1, {columns[part]}", f"{count[part]} columns say the same")
    return columns


def _table(text: str, faults: Faults) -> list[tuple[int, list[str]]]:
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
