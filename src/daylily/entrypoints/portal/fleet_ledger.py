"""The ledger's check for operators: begun, watched, stopped, and gone on with from a page."""

from typing import Any, Final, TypeAlias

from litestar import Response, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import RawBody, SkipValidation
from litestar.response import Redirect

from daylily.bootstrap import App
from daylily.domain.customers import Scope
from daylily.domain.errors import ConflictError, InvalidInputError
from daylily.entrypoints.http.auth import NEEDS
from daylily.entrypoints.http.core import operators_only
from daylily.entrypoints.portal.context import Person, shown
from daylily.entrypoints.portal.forms import check_csrf, form_of
from daylily.entrypoints.portal.ledger_runs import Kind, LedgerRuns, Row, Run
from daylily.entrypoints.portal.look import page

Runs: TypeAlias = NamedDependency[SkipValidation[LedgerRuns]]
HERE: Final = "/portal/fleet/ledger"


@get("/fleet/ledger", sync_to_thread=True)
def ledger_page(request: Person, runs: Runs) -> Response[str]:
    """Show the last run, or the one that goes on."""
    operators_only(request.user)
    return shown(request, "fleet_ledger.html", **_told(runs.last))


@get("/live/fleet/ledger", sync_to_thread=True)
def ledger_fragment(request: Person, runs: Runs) -> Response[str]:
    """Return how far a run has come."""
    operators_only(request.user)
    return page("_fleet_run.html", session=request.auth, **_told(runs.last))


def _told(run: Run | None) -> dict[str, Any]:
    return {"problem": None, "run": run, "rows": [Row.of(each) for each in run.found] if run else []}


@get("/fleet/ledger/repair", sync_to_thread=True)
def repair_page(request: Person, runs: Runs) -> Response[str]:
    """Ask whether what differs is to be mended."""
    operators_only(request.user)
    return shown(request, "fleet_repair.html", **_told(runs.last))


@post(
    "/fleet/ledger",
    status_code=200,
    sync_to_thread=True,
    operation_id="checkLedger",
    opt={NEEDS: Scope.ADMIN},
)
def begin(request: Person, body: RawBody, runs: Runs) -> Response[Any]:
    """Begin a check, a dry run or a repair; the page then shows how far it comes."""
    operators_only(request.user)
    form = form_of(request, body)
    check_csrf(request, form)
    kind = form.get("kind", "")
    if kind not in set(Kind):
        raise InvalidInputError.of("kind", f"{kind[:40]!r} is not one of {', '.join(Kind)}")
    try:
        runs.start(Kind(kind), request.user.name)
    except ConflictError as error:
        return shown(
            request, "fleet_ledger.html", status_code=409, problem=str(error), **_told(runs.last)
        )
    return Redirect(HERE, status_code=303)


@post(
    "/fleet/ledger/stop",
    status_code=200,
    sync_to_thread=True,
    operation_id="stopLedger",
    opt={NEEDS: Scope.ADMIN},
)
def stop(request: Person, body: RawBody, runs: Runs) -> Redirect:
    """Have a run come to an end soon."""
    operators_only(request.user)
    check_csrf(request, form_of(request, body))
    runs.stop()
    return Redirect(HERE, status_code=303)


def routes(app: App) -> Router:
    """Return the routes of the ledger, with the runs of this process."""
    runs = LedgerRuns(app)
    return Router(
        "/",
        route_handlers=[ledger_page, ledger_fragment, repair_page, begin, stop],
        dependencies={"runs": Provide(lambda: runs, sync_to_thread=False)},
    )
