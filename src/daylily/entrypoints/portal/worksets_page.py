"""The list of worksets, as far as its address narrows it; and what is done to many of them at once."""

from collections.abc import Mapping, Sequence
from datetime import MAXYEAR, UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from attrs import frozen
from litestar import Response, get, post
from litestar.params import RawBody

from daylily.application.show_dashboard import ATTENTION, RUNNING, WAITING
from daylily.bootstrap import App
from daylily.domain.customers import Scope
from daylily.domain.errors import ConflictError, DaylilyError, InvalidInputError, NotFoundError
from daylily.domain.lifecycle import Priority, State
from daylily.domain.workset import Workset
from daylily.entrypoints.http.requests import Fields, query
from daylily.entrypoints.http.wiring import UseCases
from daylily.entrypoints.portal.context import Person, shown
from daylily.entrypoints.portal.forms import check_csrf, pairs_of
from daylily.entrypoints.portal.look import page
from daylily.entrypoints.portal.workset_actions import ACTIONS
from daylily.entrypoints.views import WorksetView
from daylily.ports.state_store import LOOKED_AT, Filter

PATH: Final = "/portal/worksets"
LIVE: Final = "/portal/live/worksets"
BELL: Final = "/portal/live/list-events"
ROWS: Final = 50
MOST_AT_ONCE: Final = 100
"""Worksets of which something is done by one form."""
BULK: Final = ("cancel", "retry")
_GROUPS: Final = {
    "active": ("Waiting or running", WAITING | RUNNING),
    "waiting": ("Waiting", WAITING),
    "running": ("Running", RUNNING),
    "attention": ("In need of attention", ATTENTION),
}
_FIELDS: Final = ("state", "name", "priority", "pipeline", "from", "to", "order")


@frozen
class Chosen:
    """Which worksets a page lists, as its address says; what makes no sense there narrows nothing."""

    said: Mapping[str, str]
    cursor: str | None

    @classmethod
    def of(cls, fields: Fields) -> "Chosen":
        """Return what an address chooses."""
        said = {name: fields.text(name) or "" for name in _FIELDS}
        for name in ("from", "to"):
            said[name] = said[name] if _day(said[name]) else ""
        return cls(said, fields.text("cursor"))

    def __getattr__(self, name: str) -> str:
        """Return what was said of *name*, for templates."""
        try:
            return self.said[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def where(self) -> Filter:
        """The store's filter."""
        state, priority = self.said["state"], self.said["priority"]
        states = _GROUPS[state][1] if state in _GROUPS else None
        if state in set(State):
            states = frozenset({State(state)})
        to = _day(self.said["to"])
        # Nothing comes after the last day that there is.
        until = None if to is None or to.year == MAXYEAR else to + timedelta(days=1)
        return Filter(
            states=states,
            name_contains=self.said["name"] or None,
            priority=Priority(priority) if priority in set(Priority) else None,
            pipeline=self.said["pipeline"] or None,
            created_from=_day(self.said["from"]),
            created_before=until,
            oldest_first=self.said["order"] == "oldest",
        )

    @property
    def narrow(self) -> bool:
        """Whether there may be worksets that are not shown."""
        return bool(self.cursor or any(value for key, value in self.said.items() if key != "order"))

    def address(self, path: str, cursor: str | None = None, **more: str) -> str:
        """Return the address of a page of the same choice."""
        said = {key: value for key, value in {**self.said, **more}.items() if value}
        if cursor is not None:
            said["cursor"] = cursor
        return f"{path}?{urlencode(said)}" if said else path


@frozen
class Outcome:
    """What came, or would come, of something that is done to one of many worksets."""

    workset_id: str
    name: str
    problem: str | None = None
    note: str | None = None
    """What is to be known before it is done."""


@get("/worksets", sync_to_thread=True)
def worksets_page(request: Person, app: UseCases) -> Response[str]:
    """Show the worksets."""
    return shown(request, "worksets.html", **_listing(request, app))


@get("/live/worksets", sync_to_thread=True)
def worksets_fragment(request: Person, app: UseCases) -> Response[str]:
    """Return the list alone, for the script that keeps a page fresh."""
    return page("_rows.html", **_listing(request, app))


@post("/worksets", status_code=200, sync_to_thread=True)
def act_on_many(request: Person, body: RawBody, app: UseCases) -> Response[str]:
    """Ask whether something is to be done to all that was chosen; and, once they are sure, do it."""
    pairs = pairs_of(request, body)
    form = dict(pairs)
    check_csrf(request, form)
    action, ids = form.get("action", ""), list(dict.fromkeys(v for k, v in pairs if k == "id"))
    if action not in BULK:
        raise NotFoundError("that cannot be done to many worksets at once")
    if not ids or len(ids) > MOST_AT_ONCE:
        problem = "Choose at least one workset." if not ids else f"Choose {MOST_AT_ONCE} at most."
        return shown(request, "worksets.html", status_code=422, **_listing(request, app, problem))
    sure = form.get("sure") == "yes"
    outcomes = [
        _done(request, app, action, each) if sure else _asked(request, app, action, each)
        for each in ids
    ]
    return shown(
        request, "worksets_many.html", action=action, word=ACTIONS[action].word, sure=sure,
        able=[each for each in outcomes if each.problem is None],
        unable=[each for each in outcomes if each.problem is not None],
    )  # fmt: skip


def _asked(request: Person, app: App, action: str, workset_id: str) -> Outcome:
    try:
        workset = app.read.get(request.user, workset_id)
    except (NotFoundError, InvalidInputError):
        return Outcome(workset_id, workset_id, "There is no such workset.")
    view = WorksetView.of(workset, app.read)
    note = view.advice if action == "retry" and not view.retry_helps else None
    return Outcome(workset_id, workset.name, ACTIONS[action].hindrance(workset), note)


def _done(request: Person, app: App, action: str, workset_id: str) -> Outcome:
    """Do it to one of them: whatever becomes of it, the others are not held up."""
    asked = _asked(request, app, action, workset_id)
    if asked.problem is not None:
        return asked
    try:
        if action == "cancel":
            app.cancel(request.user, workset_id)
        else:
            app.retry(request.user, workset_id)
    except ConflictError as error:
        return Outcome(workset_id, asked.name, f"{error}.")
    except DaylilyError:
        problem = "What became of it is not known: look at its page."
        return Outcome(workset_id, asked.name, problem)
    return asked


def fingerprint(worksets: Sequence[Workset]) -> str:
    """Return what changes with anything that a list shows."""
    return str(
        hash(tuple((each.workset_id, each.version, each.progress) for each in worksets)) % (1 << 62)
    )


def _listing(request: Person, app: App, problem: str = "") -> dict[str, Any]:
    chosen = Chosen.of(query(request))
    where = chosen.where
    found = app.read.list(request.user, where, cursor=chosen.cursor, limit=ROWS)
    views = [WorksetView.of(workset, app.read) for workset in found.items]
    newest = chosen.cursor is None and not where.oldest_first
    order = "" if where.oldest_first else "oldest"
    return {
        "worksets": views,
        # What is new comes up by itself where it belongs, on the first page.
        "live": newest or any(not view.ended for view in views),
        "chosen": chosen,
        "problem": problem,
        "next": chosen.address(PATH, found.cursor) if found.cursor else None,
        "first": chosen.address(PATH) if chosen.cursor else None,
        "source": chosen.address(LIVE, chosen.cursor),
        "bell": chosen.address(BELL, chosen.cursor, seen=fingerprint(found.items)),
        "other_order": chosen.address(PATH, order=order),
        "looked_at": LOOKED_AT,
        "groups": [("", "All"), *((key, words) for key, (words, _) in _GROUPS.items())],
        "states": [(each, each.replace("_", " ")) for each in State if each is not State.DELETED],
        "priorities": [("", "Any"), *((each, each) for each in Priority)],
        "pipelines": [("", "Any"), *((p.name, p.name) for p in app.settings.registry.pipelines)],
        "acts": request.user.scope.covers(Scope.SUBMIT),
        "everybody": request.user.operator,
    }


def _day(text: str) -> datetime | None:
    """Return the beginning of a day of UTC; None if the text names none."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None


ROUTES: Final = (worksets_page, worksets_fragment, act_on_many)
