"""A form with a table of samples: its fields, its cells, and the sheets that came with it."""

import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from anyio import to_thread
from attrs import evolve, frozen
from litestar import Request

from daylily.adapters.formats.sheet_cells import cells_of
from daylily.entrypoints.http.forms import boundary_of, parts_of
from daylily.entrypoints.http.uploads import body_within
from daylily.entrypoints.portal.drafts import Draft
from daylily.entrypoints.portal.forms import check_csrf
from daylily.entrypoints.portal.sample_table import ALWAYS, TITLES, Table

LARGEST: Final = 32 << 20
"""Bytes of a form: a sheet of ten megabytes, and a table as large beside it."""
SHOWN: Final = 100
"""Rows that a page has as fields without its script, which shows all."""

_WORKBOOK: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How files of spreadsheets begin, new ones and old."""
_CELL: Final = re.compile(r"cell-(\d{1,6})-(\w{1,30})")


@frozen(kw_only=True)
class TableForm:
    """The form as it was sent."""

    texts: Mapping[str, str]
    draft: Draft
    notes: Sequence[str] = ()
    """What is to be said of the sheets that came with it."""

    @classmethod
    def read(cls, request: Request[Any, Any, Any], body: bytes) -> "TableForm":
        """
        Read a form, with its sheets.

        Raises:
            MediaTypeError: It is none.
            BadDocumentError: It cannot be read.
            InvalidInputError: Its table was not made by a page of ours.
        """
        texts: dict[str, str] = {}
        cells: dict[tuple[int, str], str] = {}
        sheets: list[tuple[str, bytes]] = []
        for part in parts_of(io.BytesIO(body), boundary_of(request)):
            found = _CELL.fullmatch(part.name)
            if part.filename is not None:
                data = part.file.read()
                sheets += [(part.filename, data)] if data else []
            elif found and found[2] in TITLES:
                cells[int(found[1]), found[2]] = part.text()
            else:
                texts[part.name] = part.text()
        table = Table.of_json(texts["table"]) if texts.get("table") else Table()
        table = table.written(cells)
        if pasted := texts.get("sheet_text", "").strip("\r\n"):
            sheets.append(("", pasted.encode()))
        notes: list[str] = []
        for name, data in sheets:
            more, told = table_of_sheet(data, name)
            table = table.followed_by(more)
            notes += told
        return cls(texts=texts, draft=Draft.of(texts, table.tidy), notes=tuple(notes))

    @classmethod
    async def sent(cls, request: Request[Any, Any, Any]) -> "TableForm":
        """
        Return the form that is sent, if it comes from a page of ours.

        Raises:
            ForbiddenError: It does not.
            MediaTypeError: It is none.
            BadDocumentError: It cannot be read.
            InvalidInputError: Its table was not made by a page of ours.
        """
        body = await body_within(request, LARGEST)
        form = await to_thread.run_sync(cls.read, request, body)
        check_csrf(request, form.texts)
        return form

    @property
    def fingerprint(self) -> str:
        """A digest of all that it asks for."""
        asked = evolve(self.draft, arriving=frozenset())
        return hashlib.sha256(repr(asked).encode("utf-8", "replace")).hexdigest()


def table_of_sheet(data: bytes, name: str) -> tuple[Table, list[str]]:
    """Return the cells of a sheet, and what is to be said of the sheet itself."""
    if data.startswith(_WORKBOOK):
        return Table(), [f"{name[:80] or 'This'}: is a workbook. Save it as CSV or TSV"]
    cells = cells_of(data, staged=name.lower() == "stage_samples.tsv")
    before = f"{name[:80]}: " if name else ""
    notes = [f"{before}{fault}" for fault in cells.faults]
    asked = {fault.place.rpartition(", ")[2].lower() for fault in cells.faults}
    # Of a column that may be misspelt, or has files, it has been asked already what it is.
    left_out = [each for each in cells.left_out if each.lower() not in asked]
    if left_out:
        notes.append(f"{before}columns that mean nothing here are left out: {', '.join(left_out)}")
    return Table.of_cells(cells).held.with_columns(ALWAYS), notes


def with_blanks(table: Table, count: int = 5) -> Table:
    """Return a table with blank rows at its end, to be written in."""
    blank = ("",) * len(table.columns)
    return evolve(table, rows=(*table.rows, *(blank,) * count))
