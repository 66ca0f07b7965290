"""One workset: how it fares, its log, its results, and what people may do to it."""

from typing import Any, Final

from litestar import Response, get, post
from litestar.params import FromPath, RawBody
from litestar.response import Redirect
from litestar.response.base import ASGIResponse

from daylily.bootstrap import App
from daylily.domain.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
)
from daylily.domain.lifecycle import LIFECYCLE, State
from daylily.domain.workset import Workset
from daylily.entrypoints.http.answers import Answer
from daylily.entrypoints.http.requests import count, query
from daylily.entrypoints.http.results import stream
from daylily.entrypoints.http.wiring import UseCases
from daylily.entrypoints.http.worksets import OFFSET, attempt_in
from daylily.entrypoints.portal.context import Person, shown
from daylily.entrypoints.portal.forms import check_csrf, form_of
from daylily.entrypoints.portal.look import clean_log, page
from daylily.entrypoints.views import LogView, WorksetView
from daylily.ports.object_store import ObjectInfo

FILES: Final = 500
LOG_CHUNKS: Final = 16
"""Of 64 KiB: how much of a log is read for a page."""
LOG_LINES: Final = 400
_ACTIONS: Final = {"cancel": "Cancel", "retry": "Retry"}


@get("/worksets/{workset_id:str}", sync_to_thread=True)
def workset_page(request: Person, workset_id: FromPath[str], app: UseCases) -> Response[str]:
    """Show one workset."""
    number = _attempt(request)
    found = _workset(request, app, workset_id, number)
    log = _log_tail(request, app, found["workset"], number)
    return shown(request, "workset.html", **found, log=log)


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
    return shown(
        request, "confirm.html", status_code=409 if problem else 200,
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
    form = form_of(request, body)
    check_csrf(request, form)
    try:
        if action == "cancel":
            app.cancel(request.user, workset_id)
        else:
            app.retry(request.user, workset_id, failed_samples="failed_samples" in form)
    except ConflictError as error:
        view = WorksetView.of(app.read.get(request.user, workset_id), app.read)
        return shown(
            request, "confirm.html", status_code=409,
            workset=view, action=action, word=word, problem=str(error),
        )  # fmt: skip
    return Redirect(f"/portal/worksets/{workset_id}", status_code=303)


@get("/worksets/{workset_id:str}/files/{key:path}", sync_to_thread=True)
def result(request: Person, workset_id: FromPath[str], app: UseCases) -> ASGIResponse:
    """Stream a file of a workset's results."""
    return stream(request, app, request.user, workset_id)


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


ROUTES: Final = (workset_page, workset_fragment, log_chunk, confirm_page, act, result)
