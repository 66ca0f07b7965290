"""What becomes of a workset, as it happens: server-sent events."""

from anyio import to_thread
from litestar import get
from litestar.params import FromPath
from litestar.response import Stream

from daylily.entrypoints.http import parameters
from daylily.entrypoints.http.describing import described
from daylily.entrypoints.http.streams import Position
from daylily.entrypoints.http.wiring import Call, Listening, UseCases, Who
from daylily.entrypoints.http.worksets import visible


@get(
    "/api/customers/{cid:str}/worksets/{workset_id:str}/events",
    **described(
        "followWorkset",
        "worksets",
        parameters=(parameters.LAST_EVENT_ID,),
        media_type="text/event-stream",
        errors=(422,),
    ),
)
async def follow(
    request: Call,
    cid: FromPath[str],
    workset_id: FromPath[str],
    app: UseCases,
    who: Who,
    streams: Listening,
) -> Stream:
    """
    Tell of each change of state, of progress and of what is written to the log, as it happens.

    Server-sent events of the kinds ``state``, ``progress``, ``log`` and, once it is over, ``end``. Who
    comes back with ``Last-Event-ID`` misses nothing.
    """
    workset = await to_thread.run_sync(visible, app, who, cid, workset_id)
    given = request.headers.get("last-event-id")
    seen = None if given is None else Position.parse(given)
    return Stream(
        streams.listen(workset, seen, who.customer_id),
        media_type="text/event-stream",
        headers={"x-accel-buffering": "no"},
    )
