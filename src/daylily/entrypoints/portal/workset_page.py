"""One workset: how it fares, why it waits, what it has cost and left, and what may be done about it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from anyio import to_thread
from attrs import evolve, frozen
from litestar import Response, get
from litestar.params import FromPath
from litestar.response import Stream

from daylily.application.explain_workset import START
from daylily.application.inputs import S3
from daylily.application.show_progress import ProgressTold
from daylily.bootstrap import App
from daylily.domain.diagnosis import CATALOGUE
from daylily.domain.errors import UnavailableError
from daylily.domain.step_record import StepTold
from daylily.domain.workset import Workset
from daylily.entrypoints.http.requests import query
from daylily.entrypoints.http.streams import Position
from daylily.entrypoints.http.wiring import Listening, UseCases
from daylily.entrypoints.http.worksets import attempt_in
from daylily.entrypoints.portal.context import Person, shown
from daylily.entrypoints.portal.desk import AtDesk, Desk
from daylily.entrypoints.portal.look import page
from daylily.entrypoints.portal.workset_actions import possible
from daylily.entrypoints.portal.workset_log import Tail, tail_of
from daylily.entrypoints.portal.workset_results import AT_A_GLANCE, Addresses, folder_of
from daylily.entrypoints.views import EstimateView, WhyView, WorksetView

SAMPLES_SHOWN: Final = 50
"""Of the samples; a page of their own has them all."""
STEPS_SHOWN: Final = 200
HISTORY_SHOWN: Final = 20

_NAMES: Final = {each.code: each.name for each in CATALOGUE}


@get("/worksets/{workset_id:str}", sync_to_thread=True)
def workset_page(request: Person, workset_id: FromPath[str], app: UseCases) -> Response[str]:
    """Show one workset."""
    number = _attempt(request)
    workset = app.read.get(request.user, workset_id)
    log = tail_of(request, app, workset, number)
    return shown(
        request,
        "workset.html",
        **_told(request, app, workset, number),
        log=log,
        bell=_bell(workset, number, log),
    )


@get("/live/worksets/{workset_id:str}", sync_to_thread=True)
def workset_fragment(request: Person, workset_id: FromPath[str], app: UseCases) -> Response[str]:
    """Return what may change of a workset, for the script that keeps a page fresh."""
    number = _attempt(request)
    workset = app.read.get(request.user, workset_id)
    return page("_workset_parts.html", **_told(request, app, workset, number))


@get("/live/worksets/{workset_id:str}/why", sync_to_thread=True)
def why_fragment(request: Person, workset_id: FromPath[str], app: UseCases) -> Response[str]:
    """Say in a sentence why a workset is where it is, for a list that asks for it."""
    workset = app.read.get(request.user, workset_id)
    return page("_why.html", why=_why(request, app, workset), workset_id=workset_id)


def _attempt(request: Person) -> int | None:
    fields = query(request)
    number = attempt_in(fields)
    fields.raise_faults()
    return number


def _told(request: Person, app: App, workset: Workset, number: int | None) -> dict[str, Any]:
    attempt = number or len(workset.attempts)
    workset_id = workset.workset_id
    folder = folder_of(request, app, workset, attempt, most=AT_A_GLANCE)
    progress = app.progress(request.user, workset_id, attempt=number)
    view = WorksetView.of(workset, app.read)
    return {
        "workset": view,
        "attempt": attempt,
        "says_where": _says_where(request, view),
        "last": len(workset.attempts),
        "why": _why(request, app, workset),
        "actions": possible(request, workset),
        "failure_name": _NAMES.get(workset.failure.code or "") if workset.failure else None,
        "folder": folder,
        "glance": folder.items[:AT_A_GLANCE],
        "addresses": Addresses(workset_id, attempt),
        "progress": _Progress.of(progress),
        "inputs": _Inputs.of(workset),
        "cost": _Cost.of(workset),
        "shown_steps": HISTORY_SHOWN,
        "more_history": workset.sequence > HISTORY_SHOWN,
        "audited": request.user.manages(workset.customer_id),
        "source": f"/portal/live/worksets/{workset_id}" + (f"?attempt={number}" if number else ""),
    }


def _says_where(request: Person, workset: WorksetView) -> bool:
    """Tell whether the place of the results is for them: paths on the server's disks are operators'."""
    uri = workset.results_uri or ""
    return uri.startswith(S3) or (bool(uri) and request.user.operator)


def _why(request: Person, app: App, workset: Workset) -> WhyView | None:
    """Return why it is where it is; None where that cannot be found out now."""
    try:
        why = WhyView.of(app.explain(request.user, workset.workset_id))
    except UnavailableError:
        return None
    # Monitors are not the customers' to start.
    mine = request.user.operator or why.remedy != START
    return why if mine else evolve(why, remedy="Tell those who run this service.")


@frozen(kw_only=True)
class _Progress:
    steps: tuple[StepTold, ...]
    more_steps: int
    to_come: tuple[str, ...]
    samples: tuple[Any, ...]
    """Those that failed first, then those that run; of the rest, in their order."""
    counts: dict[str, int]
    total: int

    @classmethod
    def of(cls, told: ProgressTold) -> "_Progress":
        order = {"failed": 0, "running": 1, "canceled": 2}
        samples = sorted(told.samples, key=lambda each: order.get(each.said, 3))
        counts = dict.fromkeys(("ok", "failed", "running", "queued", "canceled"), 0)
        for each in told.samples:
            if each.said:
                counts[each.said] = counts.get(each.said, 0) + 1
        return cls(
            steps=told.steps[-STEPS_SHOWN:],
            more_steps=max(len(told.steps) - STEPS_SHOWN, 0),
            to_come=told.to_come,
            samples=tuple(samples[:SAMPLES_SHOWN]),
            counts={word: number for word, number in counts.items() if number},
            total=len(told.samples),
        )


@frozen(kw_only=True)
class _Inputs:
    files: int
    sealed: int
    size: int
    """Bytes of the sealed ones."""

    @classmethod
    def of(cls, workset: Workset) -> "_Inputs":
        sizes = [seal.size for _, seal in workset.manifest.seals()]
        files = sum(1 for _ in workset.manifest.files())
        return cls(files=files, sealed=len(sizes), size=sum(sizes))


@frozen(kw_only=True)
class _Cost:
    """What it was said to cost, and what is known of what it has cost."""

    estimate: EstimateView | None
    recorded: Decimal | None
    share: float | None
    """The recorded cost as a share of what was said of it; None where either is not known."""
    ran: timedelta
    """How long its attempts have run, together, as far as they have ended."""

    @classmethod
    def of(cls, workset: Workset) -> "_Cost":
        said, recorded = workset.estimate, workset.recorded_usd
        share = None
        if said is not None and recorded is not None and said.compute_usd:
            share = float(recorded / said.compute_usd)
        spans = (each.ended_at - each.started_at for each in workset.attempts if each.ended_at)
        return cls(
            estimate=EstimateView.of(said) if said else None,
            recorded=recorded,
            share=share,
            ran=sum(spans, timedelta()),
        )


# News as it happens


def _bell(workset: Workset, number: int | None, log: Tail | None) -> str | None:
    """Return where a page hears that there is news; None where there is none to come."""
    if workset.ended or number not in {None, len(workset.attempts)}:
        return None
    offset = log.offset if log else 0
    after = f"{workset.sequence}.{len(workset.attempts)}.{offset}"
    return f"/portal/live/worksets/{workset.workset_id}/events?after={after}"


@get("/live/worksets/{workset_id:str}/events")
async def events(
    request: Person,
    workset_id: FromPath[str],
    app: UseCases,
    streams: Listening,
    desk: AtDesk,
) -> Stream:
    """Ring whenever something happens to a workset: what it is, the page then asks for."""
    workset = await to_thread.run_sync(app.read.get, request.user, workset_id)
    given = request.headers.get("last-event-id") or query(request).text("after")
    seen = None if given is None else Position.parse(given)
    return Stream(
        rings(streams.listen(workset, seen, request.user.customer_id), request, desk),
        media_type="text/event-stream",
        headers={"x-accel-buffering": "no"},
    )


async def rings(told: AsyncIterator[bytes], request: Person, desk: Desk) -> AsyncIterator[bytes]:
    """Yield events without what they say, for as long as whoever listens is signed in."""
    async for event in told:
        try:
            gone = await to_thread.run_sync(desk.session, request) is None
        except UnavailableError:
            gone = True  # who cannot be told to be here comes back, and is asked then
        if gone:
            return
        lines = event.split(b"\n")
        yield b"\n".join(b"data: {}" if line.startswith(b"data:") else line for line in lines)


ROUTES: Final = (workset_page, workset_fragment, why_fragment, events)
