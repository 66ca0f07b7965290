"""The cells of a sheet as they stand, sound or not: for people who mend them in a table."""

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Final

from attrs import frozen

from daylily.adapters.formats import sample_sheet, sheets, stage_sheet
from daylily.adapters.formats.reading import text_of
from daylily.adapters.formats.sheets import Kind
from daylily.domain.errors import Fault, InvalidInputError
from daylily.domain.manifest import is_fastq

COLUMNS: Final = (
    "sample_id", "lane", "r1_file", "r2_file", "coverage", "run_id", "experiment_id", "sample_type",
    "library_prep", "vendor", "platform", "barcode", "concordance_dir", "subsample",
    "positive_control", "negative_control", "n_x", "n_y", "external_id",
)  # fmt: skip
"""What a row may say, under the names that the API has for it."""
MOST_ROWS: Final = 100_000

_FILES: Final = {"r1": "r1_file", "r2": "r2_file"}
_OF_SHEET: Final = {"sample": "sample_id", **_FILES}
# Faults of this kind are told by the table itself, cell by cell, and are mended there.
_IN_A_CELL: Final = re.compile(r"row \d+, .*", re.DOTALL)
# Staging of old wants them; we say ourselves what they say.
_STAGING: Final = frozenset({"STAGE_DIRECTIVE", "STAGE_TARGET"})
_MORE: Final = re.compile(r"and \d+ more")


@frozen(kw_only=True)
class Cells:
    """A table of texts."""

    columns: tuple[str, ...] = COLUMNS[:4]
    """Some of ``COLUMNS``."""
    rows: tuple[tuple[str, ...], ...] = ()
    """Each with as many texts as there are columns."""
    faults: tuple[Fault, ...] = ()
    """What is wrong with the sheet, and cannot be told of a cell of the table."""
    left_out: tuple[str, ...] = ()
    """Columns that mean nothing to us."""


def cells_of(data: bytes, *, staged: bool = False) -> Cells:
    """
    Return the cells of a sheet, whatever is wrong with them.

    Columns that mean nothing to us are left out. Rows of a sample that names no lanes get ``L1``,
    ``L2`` ..., as when the sheet is read as a whole; what says ``na`` says nothing.

    Args:
        staged: It has the columns of ``stage_samples.tsv``, whatever it looks like.
    """
    try:
        text = text_of(data)
    except InvalidInputError as error:
        return Cells(faults=error.faults)
    kind = sheets.kind_of(data, staged=staged)
    lines = _lines(text, kind)
    if not lines:
        return Cells(faults=(Fault("", "is empty"),))
    header = _fields(kind, lines[0])
    headed = not any(map(is_fastq, lines[0]))
    at = {name: header.index(name) for name in COLUMNS if name in header}
    rows: list[dict[str, str]] = [
        {name: _cell(line, i) for name, i in at.items()} for line in lines[headed : MOST_ROWS + 1]
    ]
    if not kind.staged:
        _name_lanes(rows)
    columns = tuple(name for name in COLUMNS if name in at or name in COLUMNS[:4])
    unknown = (cell for cell, name in zip(lines[0], header, strict=False) if cell and not name)
    return Cells(
        columns=columns,
        rows=tuple(tuple(row.get(name, "") for name in columns) for row in rows),
        left_out=tuple(cell[:40] for cell in unknown if cell.upper() not in _STAGING) if headed else (),
        faults=tuple(
            _faults(data if kind.is_separated_well else _separated(lines, kind), kind, headed)
        ),
    )


def _lines(text: str, kind: Kind) -> list[list[str]]:
    """Return the cells of each line that is not blank, of as many lines as anybody may have."""
    lines = islice(io.StringIO(text, newline=""), MOST_ROWS + 1)
    if kind.staged and kind.separator == "\t":
        split = [line.split("\t") for line in lines]
    else:
        try:
            split = list(csv.reader(lines, delimiter=kind.separator))
        except csv.Error:  # a quote that never ends, or a cell as long as a book
            first = islice(io.StringIO(text, newline=""), MOST_ROWS + 1)
            split = [line.split(kind.separator) for line in first]
    stripped = ([cell.strip() for cell in line] for line in split)
    return [line for line in stripped if any(line)]


def _fields(kind: Kind, first: Sequence[str]) -> list[str]:
    """Return what each column is to us, if anything."""
    names: Mapping[str, str]
    if kind.staged:
        names = {column: name for name, column in stage_sheet.COLUMN_OF.items()}
        names = {column: _FILES.get(name, name) for column, name in names.items()}
    else:
        names = {
            column: _OF_SHEET.get(part, part)
            for part, columns in sample_sheet.NAMES.items()
            for column in columns
        }
        # Tables of ours, saved as CSV, come back with all that they have said.
        names = {**{name: name for name in COLUMNS}, **names}
    return [names.get(column, "") for column in kind.header(first)]


def _cell(line: Sequence[str], index: int) -> str:
    cell = line[index] if index < len(line) else ""
    return "" if cell.lower() == "na" else cell


def _name_lanes(rows: Sequence[dict[str, str]]) -> None:
    times = Counter(row.get("sample_id", "") for row in rows)
    seen: Counter[str] = Counter()
    for row in rows:
        sample = row.get("sample_id", "")
        seen[sample] += 1
        if times[sample] > 1 and sample and not row.get("lane"):
            row["lane"] = f"L{seen[sample]}"


def _separated(lines: Sequence[Sequence[str]], kind: Kind) -> bytes:
    """Return the sheet as one of its kind is separated: to have read it is all that matters here."""
    out = io.StringIO()
    if kind.staged:
        out.writelines("\t".join(line) + "\n" for line in lines)
    else:
        csv.writer(out, lineterminator="\n").writerows(lines)
    return out.getvalue().encode()


def _faults(data: bytes, kind: Kind, headed: bool) -> list[Fault]:
    well = Kind(kind.staged, "\t" if kind.staged else ",")
    try:
        well.read(data, strict=True)
    except InvalidInputError as error:
        return [fault for fault in error.faults if not _told_in_a_cell(fault, headed)]
    return []


def _told_in_a_cell(fault: Fault, headed: bool) -> bool:
    if _MORE.fullmatch(fault.message):
        return True
    of_header = headed and fault.place.startswith("row 1,")
    return not of_header and _IN_A_CELL.fullmatch(fault.place) is not None
