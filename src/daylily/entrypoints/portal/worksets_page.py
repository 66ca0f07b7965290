"""The list of worksets, newest first, as far as its address narrows it."""

from typing import Any, Final
from urllib.parse import urlencode

from attrs import frozen
from litestar import Response, get

from daylily.application.show_dashboard import ATTENTION, RUNNING, WAITING
from daylily.bootstrap import App
from daylily.domain.lifecycle import State
from daylily.entrypoints.http.requests import query
from daylily.entrypoints.http.wiring import UseCases
from daylily.entrypoints.portal.context import Person, shown
from daylily.entrypoints.portal.look import page
from daylily.entrypoints.views import WorksetView
from daylily.ports.state_store import Filter

PATH: Final = "/portal/worksets"
ROWS: Final = 50
_GROUPS: Final = {
    "active": ("Waiting or running", WAITING | RUNNING),
    "waiting": ("Waiting", WAITING),
    "running": ("Running", RUNNING),
    "attention": ("In need of attention", ATTENTION),
}


@frozen
class Chosen:
    """Which worksets a page lists, as its address says."""

    state: str
    name: str
    cursor: str | None

    @property
    def where(self) -> Filter:
        """The store's filter; an unknown state lists everything, as a page has to show something."""
        states = None
        if self.state in _GROUPS:
            states = _GROUPS[self.state][1]
        elif self.state in set(State):
            states = frozenset({State(self.state)})
        return Filter(states=states, name_contains=self.name or None)

    @property
    def narrow(self) -> bool:
        """Whether there may be worksets that are not shown."""
        return bool(self.state or self.name or self.cursor)

    def address(self, path: str, cursor: str | None) -> str:
        """Return the address of a page of the same choice."""
        said = {"state": self.state, "name": self.name, "cursor": cursor or ""}
        said = {key: value for key, value in said.items() if value}
        return f"{path}?{urlencode(said)}" if said else path


@get("/worksets", sync_to_thread=True)
def worksets_page(request: Person, app: UseCases) -> Response[str]:
    """Show the worksets, newest first."""
    return shown(request, "worksets.html", **_listing(request, app))


@get("/live/worksets", sync_to_thread=True)
def worksets_fragment(request: Person, app: UseCases) -> Response[str]:
    """Return the list alone, for the script that keeps a page fresh."""
    return page("_rows.html", **_listing(request, app))


def _listing(request: Person, app: App) -> dict[str, Any]:
    fields = query(request)
    chosen = Chosen(fields.text("state") or "", fields.text("name") or "", fields.text("cursor"))
    found = app.read.list(request.user, chosen.where, cursor=chosen.cursor, limit=ROWS)
    views = [WorksetView.of(workset, app.read) for workset in found.items]
    return {
        "worksets": views,
        # An empty page waits for the first workset, as it says.
        "live": any(not view.ended for view in views) or not (views or chosen.narrow),
        "chosen": chosen,
        "next": chosen.address(PATH, found.cursor) if found.cursor else None,
        "first": chosen.address(PATH, None) if chosen.cursor else None,
        "source": chosen.address("/portal/live/worksets", chosen.cursor),
        "groups": {key: words for key, (words, _) in _GROUPS.items()},
        "states": [state for state in State if state is not State.DELETED],
    }


ROUTES: Final = (worksets_page, worksets_fragment)
