"""The list of worksets, as it changes: a page that shows it listens, and asks what there is."""

from collections.abc import AsyncIterator
from typing import Final

from anyio import to_thread
from litestar import get
from litestar.response import Stream

from daylily.entrypoints.http.requests import query
from daylily.entrypoints.http.wiring import UseCases
from daylily.entrypoints.portal.context import Person
from daylily.entrypoints.portal.desk import AtDesk, Desk, session_cookie
from daylily.entrypoints.portal.worksets_page import ROWS, Chosen, fingerprint


@get("/live/list-events")
async def list_events(request: Person, app: UseCases, desk: AtDesk) -> Stream:
    """Ring whenever the list of this address changes: what it then is, the page asks for."""
    fields = query(request)
    chosen = Chosen.of(fields)
    seen = request.headers.get("last-event-id") or fields.text("seen")
    who, where = request.user, chosen.where

    def look() -> str:
        return fingerprint(app.read.list(who, where, cursor=chosen.cursor, limit=ROWS).items)

    if chosen.cursor is not None:
        # One that is none is told as an answer: once a stream has begun, all that it can do is break.
        await to_thread.run_sync(look)
    person = request.cookies.get(session_cookie(request), "")
    whose = "" if who.operator else who.customer_id
    desk.bells.places.check(person)
    told = desk.bells.listen(person, (whose, chosen.address("", chosen.cursor)), look, seen)
    return Stream(
        _while_signed_in(told, request, desk),
        media_type="text/event-stream",
        headers={"x-accel-buffering": "no"},
    )


async def _while_signed_in(
    told: AsyncIterator[bytes], request: Person, desk: Desk
) -> AsyncIterator[bytes]:
    async for event in told:
        if await to_thread.run_sync(desk.session, request) is None:
            return
        yield event


ROUTES: Final = (list_events,)
