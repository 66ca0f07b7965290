"""The table of worksets, at any width: what people act upon is never cut."""

from collections.abc import Sequence
from typing import Final, Literal

from attrs import evolve, field, frozen
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from daylily.entrypoints.cli.render import age_of, progress_of, state_of
from daylily.entrypoints.views import WorksetView

_GAP: Final = 2
_LEAST: Final = 16
"""Letters of PROGRESS below which there is no point in showing any."""
_PROGRESS: Final = "PROGRESS"
_GO_FIRST: Final = ("SAMPLES", "PRIORITY", _PROGRESS, "PIPELINE", "CUSTOMER", "CREATED")
"""Which columns go, in this order, once PROGRESS has shrunk all it can; ID and STATE stay."""


@frozen
class _Column:
    title: str
    cells: Sequence[Text]
    justify: Literal["left", "right"] = "left"
    width: int = field()

    @width.default
    def _natural(self) -> int:
        return max(len(self.title), *(cell.cell_len for cell in self.cells))


@frozen
class Listing:
    """
    The table of ``daylily list``, and of ``watch`` on a terminal.

    Args:
        customers: Whether each workset's customer is shown.
    """

    worksets: Sequence[WorksetView]
    customers: bool = False

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it as wide as there is room for."""
        columns = _that_fit(self._columns(), options.max_width)
        table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, _GAP, 0, 0))
        for column in columns:
            shrinks = column.title == _PROGRESS
            table.add_column(
                column.title, justify=column.justify, width=column.width,
                overflow="ellipsis" if shrinks else "fold",
                # On the narrowest of screens an id goes on in the next line: it is never cut.
                no_wrap=column.title != "ID",
            )  # fmt: skip
        for cells in zip(*(column.cells for column in columns), strict=True):
            table.add_row(*cells)
        yield table

    def _columns(self) -> list[_Column]:
        worksets = self.worksets
        columns = [
            _Column("ID", [Text(each.workset_id) for each in worksets]),
            _Column("CUSTOMER", [Text(each.customer_id) for each in worksets]),
            _Column("STATE", [state_of(each) for each in worksets]),
            _Column("PRIORITY", [Text(each.priority) for each in worksets]),
            _Column("PIPELINE", [Text(each.pipeline_type) for each in worksets]),
            _Column("SAMPLES", [Text(str(each.sample_count)) for each in worksets], "right"),
            _Column("CREATED", [Text(age_of(each.created_at)) for each in worksets]),
            _Column(_PROGRESS, [Text(progress_of(each)) for each in worksets]),
        ]
        return [each for each in columns if self.customers or each.title != "CUSTOMER"]


def _that_fit(columns: Sequence[_Column], room: int) -> list[_Column]:
    """Return the columns there is room for; the one that gives way is made as wide as there is room."""
    left = list(columns)
    for title in _GO_FIRST:
        if sum(map(_least, left)) + _GAP * (len(left) - 1) <= room:
            break
        left = [each for each in left if each.title != title]
    yields = _PROGRESS if left[-1].title == _PROGRESS else "ID"
    spare = room - sum(each.width + _GAP for each in left) + _GAP
    return [
        evolve(each, width=max(each.width + min(spare, 0), 1)) if each.title == yields else each
        for each in left
    ]


def _least(column: _Column) -> int:
    return min(column.width, _LEAST) if column.title == _PROGRESS else column.width
