"""The dashboard: how things stand, and what wants attention first."""

from datetime import date, timedelta
from typing import Any, Final

from attrs import frozen
from litestar import Response, get
from litestar.response import Redirect

from daylily.application.show_dashboard import Dashboard, Day
from daylily.application.storage_quota import GB
from daylily.bootstrap import App
from daylily.domain.errors import NotFoundError
from daylily.entrypoints.http.wiring import UseCases
from daylily.entrypoints.portal.context import Person, shown
from daylily.entrypoints.portal.look import page
from daylily.entrypoints.views import WorksetView

LONG: Final = timedelta(hours=1)
"""Whoever waits for longer wants to know why."""
NEARLY: Final = 0.9
"""How full storage is when somebody should see to it."""
_WIDTH: Final = 20
_HEIGHT: Final = 160


@frozen
class Bar:
    """Part of a day's column in the chart."""

    tone: str
    x: int
    y: float
    height: float


@frozen
class Chart:
    """A column for each day, as it is drawn."""

    bars: tuple[Bar, ...]
    width: int
    height: int
    most: int
    """What the full height stands for."""

    @classmethod
    def of(cls, days: tuple[Day, ...]) -> "Chart":
        """Return the chart of some days."""
        most = max(4, *(day.submitted for day in days))
        bars = []
        for number, day in enumerate(days):
            y = float(_HEIGHT)
            parts = ("good", day.complete), ("bad", day.failed), ("run", day.under_way)
            for tone, count in (*parts, ("rest", day.other)):
                height = round(count / most * _HEIGHT, 2)
                y = round(y - height, 2)
                if count:
                    bars.append(Bar(tone, number * _WIDTH, y, height))
        return cls(tuple(bars), len(days) * _WIDTH, _HEIGHT, most)


@get("/", sync_to_thread=True)
def dashboard(request: Person, app: UseCases) -> Response[str] | Redirect:
    """Show how things stand; whoever kept an address of the list that was here is led on to it."""
    if request.url.query:
        return Redirect(f"/portal/worksets?{request.url.query}", status_code=302)
    return shown(request, "dashboard.html", **_standing(request, app))


@get("/live/dashboard", sync_to_thread=True)
def dashboard_fragment(request: Person, app: UseCases) -> Response[str]:
    """Return what changes of it."""
    return page("_standing.html", **_standing(request, app))


@get("/live/storage", sync_to_thread=True)
def storage_fragment(request: Person, app: UseCases) -> Response[str]:
    """Return how much is stored, of how much: what the pages of usage and of the account say, too."""
    customer_id = request.user.customer_id
    try:
        usage = app.usage(request.user, customer_id)
    except NotFoundError:
        return page("_storage.html", size=None, everybody=request.user.operator)
    size = usage.stored_bytes
    bounded = app.files.quota.bounds(customer_id)
    limit = int(usage.customer.max_storage_gb * GB) if bounded else None
    return page(
        "_storage.html",
        size=size,
        limit=limit,
        share=None if not limit else size / limit,
        nearly=NEARLY,
        everybody=request.user.operator,
    )


def _standing(request: Person, app: App) -> dict[str, Any]:
    found: Dashboard = app.dashboard(request.user)
    waits = found.longest_waiting
    long = waits is not None and app.world.clock() - waits.created_at >= LONG
    return {
        "now": found,
        "attention": [WorksetView.of(each, app.read) for each in found.attention],
        "waits": WorksetView.of(waits, app.read) if waits is not None and long else None,
        "chart": Chart.of(found.days),
        "month": date.fromisoformat(f"{found.month}-01"),
        "everybody": request.user.operator,
    }


ROUTES: Final = (dashboard, dashboard_fragment, storage_fragment)
