"""What a workset is made of and has been through: its inputs, all of its history, and who did what."""

from datetime import timedelta
from typing import Final

from attrs import frozen
from litestar import Response, get
from litestar.params import FromPath

from daylily.application.audit_trail import Entry
from daylily.bootstrap import App
from daylily.domain.errors import UnavailableError
from daylily.domain.manifest import Seal
from daylily.domain.workset import Workset
from daylily.entrypoints.account_views import EntryView
from daylily.entrypoints.http.requests import count, query
from daylily.entrypoints.http.wiring import UseCases
from daylily.entrypoints.portal.context import Person, pages, shown
from daylily.entrypoints.views import HistoryPage, WorksetView

STEPS: Final = 100
SAMPLES: Final = 100
ENTRIES: Final = 200
"""Of the audit trail: how many are looked at in one go."""
LOOKS: Final = 10
"""How often, for one page."""


@get("/worksets/{workset_id:str}/history", sync_to_thread=True)
def history_page(request: Person, workset_id: FromPath[str], app: UseCases) -> Response[str]:
    """Show all that a workset has been through, latest first."""
    fields = query(request)
    cursor = fields.text("cursor")
    fields.raise_faults()
    workset = app.read.get(request.user, workset_id)
    found = app.read.history(request.user, workset_id, cursor=cursor, limit=STEPS)
    return shown(
        request,
        "workset_history.html",
        workset=WorksetView.of(workset, app.read),
        steps=HistoryPage.of(found).transitions,
        **pages(f"/portal/worksets/{workset_id}/history", cursor, found.cursor),
    )


@get("/worksets/{workset_id:str}/audit", sync_to_thread=True)
def audit_page(request: Person, workset_id: FromPath[str], app: UseCases) -> Response[str]:
    """Show what people and programs have asked for, latest first, and what came of it."""
    fields = query(request)
    cursor = fields.text("cursor")
    fields.raise_faults()
    workset = app.read.get(request.user, workset_id)
    entries, further = _entries(request, app, workset, cursor)
    return shown(
        request,
        "workset_audit.html",
        workset=WorksetView.of(workset, app.read),
        entries=[EntryView.of(each) for each in entries],
        **pages(f"/portal/worksets/{workset_id}/audit", cursor, further),
    )


def _entries(
    request: Person, app: App, workset: Workset, cursor: str | None
) -> tuple[list[Entry], str | None]:
    """Return what the trail of the customer tells of a workset, and where to look further back."""
    found: list[Entry] = []
    for _ in range(LOOKS):
        page = app.audit.list(
            request.user,
            workset.customer_id,
            about=workset.workset_id,
            # The clocks of two machines may differ by that.
            since=workset.created_at - timedelta(minutes=1),
            cursor=cursor,
            limit=ENTRIES,
        )
        found += page.items
        cursor = page.cursor
        if cursor is None or len(found) >= ENTRIES:
            break
    return found, cursor


@frozen(kw_only=True)
class _File:
    sample_id: str
    key: str
    seal: Seal | None


@get("/worksets/{workset_id:str}/inputs", sync_to_thread=True)
def inputs_page(request: Person, workset_id: FromPath[str], app: UseCases) -> Response[str]:
    """Show samples and their files with their seals, and compare them if that is asked for."""
    fields = query(request)
    start = count(fields, "from", least=0, most=10**6, default=0) or 0
    check = fields.text("check") == "yes"
    fields.raise_faults()
    workset = app.read.get(request.user, workset_id)
    samples = workset.manifest.samples
    seals = dict(workset.manifest.seals())
    told: str | None = None
    silent = False
    if check:
        try:
            told = app.seals(workset)
        except UnavailableError:
            silent = True
    here = f"/portal/worksets/{workset_id}/inputs"
    return shown(
        request,
        "workset_inputs.html",
        workset=WorksetView.of(workset, app.read),
        files=[
            _File(sample_id=sample.sample_id, key=key, seal=seals.get(key))
            for sample in samples[start : start + SAMPLES]
            for pair in sample.pairs
            for _, key in pair.files()
        ],
        start=start,
        stop=min(start + SAMPLES, len(samples)),
        sealed=len(seals),
        checked=check,
        broken=told,
        silent=silent,
        first=f"{here}?from={max(start - SAMPLES, 0)}" if start else None,
        next=f"{here}?from={start + SAMPLES}" if start + SAMPLES < len(samples) else None,
        here_address=here,
    )


ROUTES: Final = (history_page, audit_page, inputs_page)
