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
from daylily.domain.customers import Principal, Scope
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
Form = Mapping[str, str]
Doing = Callable[[App, Principal, str, str, Form], object]
"""Does it for somebody to the workset of an id, given a reason and the rest of the form."""


@frozen(kw_only=True)
class Action:
    """Something that may be done to a workset."""

    word: str
    operation: str
    """Its name in the audit trail, which is the API's."""
    hindrance: Hindrance
    """Says why it cannot be done to a workset, if so."""
    do: Doing


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


def _cancel(app: App, who: Principal, workset_id: str, reason: str, _: Form) -> None:
    app.cancel(who, workset_id, reason)


def _retry(app: App, who: Principal, workset_id: str, reason: str, form: Form) -> None:
    app.retry(who, workset_id, reason, failed_samples="failed_samples" in form)


def _prioritise(app: App, who: Principal, workset_id: str, _: str, form: Form) -> None:
    word = form.get("priority", "")
    if word not in set(Priority):
        raise InvalidInputError.of("priority", f"{word[:40]!r} is not one of {', '.join(Priority)}")
    app.prioritise(who, workset_id, Priority(word))


def _archive(app: App, who: Principal, workset_id: str, reason: str, _: Form) -> None:
    app.put_away.archive(who, workset_id, reason)


def _restore(app: App, who: Principal, workset_id: str, _: str, __: Form) -> None:
    app.put_away.restore(who, workset_id)


ACTIONS: Final[Mapping[str, Action]] = {
    "retry": Action(word="Retry", operation="retryWorkset", hindrance=_not_retryable, do=_retry),
    "cancel": Action(word="Cancel", operation="cancelWorkset", hindrance=_not_cancelable, do=_cancel),
    "priority": Action(
        word="Change priority", operation="changePriority", hindrance=_not_priced, do=_prioritise
    ),
    "archive": Action(
        word="Archive", operation="archiveWorkset", hindrance=_not_archivable, do=_archive
    ),
    "restore": Action(
        word="Restore", operation="restoreWorkset", hindrance=_not_restorable, do=_restore
    ),
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
        problem=problem,
        partial_retry=app.settings.registry.partial(workset.manifest.pipeline),
        prices=_prices(app, workset) if action == "priority" else (),
    )


def _prices(app: App, workset: Workset) -> tuple[tuple[Priority, Estimate | None], ...]:
    """Return what the workset would be said to cost with each priority."""
    return tuple((each, app.estimate.of(workset.manifest, each)) for each in Priority)


def _acting(name: str) -> HTTPRouteHandler:
    """Return what does an action once it is confirmed, and leads back to the workset."""
    action = ACTIONS[name]

    @post(
        f"/worksets/{{workset_id:str}}/{name}",
        status_code=200,
        sync_to_thread=True,
        operation_id=action.operation,
    )
    def act(request: Person, workset_id: FromPath[str], body: RawBody, app: UseCases) -> Response[Any]:
        """Do what was confirmed."""
        form = form_of(request, body)
        check_csrf(request, form)
        concerns(request, app.read.get(request.user, workset_id).customer_id)
        reason = form.get("reason", "").strip()
        if not _REASON.fullmatch(reason):
            raise InvalidInputError.of("reason", "must be one line of up to 500 characters")
        try:
            action.do(app, request.user, workset_id, reason, form)
        except ConflictError as error:
            workset = app.read.get(request.user, workset_id)
            return _question(request, app, workset, name, action.hindrance(workset) or str(error))
        return Redirect(f"/portal/worksets/{workset_id}", status_code=303)

    return act


ROUTES: Final = (*map(_asking, ACTIONS), *map(_acting, ACTIONS))
