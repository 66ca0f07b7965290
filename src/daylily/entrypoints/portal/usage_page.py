"""What a customer uses, by month: worksets, storage, what was said to be spent and what was."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from litestar import Response, get
from litestar.response import Stream

from daylily.bootstrap import App
from daylily.domain.errors import NotFoundError
from daylily.domain.lifecycle import State
from daylily.domain.workset import Workset
from daylily.entrypoints.http.answers import disposition
from daylily.entrypoints.http.requests import Fields, count, query
from daylily.entrypoints.http.wiring import UseCases
from daylily.entrypoints.portal.context import Person, shown
from daylily.entrypoints.portal.usage_chart import Chart
from daylily.entrypoints.spreadsheets import harmless
from daylily.entrypoints.views import UsageView
from daylily.ports.paging import every
from daylily.ports.state_store import Filter

SPANS: Final = (3, 6, 12, 24, 36)
"""Months that the page offers."""
_MONTHS: Final = ("month", "worksets", "samples", "complete", "estimated_cost_usd", "recorded_cost_usd")
_WORKSETS: Final = (
    *("workset_id", "name", "state", "pipeline", "samples", "priority", "submitted_by", "created_at"),
    *("estimated_cost_usd", "recorded_compute_usd"),
)


@get("/usage", sync_to_thread=True)
def usage_page(request: Person, app: UseCases) -> Response[str]:
    """Show what a customer uses; operators may ask for any."""
    customer_id, months = _asked(request)
    found = app.usage(request.user, customer_id, months=months)
    usage = UsageView.of(found)
    return shown(
        request,
        "usage.html",
        usage=usage,
        found=found,
        bounded=app.files.quota.bounds(customer_id),
        customer=app.manage.get(request.user, customer_id),
        months=months,
        spans=SPANS,
        own=customer_id == request.user.customer_id,
        chart=Chart.of(usage.months),
        said=f"months={months}&customer={customer_id}",
    )


@get("/usage.csv", sync_to_thread=True)
def usage_file(request: Person, app: UseCases) -> Response[str] | Stream:
    """Return months, or worksets one by one, for a spreadsheet."""
    fields = query(request)
    what = fields.text("what") or "months"
    customer_id, months = _asked(request, fields)
    if what not in {"months", "worksets"}:
        raise NotFoundError(f"there is no list of {what[:40]}")
    usage = UsageView.of(app.usage(request.user, customer_id, months=months))
    headers = {"content-disposition": disposition(f"daylily-{what}-{customer_id}.csv", attached=True)}
    if what == "months":
        rows = [[str(getattr(month, name)) for name in _MONTHS] for month in usage.months]
        text = "".join(_lines([_MONTHS, *rows]))
        return Response(text, media_type="text/csv", headers=headers)
    since = datetime.fromisoformat(f"{usage.months[-1].month}-01T00:00:00+00:00")
    told = (line.encode() for line in _lines(_rows(request, app, customer_id, since)))
    return Stream(told, media_type="text/csv", headers=headers)


def _asked(request: Person, fields: Fields | None = None) -> tuple[str, int]:
    fields = query(request) if fields is None else fields
    months = count(fields, "months", least=1, most=36, default=12) or 12
    customer_id = fields.text("customer") or request.user.customer_id
    fields.raise_faults()
    return customer_id, months


def _rows(request: Person, app: App, customer_id: str, since: datetime) -> Iterator[Iterable[str]]:
    yield _WORKSETS
    # What has been put away has cost what it has cost.
    where = Filter(customer_id=customer_id, created_from=since, states=frozenset(State))
    worksets = every(lambda cursor: app.read.list(request.user, where, cursor=cursor, limit=1000))
    yield from map(_row, worksets)


def _row(workset: Workset) -> Iterable[str]:
    said, cost = workset.estimate, workset.recorded_usd
    return (
        *(workset.workset_id, workset.name, str(workset.state), workset.manifest.pipeline),
        *(str(len(workset.manifest.samples)), str(workset.priority), workset.submitted_by),
        workset.created_at.isoformat(),
        "" if said is None else str(said.total_usd),
        "" if cost is None else str(cost),
    )


def _lines(rows: Iterable[Iterable[str]]) -> Iterator[str]:
    for row in rows:
        text = io.StringIO()
        csv.writer(text).writerow([harmless(cell) for cell in row])
        yield text.getvalue()


ROUTES: Final = (usage_page, usage_file)
