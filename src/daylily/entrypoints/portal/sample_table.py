"""The samples of a workset as a table of texts, as people write them on a page."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Self

from attrs import evolve, frozen

from daylily.adapters.formats.sheet_cells import COLUMNS, MOST_ROWS, Cells
from daylily.domain import read_names
from daylily.domain.errors import Fault, InvalidInputError
from daylily.domain.manifest import Sample
from daylily.domain.pairing import samples_of

ALWAYS: Final = COLUMNS[:4]
"""Columns that a table has, whatever is in them."""
TITLES: Final[Mapping[str, str]] = {
    "sample_id": "Sample", "lane": "Lane", "r1_file": "Reads 1", "r2_file": "Reads 2",
    "coverage": "Coverage (x)", "run_id": "Sequencing run", "experiment_id": "Experiment",
    "sample_type": "Sample type", "library_prep": "Library", "vendor": "Vendor",
    "platform": "Platform", "barcode": "Barcode", "concordance_dir": "Truth data",
    "subsample": "Share to keep", "positive_control": "Positive control",
    "negative_control": "Negative control", "n_x": "X chromosomes", "n_y": "Y chromosomes",
    "external_id": "Your own id",
}  # fmt: skip

_LONGEST: Final = 2000
"""Characters of a cell; nothing that may be said is half as long."""
_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")
_CELL: Final = re.compile(r"samples\[(\d+)\](?:\.(\w+))?")
_NO_LANE: Final = re.compile(r"has lane '0' (\d+) times")
_NUMBERS: Final = frozenset({"coverage", "subsample", "n_x", "n_y"})
_FLAGS: Final = frozenset({"positive_control", "negative_control"})
_YES_NO: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@frozen
class CellFault:
    """What is wrong with a cell, or with all of its row."""

    row: int
    """From 0."""
    column: str
    message: str


@frozen(kw_only=True)
class Table:
    """Rows of cells, each a text; sound or not."""

    columns: tuple[str, ...] = ALWAYS
    rows: tuple[tuple[str, ...], ...] = ()

    @classmethod
    def of_cells(cls, cells: Cells) -> Self:
        """Return the table of a sheet."""
        return cls(columns=cells.columns, rows=cells.rows)

    @classmethod
    def of_samples(cls, samples: Iterable[Sample]) -> Self:
        """Return a table of what is known of samples: a row for each lane."""
        rows = []
        for sample in samples:
            for pair in sample.pairs:
                coverage = "" if sample.coverage is None else f"{sample.coverage:g}"
                lane = "" if pair.lane == "0" else pair.lane
                rows.append((sample.sample_id, lane, pair.r1, pair.r2 or "", coverage))
        if any(row[4] for row in rows):
            return cls(columns=(*ALWAYS, "coverage"), rows=tuple(rows))
        return cls(rows=tuple(row[:4] for row in rows))

    @classmethod
    def of_json(cls, text: str) -> Self:
        """
        Return a table as a page has kept it.

        Raises:
            InvalidInputError: It is none.
        """
        wrong = InvalidInputError.of("samples", "the table cannot be read: reload the page")
        try:
            found = json.loads(text)
            columns, rows = found["columns"], found["rows"]
            sound = (
                isinstance(columns, list)
                and all(column in TITLES for column in columns)
                and len({*columns}) == len(columns)
                and isinstance(rows, list)
            )
            if not sound:
                raise wrong
            taken = [_row(row, len(columns)) for row in rows[: MOST_ROWS + 1]]
        except (LookupError, TypeError, ValueError, RecursionError):
            raise wrong from None
        return cls(columns=tuple(columns), rows=tuple(taken)).with_columns(ALWAYS)

    def json(self) -> str:
        """Return it as a page keeps it."""
        found = {"columns": self.columns, "rows": self.rows}
        return json.dumps(found, ensure_ascii=False, separators=(",", ":"))

    def with_columns(self, wanted: Sequence[str]) -> Self:
        """Return a table that has these columns, too, in the order of all columns."""
        return self._of([name for name in COLUMNS if name in self.columns or name in wanted])

    def written(self, cells: Mapping[tuple[int, str], str]) -> Self:
        """Return a table in which these cells say something else; rows may be new."""
        if not cells:
            return self
        last = max(row for row, _ in cells)
        rows = [list(row) for row in self.rows]
        rows += [[""] * len(self.columns) for _ in range(len(rows), min(last + 1, len(rows) + 1000))]
        for (row, column), text in cells.items():
            if row < len(rows) and column in self.columns:
                rows[row][self.columns.index(column)] = _text(text)
        return evolve(self, rows=tuple(map(tuple, rows)))

    def followed_by(self, other: "Table") -> "Table":
        """Return a table with the rows of another below; blank ones of ours make way."""
        mine = self.with_columns(other.columns).tidy
        theirs = other.with_columns(mine.columns)
        return evolve(mine, rows=(*mine.rows, *theirs.rows))

    def only(self, wanted: Sequence[str]) -> Self:
        """Return a table without columns that are not wanted."""
        return self._of([name for name in self.columns if name in wanted])

    def _of(self, names: Sequence[str]) -> Self:
        """Return a table of these columns; what it has not of them is blank."""
        columns = tuple(names)
        if columns == self.columns:
            return self
        at = [self.columns.index(name) if name in self.columns else None for name in columns]
        rows = (tuple("" if i is None else row[i] for i in at) for row in self.rows)
        return evolve(self, columns=columns, rows=tuple(rows))

    @property
    def held(self) -> Self:
        """The table without columns in which no row says anything."""
        said = {name for row in self.rows for name, cell in zip(self.columns, row, strict=True) if cell}
        return self.only([*said])

    @property
    def tidy(self) -> Self:
        """The table without its blank rows."""
        return evolve(self, rows=tuple(row for row in self.rows if any(row)))

    def entries(self) -> list[Mapping[str, object]]:
        """Return what the rows say, as clients of the API write it; blank rows say nothing."""
        return [
            {name: _value(name, cell) for name, cell in zip(self.columns, row, strict=True) if cell}
            for row in self.rows
            if any(row)
        ]

    def told(self, faults: Iterable[Fault]) -> tuple[list[CellFault], list[Fault]]:
        """Return the faults of entries at their cells, and the others."""
        numbers = [number for number, row in enumerate(self.rows) if any(row)]

        def named(match: re.Match[str]) -> str:
            entry = int(match[1])
            return f"row {numbers[entry] + 1}" if entry < len(numbers) else match[0]

        cells, others = [], []
        for fault in faults:
            message = _NO_LANE.sub(
                r"is in \1 rows without a lane: say in each which one it is", fault.message
            )
            message = _CELL.sub(named, message)
            found = _CELL.fullmatch(fault.place)
            if found and int(found[1]) < len(numbers):
                column = found[2] if found[2] in TITLES else "sample_id"
                cells.append(CellFault(numbers[int(found[1])], column, message))
            else:
                others.append(Fault(fault.place, message))
        return cells, others


def paired(keys: Iterable[str]) -> tuple[Table, tuple[Fault, ...]]:
    """
    Return the samples that the names of files tell of, and what is wrong with the other names.

    A first read without its mate is a sample that lacks one. Any other file that may mean two things
    gets a row of its own, for people to say what it is.
    """
    left = sorted({*keys})
    faults: list[Fault] = []
    while left:
        try:
            table = Table.of_samples(samples_of(left))
        except InvalidInputError as error:
            wrong = {fault.place for fault in error.faults}
            faults += error.faults
            left = [key for key in left if key not in wrong]
        else:
            break
    else:
        table = Table()
    alone = tuple(map(_row_of, dict.fromkeys(fault.place for fault in faults)))
    return table.followed_by(Table(rows=alone)), tuple(faults)


def mates_missing(table: Table) -> Iterator[tuple[int, str]]:
    """Yield the rows, from 0, that name a first read and no second, each with its sample."""
    for number, row in enumerate(table.rows):
        cells = dict(zip(table.columns, row, strict=True))
        if cells["r1_file"] and not cells["r2_file"] and _first_read(cells["r1_file"]):
            yield number, cells["sample_id"]


def _row_of(key: str) -> tuple[str, ...]:
    found = _first_read(key)
    if found is None:
        return "", "", key, ""
    return found.sample, "" if found.lane == "0" else found.lane, key, ""


def _first_read(key: str) -> read_names.Reading | None:
    found = read_names.read(key.replace("\\", "/").rpartition("/")[2])
    return found if found is not None and found.read == "1" else None


def _row(row: object, width: int) -> tuple[str, ...]:
    if not isinstance(row, list) or len(row) != width:
        raise ValueError(row)
    return tuple(_text(cell) for cell in row)


def _text(cell: object) -> str:
    if not isinstance(cell, str):
        raise TypeError(cell)
    # Half of a character, which JSON can say, is nothing that a page or a store could hold.
    return _SURROGATE.sub("\ufffd", cell).strip()[:_LONGEST]


def _value(name: str, cell: str) -> object:
    """Return the value that a cell stands for; what stands for none is left for the reader to judge."""
    if name in _FLAGS:
        return _YES_NO.get(cell.lower(), cell)
    if name not in _NUMBERS:
        return cell
    try:
        number = float(cell)
    except ValueError:
        return cell
    # Portals of old wrote 100 in every row; read as a share or as per cent, both mean "all".
    return None if name == "subsample" and number in {1, 100} else number


def lines_of(table: Table) -> Iterator[Mapping[str, str]]:
    """Yield the rows that say something, by column."""
    for row in table.tidy.rows:
        yield dict(zip(table.columns, row, strict=True))
