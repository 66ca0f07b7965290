"""What a workset's attempts have left: listed, and streamed."""

from litestar import get
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from daylily.bootstrap import App
from daylily.domain.customers import Principal
from daylily.entrypoints.http import examples, parameters
from daylily.entrypoints.http.answers import Answer, FileAnswer
from daylily.entrypoints.http.describing import described
from daylily.entrypoints.http.files import file_view
from daylily.entrypoints.http.ranges import Wanted
from daylily.entrypoints.http.requests import count, key_in_path, query
from daylily.entrypoints.http.wiring import Call, UseCases, Who
from daylily.entrypoints.http.worksets import attempt_in, visible
from daylily.entrypoints.views import FilePage

_RESULTS = "/api/customers/{cid:str}/worksets/{workset_id:str}/results"


@get(
    _RESULTS,
    sync_to_thread=True,
    **described(
        "listResults",
        "results",
        parameters=(parameters.ATTEMPT, parameters.CURSOR),
        example=examples.FILES,
    ),
)
def list_results(
    request: Call,
    cid: FromPath[str],
    workset_id: FromPath[str],
    app: UseCases,
    who: Who,
) -> Answer[FilePage]:
    """Return the files that an attempt (the last one, unless said) has left."""
    fields = query(request)
    number, after = attempt_in(fields), fields.text("cursor")
    fields.refuse_others()
    fields.raise_faults()
    visible(app, who, cid, workset_id)
    page = app.read.results(who, workset_id, attempt=number, cursor=after)
    return Answer(FilePage(files=tuple(map(file_view, page.items)), cursor=page.cursor))


@get(
    f"{_RESULTS}/{{key:path}}",
    sync_to_thread=True,
    **described(
        "downloadResult",
        "results",
        parameters=(parameters.ATTEMPT, parameters.DOWNLOAD),
        sends=("Content-Disposition",),
        media_type="*/*",
    ),
)
def download(
    request: Call,
    cid: FromPath[str],
    workset_id: FromPath[str],
    app: UseCases,
    who: Who,
) -> ASGIResponse:
    """Stream a file; ``download=1`` has a browser save it rather than show it."""
    visible(app, who, cid, workset_id)
    return stream(request, app, who, workset_id)


def stream(request: Call, app: App, who: Principal, workset_id: str) -> FileAnswer:
    """
    Open the result that the path and the query of a request name.

    Raises:
        NotFoundError: There is none.
        InvalidInputError: The key or the query is not sound.
    """
    fields = query(request)
    number = attempt_in(fields)
    attached = count(fields, "download", least=0, most=1, default=0) == 1
    fields.refuse_others()
    fields.raise_faults()
    key = key_in_path(request)
    file = app.read.look_at_result(who, workset_id, key, attempt=number)
    return FileAnswer(file, Wanted.of(request), download=attached)
