"""Worksets: submit, list, look, read the log."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Final, cast

from attrs import evolve
from litestar import get
from litestar.params import FromPath

from daylily.bootstrap import App
from daylily.domain.customers import Principal
from daylily.domain.errors import InvalidInputError, NotFoundError
from daylily.domain.lifecycle import Priority, State
from daylily.domain.workset import Workset
from daylily.entrypoints.http import examples, parameters
from daylily.entrypoints.http.answers import Answer
from daylily.entrypoints.http.describing import described
from daylily.entrypoints.http.kept import KeptWorksets, joined
from daylily.entrypoints.http.requests import Fields, count, instant, query
from daylily.entrypoints.http.threads import LISTINGS, reading
from daylily.entrypoints.http.wiring import Call, UseCases, Who, use_cases
from daylily.entrypoints.views import (
    HistoryPage,
    LogView,
    WhyView,
    WorksetPage,
    WorksetView,
)
from daylily.ports.paging import Page
from daylily.ports.state_store import Filter

ALL: Final = "-"
"""Stands for every customer whom the caller sees, where a path names one."""
OFFSET: Final = 1 << 60
COLLECTION: Final = "/api/customers/{cid:str}/worksets"
ONE: Final = f"{COLLECTION}/{{workset_id:str}}"


@get(
    COLLECTION,
    **described(
        "listWorksets", "worksets", parameters=parameters.WHICH_WORKSETS, example=examples.PAGE
    ),
)
async def list_worksets(request: Call, cid: FromPath[str]) -> Answer[WorksetPage]:
    """Return a customer's worksets, newest first; ``-`` stands for all whom the caller sees."""
    app = use_cases(request)
    return await reading(app, list_of, request, app, request.user, cid, among=LISTINGS)


@get(
    "/worksets",
    **described(
        "listAllWorksets",
        "worksets",
        parameters=parameters.WHICH_WORKSETS,
        sends=("X-Next-Cursor",),
        example=[examples.WORKSET],
    ),
)
async def list_all(request: Call) -> Answer[tuple[WorksetView, ...]]:
    """Return the worksets that the caller sees, newest first; ``X-Next-Cursor`` leads to the next."""
    app = use_cases(request)
    return await reading(app, _list_all, request, app, request.user, among=LISTINGS)


def _list_all(request: Call, app: App, who: Principal) -> Answer[tuple[WorksetView, ...]]:
    page = page_in(request, app, who, None)
    headers = {"X-Next-Cursor": page.cursor} if page.cursor else {}
    kept: KeptWorksets = request.app.state["kept"]
    content = joined(kept.json(*page.items))
    return Answer((), encoded_already=content, headers=headers)


@get(ONE, **described("getWorkset", "worksets", sends=("ETag",), example=examples.WORKSET))
async def look(request: Call, cid: FromPath[str], workset_id: FromPath[str]) -> Answer[WorksetView]:
    """Return a workset, with its attempts and its history."""
    app = use_cases(request)
    return seen(request, await reading(app, visible, app, request.user, cid, workset_id))


@get(
    f"{ONE}/why",
    sync_to_thread=True,
    **described("explainWorkset", "worksets", example=examples.WHY),
)
def why(
    cid: FromPath[str],
    workset_id: FromPath[str],
    app: UseCases,
    who: Who,
) -> Answer[WhyView]:
    """Say why a workset is where it is, and what it waits for."""
    visible(app, who, cid, workset_id)
    return Answer(WhyView.of(app.explain(who, workset_id)))


@get(
    f"{ONE}/history",
    sync_to_thread=True,
    **described(
        "getHistory",
        "worksets",
        parameters=(parameters.LIMIT, parameters.CURSOR),
        example=examples.HISTORY,
    ),
)
def history(
    request: Call,
    cid: FromPath[str],
    workset_id: FromPath[str],
    app: UseCases,
    who: Who,
) -> Answer[HistoryPage]:
    """Return all that a workset has been through, latest first, a page at a time."""
    fields = query(request)
    number = count(fields, "limit", least=1, most=parameters.MOST, default=100) or 100
    after = fields.text("cursor")
    fields.refuse_others()
    fields.raise_faults()
    visible(app, who, cid, workset_id)
    return Answer(HistoryPage.of(app.read.history(who, workset_id, cursor=after, limit=number)))


@get(
    "/worksets/{workset_id:str}",
    **described("getAnyWorkset", "worksets", sends=("ETag",), example=examples.WORKSET),
)
async def look_anywhere(request: Call, workset_id: FromPath[str]) -> Answer[WorksetView]:
    """Return a workset of any customer whom the caller sees."""
    app = use_cases(request)
    return seen(request, await reading(app, app.read.get, request.user, workset_id))


@get(
    f"{ONE}/logs",
    sync_to_thread=True,
    **described(
        "getLog",
        "worksets",
        parameters=(parameters.ATTEMPT, parameters.OFFSET),
        example=examples.LOG,
    ),
)
def logs(
    request: Call,
    cid: FromPath[str],
    workset_id: FromPath[str],
    app: UseCases,
    who: Who,
) -> Answer[LogView]:
    """Return what an attempt has written, from byte ``offset`` on; ask again from where it ended."""
    fields = query(request)
    number = attempt_in(fields)
    start = count(fields, "offset", least=0, most=OFFSET, default=0) or 0
    fields.refuse_others()
    fields.raise_faults()
    visible(app, who, cid, workset_id)
    chunk = app.read.log(who, workset_id, attempt=number, offset=start)
    return Answer(
        LogView(
            workset_id=workset_id,
            text=chunk.text,
            offset=chunk.offset,
            ended=chunk.ended,
            logs=tuple(chunk.text.splitlines()),
        )
    )


def check_customer(app: App, who: Principal, cid: str) -> None:
    """
    Let through a customer who is there and whom the caller sees.

    Raises:
        NotFoundError: Not so, and nothing tells which of both.
    """
    if cid == ALL:
        return
    if not who.sees(cid):
        raise NotFoundError(f"there is no customer {cid}")
    try:
        app.world.customers.get(cid)
    except NotFoundError:
        raise NotFoundError(f"there is no customer {cid}") from None


def visible(app: App, who: Principal, cid: str, workset_id: str) -> Workset:
    """
    Return a workset that belongs to the customer of the path.

    Raises:
        NotFoundError: There is no such customer or workset for the caller.
    """
    check_customer(app, who, cid)
    workset = app.read.get(who, workset_id)
    if cid not in {ALL, workset.customer_id}:
        raise NotFoundError(workset_id)
    return workset


def attempt_in(fields: Fields) -> int | None:
    """Take the number of an attempt from a query; the last one, unless it is said."""
    return count(fields, "attempt", least=1, most=10**9, default=None)


def filter_in(
    fields: Fields, customer_id: str | None, states: frozenset[State] | None = None
) -> Filter:
    """
    Take from a query which worksets to list.

    Args:
        states: Those that are listed; None takes them from the query, too.
    """
    if states is None:
        states = frozenset(_states(fields)) or None
    priority = fields.text("priority")
    if priority is not None and priority not in {*Priority, "high"}:
        fields.fault("priority", f"{priority[:40]!r} is not one of {', '.join(Priority)}")
        priority = None
    sort = fields.text("sort")
    if sort is not None and sort not in parameters.SORTS:
        fields.fault("sort", f"{sort[:40]!r} is not one of {', '.join(parameters.SORTS)}")
    return Filter(
        customer_id=customer_id,
        states=states,
        priority=Priority(priority) if priority is not None else None,
        name_contains=fields.text("name") or None,
        pipeline=fields.text("pipeline"),
        tag=fields.text("tag"),
        created_from=instant(fields, "created_from"),
        created_before=instant(fields, "created_before"),
        oldest_first=sort == "created_at",
    )


def _states(fields: Fields) -> Iterator[State]:
    words = fields.take("state")
    for word in words if isinstance(words, list) else []:
        if word in set(State):
            yield State(word)
        else:
            fields.fault("state", f"{word[:40]!r} is not one of {', '.join(State)}")


def page_in(
    request: Call,
    app: App,
    who: Principal,
    customer_id: str | None,
    states: frozenset[State] | None = None,
) -> Page[Workset]:
    """
    Return the page of worksets that a query asks for.

    Args:
        states: See ``filter_in``.
    """
    fields = query(request, *(() if states else ("state",)))
    where = filter_in(fields, customer_id, states)
    limit = count(fields, "limit", least=1, most=parameters.MOST, default=100) or 100
    cursor = fields.text("cursor")
    fields.refuse_others()
    fields.raise_faults()
    if where.pipeline is not None:
        with suppress(InvalidInputError):  # an alias; what is not known here may yet be stored
            where = evolve(where, pipeline=app.settings.registry.get(where.pipeline).name)
    return app.read.list(who, where, cursor=cursor, limit=limit)


def list_of(
    request: Call, app: App, who: Principal, cid: str, states: frozenset[State] | None = None
) -> Answer[WorksetPage]:
    """
    Return the page of a customer's worksets that a query asks for.

    Args:
        states: See ``filter_in``.
    """
    check_customer(app, who, cid)
    page = page_in(request, app, who, None if cid == ALL else cid, states)
    kept: KeptWorksets = request.app.state["kept"]
    content = {"worksets": kept.json(*page.items), "cursor": page.cursor}
    return Answer(WorksetPage(worksets=()), encoded_already=joined(content))


def seen(request: Call, workset: Workset) -> Answer[WorksetView]:
    """Return the answer that shows a workset to whoever only looks."""
    kept: KeptWorksets = request.app.state["kept"]
    headers = {"ETag": f'"{workset.version}"'}
    view = cast(WorksetView, None)  # its JSON is there
    (content,) = kept.json(workset)
    return Answer(view, encoded_already=bytes(content), headers=headers)


def shown(app: App, workset: Workset, *, location: str | None = None) -> Answer[WorksetView]:
    """Return the answer that shows a workset, with the version that a change may be meant for."""
    headers = {"ETag": f'"{workset.version}"'}
    if location is not None:
        headers["Location"] = location
    return Answer(WorksetView.of(workset, app.read), headers=headers)
