"""What people do to a workset: each is asked about first, done once, and told in the audit trail."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from attrs import frozen
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, RawBody
from litestar.response import Redirect

from daylily.bootstrap import App
from daylily.domain.customers import Scope
from daylily.domain.errors import ConflictError, InvalidInputError
from daylily.domain.estimate import Estimate
from daylily.domain.lifecycle import LIFECYCLE, Priority, State
from daylily.domain.workset import Workset
from daylily.entrypoints.http.audit import concerns
from daylily.entrypoints.http.wiring import UseCases
from daylily.entrypoints.portal.context import Person, shown
from daylily.entrypoints.portal.forms import check_csrf, form_of
from daylily.entrypoints.views import WorksetView

_REASON: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{0,500}")
_PRICED: Final = frozenset({State.READY, State.RETRYING, State.IGNORED, State.ERROR, State.FAILED})
"""What has not been launched yet, or may be again: only then its price can change."""

Hindrance = Callable[[Workset], str | None]


@frozen(kw_only=True)
class Action:
    """Something that may be done to a workset."""

    word: str
    hindrance: Hindrance
    """Says why it cannot be done to a workset, if so."""
    dangerous: bool = False
    """Whether it ends something."""


def _not_cancelable(workset: Workset) -> str | None:
    if workset.state is State.ARCHIVED or State.CANCELED not in LIFECYCLE[workset.state]:
        return f"It is {_said(workset)}: there is nothing to cancel."
    if workset.cancel is not None and workset.cancel.then is State.CANCELED:
        return "Somebody has asked for that already: it is being stopped."
    return "Another system runs it: cancel it there." if workset.foreign_run else None


def _not_retryable(workset: Workset) -> str | None:
    if workset.state in {State.ERROR, State.FAILED}:
        return None
    return f"It is {_said(workset)}: only what has ended in error can be tried again."


def _not_priced(workset: Workset) -> str | None:
    if workset.state in _PRICED:
        return None
    return f"It is {_said(workset)}: its priority, and with that its price, is settled."


def _not_archivable(workset: Workset) -> str | None:
    if State.ARCHIVED in LIFECYCLE[workset.state]:
        return None
    return f"It is {_said(workset)}: only what is over can be put away."


def _not_restorable(workset: Workset) -> str | None:
    if workset.state is State.ARCHIVED:
        return None
    return f"It is {_said(workset)}: only what is archived can be brought back."


def _said(workset: Workset) -> str:
    return workset.state.replace("_", " ")


ACTIONS: Final[Mapping[str, Action]] = {
    "retry": Action(word="Retry", hindrance=_not_retryable),
    "cancel": Action(word="Cancel", hindrance=_not_cancelable, dangerous=True),
    "priority": Action(word="Change priority", hindrance=_not_priced),
    "archive": Action(word="Archive", hindrance=_not_archivable),
    "restore": Action(word="Restore", hindrance=_not_restorable),
}


def possible(request: Person, workset: Workset) -> dict[str, str]:
    """Return what whoever asks may do to a workset as it is now: names and words."""
    if not request.user.scope.covers(Scope.SUBMIT):
        return {}
    return {name: action.word for name, action in ACTIONS.items() if action.hindrance(workset) is None}


def _asking(action: str) -> HTTPRouteHandler:
    """Return the page that asks whether an action is meant."""

    @get(f"/worksets/{{workset_id:str}}/{action}", sync_to_thread=True)
    def confirm_page(request: Person, workset_id: FromPath[str], app: UseCases) -> Response[str]:
        """Ask whether it is meant."""
        workset = app.read.get(request.user, workset_id)
        return _question(request, app, workset, action, ACTIONS[action].hindrance(workset))

    return confirm_page


def _question(
    request: Person, app: App, workset: Workset, action: str, problem: str | None
) -> Response[str]:
    return shown(
        request,
        "workset_action.html",
        status_code=409 if problem else 200,
        workset=WorksetView.of(workset, app.read),
        action=action,
        word=ACTIONS[action].word,
        dangerous=ACTIONS[action].dangerous,
        problem=problem,
        partial_retry=app.settings.registry.partial(workset.manifest.pipeline),
        prices=_prices(app, workset) if action == "priority" else (),
    )


def _prices(app: App, workset: Workset) -> tuple[tuple[Priority, Estimate | None], ...]:
    """Return what the workset would be said to cost with each priority."""
    return tuple((each, app.estimate.of(workset.manifest, each)) for each in Priority)


Done = Callable[[Mapping[str, str], str], object]


def _do(
    request: Person, app: App, workset_id: str, body: bytes, action: str, done: Done
) -> Response[Any]:
    """
    Do what was confirmed, and lead back to the workset.

    Args:
        done: Does it, given the form and the reason.
    """
    form = form_of(request, body)
    check_csrf(request, form)
    concerns(request, app.read.get(request.user, workset_id).customer_id)
    reason = form.get("reason", "").strip()
    if not _REASON.fullmatch(reason):
        raise InvalidInputError.of("reason", "must be one line of up to 500 characters")
    try:
        done(form, reason)
    except ConflictError as error:
        workset = app.read.get(request.user, workset_id)
        problem = ACTIONS[action].hindrance(workset) or str(error)
        return _question(request, app, workset, action, problem)
    return Redirect(f"/portal/worksets/{workset_id}", status_code=303)


@post(
    "/worksets/{workset_id:str}/cancel",
    status_code=200,
    sync_to_thread=True,
    operation_id="cancelWorkset",
)
def cancel(request: Person, workset_id: FromPath[str], body: RawBody, app: UseCases) -> Response[Any]:
    """Ask for a stop."""
    who = request.user
    return _do(
        request, app, workset_id, body, "cancel", lambda _, reason: app.cancel(who, workset_id, reason)
    )


@post(
    "/worksets/{workset_id:str}/retry",
    status_code=200,
    sync_to_thread=True,
    operation_id="retryWorkset",
)
def retry(request: Person, workset_id: FromPath[str], body: RawBody, app: UseCases) -> Response[Any]:
    """Put it back into the queue, as a whole or for the samples that have not come out well."""

    def done(form: Mapping[str, str], reason: str) -> None:
        app.retry(request.user, workset_id, reason, failed_samples="failed_samples" in form)

    return _do(request, app, workset_id, body, "retry", done)


@post(
    "/worksets/{workset_id:str}/priority",
    status_code=200,
    sync_to_thread=True,
    operation_id="changePriority",
)
def prioritise(
    request: Person, workset_id: FromPath[str], body: RawBody, app: UseCases
) -> Response[Any]:
    """Move it up or down the queue, at the price of that."""

    def done(form: Mapping[str, str], _: str) -> None:
        word = form.get("priority", "")
        if word not in set(Priority):
            raise InvalidInputError.of("priority", f"{word[:40]!r} is not one of {', '.join(Priority)}")
        app.prioritise(request.user, workset_id, Priority(word))

    return _do(request, app, workset_id, body, "priority", done)


@post(
    "/worksets/{workset_id:str}/archive",
    status_code=200,
    sync_to_thread=True,
    operation_id="archiveWorkset",
)
def archive(request: Person, workset_id: FromPath[str], body: RawBody, app: UseCases) -> Response[Any]:
    """Put away what is over."""
    who = request.user
    return _do(
        request,
        app,
        workset_id,
        body,
        "archive",
        lambda _, reason: app.put_away.archive(who, workset_id, reason),
    )


@post(
    "/worksets/{workset_id:str}/restore",
    status_code=200,
    sync_to_thread=True,
    operation_id="restoreWorkset",
)
def restore(request: Person, workset_id: FromPath[str], body: RawBody, app: UseCases) -> Response[Any]:
    """Bring it back."""
    who = request.user
    return _do(
        request,
        app,
        workset_id,
        body,
        "restore",
        lambda _, __: app.put_away.restore(who, workset_id),
    )


ROUTES: Final = (*map(_asking, ACTIONS), cancel, retry, prioritise, archive, restore)
