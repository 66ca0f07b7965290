"""What operators see of the fleet: monitors, engines, the queue, what is stuck, and lost news."""

from datetime import datetime
from itertools import islice
from typing import Any, Final

from attrs import frozen
from litestar import Response, get, post
from litestar.params import RawBody

from daylily.bootstrap import App
from daylily.domain.customers import Scope
from daylily.domain.errors import InvalidInputError, UnavailableError
from daylily.domain.heartbeat import Heard
from daylily.domain.trouble import TroubleKind
from daylily.entrypoints.http.auth import NEEDS
from daylily.entrypoints.http.core import operators_only
from daylily.entrypoints.http.wiring import UseCases
from daylily.entrypoints.notice_views import NoticeView
from daylily.entrypoints.portal.context import Person, shown
from daylily.entrypoints.portal.forms import check_csrf, pairs_of
from daylily.entrypoints.portal.look import page
from daylily.ports.dead_notices import DeadNotice

NOTICES: Final = 200
"""Lost news that a page shows; the command line has it all."""

WORDS: Final = {
    TroubleKind.UNKNOWN: "unknown",
    TroubleKind.MISSING: "no record",
    TroubleKind.LAUNCH: "launch went silent",
    TroubleKind.RETRY: "retry overdue",
    TroubleKind.DEBTS: "debts overdue",
    TroubleKind.OVERTIME: "overtime",
    TroubleKind.STOPPING: "does not stop",
}


@get("/fleet", sync_to_thread=True)
def fleet_page(request: Person, app: UseCases) -> Response[str]:
    """Show how the fleet is."""
    operators_only(request.user)
    return shown(request, "fleet.html", **_told(request, app))


@get("/live/fleet", sync_to_thread=True)
def fleet_fragment(request: Person, app: UseCases) -> Response[str]:
    """Return what may change of that page."""
    operators_only(request.user)
    return page("_fleet_parts.html", **_told(request, app))


def _told(request: Person, app: App) -> dict[str, Any]:
    fleet = app.fleet(request.user)
    return {
        "fleet": fleet,
        "words": WORDS,
        "monitors": _monitors(app, fleet.at),
        "lost": _lost(app),
    }


@frozen(kw_only=True)
class MonitorTold:
    """A monitor, and how it is."""

    heard: Heard
    vitality: str
    late: float
    """Seconds that its next sign is late."""


def _monitors(app: App, now: datetime) -> list[MonitorTold] | None:
    """Return the monitors that have been heard of; None where nobody can say."""
    try:
        found = app.monitors()
    except UnavailableError:
        return None
    return [
        MonitorTold(
            heard=each,
            vitality=each.vitality(now),
            late=late.total_seconds() if (late := each.lag(now)) is not None else 0.0,
        )
        for each in found
    ]


def _lost(app: App) -> int | None:
    """Return how much news came to nobody, as far as it is counted; None where nobody can say."""
    try:
        return sum(1 for _ in islice(app.redeliver.waiting(), NOTICES))
    except UnavailableError:
        return None


# News that came to nobody


@get("/fleet/notices", sync_to_thread=True)
def notices_page(request: Person, app: UseCases) -> Response[str]:
    """Show news that came to nobody."""
    operators_only(request.user)
    return _notices(request, app, ())


@post(
    "/fleet/notices",
    status_code=200,
    sync_to_thread=True,
    operation_id="redeliverNotices",
    opt={NEEDS: Scope.ADMIN},
)
def redeliver(request: Person, body: RawBody, app: UseCases) -> Response[str]:
    """Send what was ticked once more."""
    operators_only(request.user)
    fields = pairs_of(request, body)
    check_csrf(request, dict(fields))
    asked = {value for name, value in fields if name == "notice"}
    if not asked:
        raise InvalidInputError.of("notice", "tick what is to be sent once more")
    found = [each for each in islice(app.redeliver.waiting(), NOTICES) if _mark(each) in asked]
    outcomes = [app.redeliver(each) for each in found]
    return _notices(request, app, [NoticeView.of(each.notice, each.refused) for each in outcomes])


def _notices(request: Person, app: App, outcomes: Any) -> Response[str]:
    found = [*islice(app.redeliver.waiting(), NOTICES + 1)]
    return shown(
        request,
        "fleet_notices.html",
        notices=[(_mark(each), NoticeView.of(each)) for each in found[:NOTICES]],
        more=len(found) > NOTICES,
        outcomes=outcomes,
        channels=tuple(app.redeliver.channels),
    )


def _mark(notice: DeadNotice) -> str:
    return f"{notice.channel} {notice.event.event_id}"


ROUTES: Final = (fleet_page, fleet_fragment, notices_page, redeliver)
