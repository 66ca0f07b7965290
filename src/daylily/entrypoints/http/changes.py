"""What people do to worksets: cancel, retry, hurry, archive, restore, delete; as they saw them."""

import re
from typing import Any, Final

from attrs import frozen
from litestar import get, post, put
from litestar.params import FromPath, RawBody

from daylily.domain.errors import InvalidInputError
from daylily.domain.lifecycle import Priority, State
from daylily.entrypoints.http import examples, parameters
from daylily.entrypoints.http.answers import Answer
from daylily.entrypoints.http.describing import Body, described
from daylily.entrypoints.http.requests import Fields, json_object, version_in
from daylily.entrypoints.http.threads import LISTINGS, reading
from daylily.entrypoints.http.wiring import Call, UseCases, Who
from daylily.entrypoints.http.worksets import ONE, list_of, shown, visible
from daylily.entrypoints.views import WorksetPage, WorksetView

_REASON: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{0,500}")


def _changing(operation_id: str, status: int, body: Body | None = None) -> dict[str, Any]:
    """Return what all routes have in common that change a workset, of the version that was seen."""
    told = described(
        operation_id,
        "worksets",
        body=body,
        parameters=(parameters.IF_MATCH,),
        errors=(409,),
        sends=("ETag",),
    )
    return {"status_code": status, "sync_to_thread": True, **told}


@post(f"{ONE}/cancel", **_changing("cancelWorkset", 202, parameters.REASON))
def cancel(
    request: Call,
    cid: FromPath[str],
    workset_id: FromPath[str],
    body: RawBody,
    app: UseCases,
    who: Who,
) -> Answer[WorksetView]:
    """Ask for a stop; a running workset is ``canceled`` once its engine has confirmed it."""
    asked = _asked(request, body)
    visible(app, who, cid, workset_id)
    return shown(app, app.cancel(who, workset_id, asked.reason, version=asked.version))


@post(f"{ONE}/retry", **_changing("retryWorkset", 202, parameters.RETRY))
def retry(
    request: Call,
    cid: FromPath[str],
    workset_id: FromPath[str],
    body: RawBody,
    app: UseCases,
    who: Who,
) -> Answer[WorksetView]:
    """Put a workset that ended in error back into the queue, or some samples of it."""
    asked = _asked(request, body, flag="failed_samples")
    visible(app, who, cid, workset_id)
    retried = app.retry(who, workset_id, asked.reason, failed_samples=asked.flag, version=asked.version)
    return shown(app, retried)


@put(f"{ONE}/priority", **_changing("changePriority", 200, parameters.PRIORITY_BODY))
def prioritise(
    request: Call,
    cid: FromPath[str],
    workset_id: FromPath[str],
    body: RawBody,
    app: UseCases,
    who: Who,
) -> Answer[WorksetView]:
    """Change how urgent a workset is that waits, and with that its place in the queue and its price."""
    priority, version = _priority(request, body), version_in(request)
    visible(app, who, cid, workset_id)
    return shown(app, app.prioritise(who, workset_id, priority, version=version))


@put(
    "/worksets/{workset_id:str}/priority",
    **_changing("changeAnyPriority", 200, parameters.PRIORITY_BODY),
)
def prioritise_any(
    request: Call, workset_id: FromPath[str], body: RawBody, app: UseCases, who: Who
) -> Answer[WorksetView]:
    """Change how urgent a workset is, of any customer whom the caller sees."""
    priority, version = _priority(request, body), version_in(request)
    return shown(app, app.prioritise(who, workset_id, priority, version=version))


@get(
    "/api/customers/{cid:str}/worksets/archived",
    **described(
        "listArchivedWorksets",
        "worksets",
        parameters=parameters.WHICH_ARCHIVED,
        example=examples.PAGE,
    ),
)
async def list_archived(
    request: Call, cid: FromPath[str], app: UseCases, who: Who
) -> Answer[WorksetPage]:
    """Return a customer's archived worksets."""
    states = frozenset({State.ARCHIVED})
    return await reading(app, list_of, request, app, who, cid, states, among=LISTINGS)


@post(f"{ONE}/archive", **_changing("archiveWorkset", 200, parameters.REASON))
def archive(
    request: Call,
    cid: FromPath[str],
    workset_id: FromPath[str],
    body: RawBody,
    app: UseCases,
    who: Who,
) -> Answer[WorksetView]:
    """Put away a workset that is over; all that it has left stays where it is."""
    asked = _asked(request, body)
    visible(app, who, cid, workset_id)
    archived = app.put_away.archive(who, workset_id, asked.reason, version=asked.version)
    return shown(app, archived)


@post(f"{ONE}/restore", **_changing("restoreWorkset", 200))
def restore(
    request: Call, cid: FromPath[str], workset_id: FromPath[str], app: UseCases, who: Who
) -> Answer[WorksetView]:
    """Bring an archived workset back to the state it had."""
    version = version_in(request)
    visible(app, who, cid, workset_id)
    return shown(app, app.put_away.restore(who, workset_id, version=version))


@post(f"{ONE}/delete", **_changing("deleteWorkset", 200, parameters.DELETE))
def delete(
    request: Call,
    cid: FromPath[str],
    workset_id: FromPath[str],
    body: RawBody,
    app: UseCases,
    who: Who,
) -> Answer[WorksetView]:
    """Hide an archived workset for good; ``hard_delete`` removes its files, too."""
    asked = _asked(request, body, flag="hard_delete")
    visible(app, who, cid, workset_id)
    deleted = app.put_away.delete(
        who, workset_id, asked.reason, files=asked.flag, version=asked.version
    )
    return shown(app, deleted)


@frozen
class _Asked:
    """What a request for a change says."""

    version: int | None
    reason: str = ""
    flag: bool = False


def _asked(request: Call, body: bytes, *, flag: str | None = None) -> _Asked:
    """
    Return what a body says; there may be no body.

    Args:
        flag: The name of what may be true in it, if anything.
    """
    version = version_in(request)
    if not body:
        return _Asked(version)
    fields = Fields(json_object(request, body))
    reason = fields.text("reason") or ""
    if not _REASON.fullmatch(reason):
        fields.fault("reason", "must be one line of up to 500 characters")
    told = flag is not None and fields.flag(flag)
    fields.refuse_others()
    fields.raise_faults()
    return _Asked(version, reason, told)


def _priority(request: Call, body: bytes) -> Priority:
    fields = Fields(json_object(request, body))
    word = fields.required("priority")
    fields.refuse_others()
    fields.raise_faults()
    try:
        return Priority(word)
    except ValueError:
        known = ", ".join(Priority)
        raise InvalidInputError.of("priority", f"{word[:40]!r} is not one of {known}") from None


CHANGES: Final = (
    cancel,
    retry,
    prioritise,
    prioritise_any,
    list_archived,
    archive,
    restore,
    delete,
)
