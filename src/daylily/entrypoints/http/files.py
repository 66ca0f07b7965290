"""What customers keep in their own space: put, listed, removed."""

from typing import Final

from litestar import delete, get, put
from litestar.params import FromPath

from daylily.domain.errors import NotFoundError
from daylily.domain.names import check_key
from daylily.entrypoints.http import examples, parameters
from daylily.entrypoints.http.answers import Answer
from daylily.entrypoints.http.describing import described
from daylily.entrypoints.http.requests import key_in_path, query
from daylily.entrypoints.http.uploads import store_body
from daylily.entrypoints.http.wiring import Call, UseCases, Who
from daylily.entrypoints.http.worksets import check_customer
from daylily.entrypoints.views import FilePage, FileView
from daylily.ports.object_store import ObjectInfo

_FILES: Final = "/api/customers/{cid:str}/files"


@put(
    f"{_FILES}/{{key:path}}",
    status_code=201,
    request_max_body_size=None,
    **described("putFile", "files", body=parameters.FILE, example=examples.FILE),
)
async def upload(
    request: Call,
    cid: FromPath[str],
    app: UseCases,
    who: Who,
) -> Answer[FileView]:
    """Store the body as a file, whole or not at all; one of that name is replaced."""
    key = check_key(key_in_path(request))
    stored = await store_body(request, lambda source: app.files.put(who, cid, key, source))
    return Answer(file_view(stored))


@get(
    _FILES,
    sync_to_thread=True,
    **described(
        "listFiles",
        "files",
        parameters=(parameters.PREFIX, parameters.CURSOR),
        example=examples.FILES,
    ),
)
def list_files(
    request: Call,
    cid: FromPath[str],
    app: UseCases,
    who: Who,
) -> Answer[FilePage]:
    """Return the customer's files whose names start with ``prefix``, in order."""
    fields = query(request)
    starts_with, after = fields.text("prefix") or "", fields.text("cursor")
    fields.refuse_others()
    fields.raise_faults()
    check_customer(app, who, cid)
    page = app.files.list(who, cid, prefix=starts_with, cursor=after)
    return Answer(FilePage(files=tuple(map(file_view, page.items)), cursor=page.cursor))


@delete(f"{_FILES}/{{key:path}}", sync_to_thread=True, **described("deleteFile", "files"))
def remove(
    request: Call,
    cid: FromPath[str],
    app: UseCases,
    who: Who,
) -> None:
    """Remove a file; worksets made of it keep theirs."""
    key = check_key(key_in_path(request))
    if not app.files.delete(who, cid, key):
        raise NotFoundError(f"there is no file {key}")


def file_view(info: ObjectInfo) -> FileView:
    """Return the view of a stored file."""
    at = info.modified_at.isoformat().replace("+00:00", "Z")
    return FileView(key=info.key, size=info.size, etag=info.etag, modified_at=at)
