"""The pages: worksets, one workset, its log, its results, and what people may do to it."""

import secrets
from typing import Any, Final
from urllib.parse import urlencode

from attrs import frozen
from litestar import Request, Response, Router, get, post
from litestar.di import Provide
from litestar.params import FromPath, RawBody
from litestar.response import Redirect
from litestar.response.base import ASGIResponse

from daylily.bootstrap import App
from daylily.domain.customers import Principal
from daylily.domain.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
)
from daylily.domain.lifecycle import LIFECYCLE, State
from daylily.domain.workset import Workset
from daylily.entrypoints.http.answers import Answer
from daylily.entrypoints.http.auth import Authenticator
from daylily.entrypoints.http.problems import note, problem_of
from daylily.entrypoints.http.requests import count, query
from daylily.entrypoints.http.results import stream
from daylily.entrypoints.http.security import request_id
from daylily.entrypoints.http.wiring import UseCases
from daylily.entrypoints.http.worksets import OFFSET, attempt_in
from daylily.entrypoints.portal import login
from daylily.entrypoints.portal.look import ASSETS, clean_log, page
from daylily.entrypoints.portal.sessions import LoginForms, Session, Sessions
from daylily.entrypoints.tries import Tries
from daylily.entrypoints.views import LogView, WorksetView
from daylily.ports.object_store import ObjectInfo
from daylily.ports.state_store import Filter

Person = Request[Principal, Session, Any]

ROWS: Final = 50
FILES: Final = 500
LOG_CHUNKS: Final = 16
"""Of 64 KiB: how much of a log is read for a page."""
LOG_LINES: Final = 400
_ACTIVE: Final = frozenset({State.READY, State.RETRYING, State.LOCKED, State.IN_PROGRESS})
_GROUPS: Final = {
    "active": ("Waiting or running", _ACTIVE),
    "attention": ("In need of attention", frozenset({State.ERROR, State.FAILED})),
}
_ACTIONS: Final = {"cancel": "Cancel", "retry": "Retry"}


def create_portal(app: App, authenticator: Authenticator, *, needs_token: bool) -> Router:
    """
    Return the portal's routes.

    Args:
        needs_token: Whether people have to sign in; if not, they are whom *authenticator* says.
    """
    clock = app.world.clock
    everybody = None if needs_token else Session(authenticator({}), secrets.token_urlsafe(32))
    desk = login.Desk(authenticator, Sessions(clock), Tries(clock), LoginForms(), everybody)
    inside = Router(
        "/",
        route_handlers=[
            worksets_page, old_worksets_page, worksets_fragment,
            workset_page, workset_fragment, log_chunk, confirm_page, act, result, login.logout,
        ],
        guards=[login.behind(desk)],
    )  # fmt: skip
    return Router(
        "/portal",
        route_handlers=[inside, login.login_page, login.login, asset],
        dependencies={"desk": Provide(lambda: desk, sync_to_thread=False)},
        include_in_schema=False,
    )


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


@get("/", sync_to_thread=True)
def worksets_page(request: Person, app: UseCases) -> Response[str]:
    """Show the worksets, newest first."""
    return page("worksets.html", **_common(request), **_listing(request, app))


@get("/worksets", sync_to_thread=False)
def old_worksets_page() -> Redirect:
    """Lead on who kept the address of old."""
    return Redirect("/portal", status_code=302)


@get("/live/worksets", sync_to_thread=True)
def worksets_fragment(request: Person, app: UseCases) -> Response[str]:
    """Return the list alone, for the script that keeps a page fresh."""
    return page("_rows.html", **_listing(request, app))


@get("/worksets/{workset_id:str}", sync_to_thread=True)
def workset_page(request: Person, workset_id: FromPath[str], app: UseCases) -> Response[str]:
    """Show one workset."""
    number = _attempt(request)
    shown = _workset(request, app, workset_id, number)
    log = _log_tail(request, app, shown["workset"], number)
    return page("workset.html", **_common(request), **shown, log=log)


@get("/live/worksets/{workset_id:str}", sync_to_thread=True)
def workset_fragment(request: Person, workset_id: FromPath[str], app: UseCases) -> Response[str]:
    """Return what may change of a workset, for the script that keeps a page fresh."""
    return page("_parts.html", **_workset(request, app, workset_id, _attempt(request)))


@get("/live/worksets/{workset_id:str}/log", sync_to_thread=True)
def log_chunk(request: Person, workset_id: FromPath[str], app: UseCases) -> Answer[LogView]:
    """Return what a log has grown by."""
    fields = query(request)
    number, offset = attempt_in(fields), count(fields, "offset", least=0, most=OFFSET, default=0)
    fields.raise_faults()
    chunk = app.read.log(request.user, workset_id, attempt=number, offset=offset or 0)
    text = clean_log(chunk.text)
    return Answer(LogView(workset_id=workset_id, text=text, offset=chunk.offset, ended=chunk.ended))


@get("/worksets/{workset_id:str}/{action:str}", sync_to_thread=True)
def confirm_page(
    request: Person, workset_id: FromPath[str], action: FromPath[str], app: UseCases
) -> Response[str]:
    """Ask whether it is meant."""
    word = _action(action)
    workset = app.read.get(request.user, workset_id)
    problem = _not_cancelable(workset) if action == "cancel" else _not_retryable(workset)
    return page(
        "confirm.html", status_code=409 if problem else 200, **_common(request),
        workset=WorksetView.of(workset, app.read), action=action, word=word, problem=problem,
    )  # fmt: skip


@post("/worksets/{workset_id:str}/{action:str}", status_code=200, sync_to_thread=True)
def act(
    request: Person,
    workset_id: FromPath[str],
    action: FromPath[str],
    body: RawBody,
    app: UseCases,
) -> Response[Any]:
    """Cancel or retry."""
    word = _action(action)
    form = login.form_of(request, body)
    request.auth.check(form)
    try:
        if action == "cancel":
            app.cancel(request.user, workset_id)
        else:
            app.retry(request.user, workset_id, failed_samples="failed_samples" in form)
    except ConflictError as error:
        view = WorksetView.of(app.read.get(request.user, workset_id), app.read)
        return page(
            "confirm.html", status_code=409, **_common(request),
            workset=view, action=action, word=word, problem=str(error),
        )  # fmt: skip
    return Redirect(f"/portal/worksets/{workset_id}", status_code=303)


@get("/worksets/{workset_id:str}/files/{key:path}", sync_to_thread=True)
def result(request: Person, workset_id: FromPath[str], app: UseCases) -> ASGIResponse:
    """Stream a file of a workset's results."""
    return stream(request, app, request.user, workset_id)


@get("/static/{name:str}", sync_to_thread=False)
def asset(name: FromPath[str]) -> Response[bytes]:
    """Return a style sheet, a script or a picture; its address changes with its content."""
    if name not in ASSETS:
        raise NotFoundError(f"there is no {name}")
    found = ASSETS[name]
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(found.content, media_type=found.media_type, headers=headers)


def answer_page_problem(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Return an error as a page; whoever is not signed in is sent to do that."""
    if isinstance(error, UnauthenticatedError) and "/live/" not in request.scope["path"]:
        return login.to_login(request)
    problem = problem_of(error)
    note(request, error, problem)
    session = request.scope.get("auth")
    answer = page(
        "problem.html",
        status_code=problem.kind.status,
        problem=problem,
        request_id=request_id(request.scope),
        session=session,
        signs_out=session is not None and session.expires_at is not None,
    )
    for name, value in problem.kind.headers.items():
        if name != "WWW-Authenticate":
            answer.set_header(name, value)
    return answer


def _common(request: Person) -> dict[str, Any]:
    session = request.auth
    return {"session": session, "signs_out": session.expires_at is not None}


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
        "next": chosen.address("/portal", found.cursor) if found.cursor else None,
        "first": chosen.address("/portal", None) if chosen.cursor else None,
        "source": chosen.address("/portal/live/worksets", chosen.cursor),
        "groups": {key: words for key, (words, _) in _GROUPS.items()},
        "states": [state for state in State if state is not State.DELETED],
    }


def _attempt(request: Person) -> int | None:
    fields = query(request)
    number = attempt_in(fields)
    fields.raise_faults()
    return number


def _workset(request: Person, app: App, workset_id: str, number: int | None) -> dict[str, Any]:
    workset = app.read.get(request.user, workset_id)
    last = len(workset.attempts)
    attempt = number or last
    files, more = _results(request, app, workset, attempt)
    reports = [file.key for file in files if file.key.endswith(".html")]
    return {
        "workset": WorksetView.of(workset, app.read),
        "cancelable": not _not_cancelable(workset),
        "retryable": not _not_retryable(workset),
        "attempt": attempt,
        "files": files,
        "more_files": more,
        "report": reports[0] if reports else None,
        "source": f"/portal/live/worksets/{workset_id}" + (f"?attempt={number}" if number else ""),
    }


def _not_cancelable(workset: Workset) -> str | None:
    """Return why a workset cannot be canceled, if so."""
    if workset.state is State.ARCHIVED or State.CANCELED not in LIFECYCLE[workset.state]:
        return f"It is {workset.state}: there is nothing to cancel."
    if workset.cancel is not None and workset.cancel.then is State.CANCELED:
        return "Somebody has asked for that already: it is being stopped."
    return "Another system runs it: cancel it there." if workset.foreign_run else None


def _not_retryable(workset: Workset) -> str | None:
    """Return why a workset cannot be tried again, if so."""
    if workset.state in {State.ERROR, State.FAILED}:
        return None
    return f"It is {workset.state.replace('_', ' ')}: only what has ended in error can be tried again."


def _results(
    request: Person, app: App, workset: Workset, attempt: int
) -> tuple[tuple[ObjectInfo, ...], bool]:
    """Return the first files of an attempt's results, and whether there are more."""
    if not attempt:
        return (), False
    found = app.read.results(request.user, workset.workset_id, attempt=attempt)
    return found.items[:FILES], found.cursor is not None or len(found.items) > FILES


def _log_tail(
    request: Person, app: App, workset: WorksetView, number: int | None
) -> dict[str, Any] | None:
    """Return the last lines of a log, or None where there is none yet."""
    if not workset.attempts:
        return None
    offset, text, ended = 0, "", False
    try:
        for _ in range(LOG_CHUNKS):
            chunk = app.read.log(request.user, workset.workset_id, attempt=number, offset=offset)
            text, moved = text + chunk.text, chunk.offset > offset
            offset, ended = chunk.offset, chunk.ended
            if ended or not moved:
                break
    except NotFoundError:
        return None
    except (UnavailableError, InvalidInputError):
        return {
            "text": "The engine does not answer; reload the page later.",
            "offset": 0,
            "ended": True,
        }
    lines = clean_log(text).splitlines(keepends=True)
    return {"text": "".join(lines[-LOG_LINES:]), "offset": offset, "ended": ended}


def _action(action: str) -> str:
    if action not in _ACTIONS:
        raise NotFoundError(f"there is no {action}")
    return _ACTIONS[action]
