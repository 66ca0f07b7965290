"""Uploads that go on after a break, and downloads at addresses that are signed."""

import re
from typing import Any, Final
from urllib.parse import quote

from litestar import delete, get, patch, post
from litestar.params import FromPath, RawBody
from litestar.response.base import ASGIResponse

from daylily.application.upload_in_parts import LARGEST, UploadInParts
from daylily.entrypoints.file_views import PartView, Removed, UploadView
from daylily.entrypoints.http import examples, parameters
from daylily.entrypoints.http.answers import Answer, FileAnswer
from daylily.entrypoints.http.audit import UNHEARD, targets
from daylily.entrypoints.http.describing import described
from daylily.entrypoints.http.files import file_view
from daylily.entrypoints.http.prefix import path_asked_for
from daylily.entrypoints.http.ranges import Wanted
from daylily.entrypoints.http.requests import Fields, count, json_object, key_in_path, query
from daylily.entrypoints.http.uploads import store_body
from daylily.entrypoints.http.wiring import Call, UseCases, Who
from daylily.entrypoints.views import FileView
from daylily.ports.transfers import Part, Upload

_UPLOADS: Final = "/api/customers/{cid:str}/uploads"
_ONE: Final = f"{_UPLOADS}/{{upload_id:str}}"
_OFFSET: Final = re.compile(r"[0-9]{1,15}", re.ASCII)
_MOST_PARTS: Final = 10_000


@post(
    _UPLOADS,
    status_code=201,
    sync_to_thread=True,
    **described(
        "beginUpload",
        "files",
        body=parameters.BEGIN_UPLOAD,
        sends=("Location",),
        example=examples.UPLOAD,
    ),
)
def begin_upload(
    request: Call, cid: FromPath[str], body: RawBody, app: UseCases, who: Who
) -> Answer[UploadView]:
    """
    Begin to upload a large file, of which nothing is seen until it is complete.

    Where ``parts`` are told, each is sent to its own address by ``PUT``, in any order; otherwise bytes
    are appended here.
    """
    fields = Fields(json_object(request, body))
    key, size = fields.required("key"), fields.whole("size")
    if size is None:
        fields.fault("size", "is required: how many bytes the file has")
    fields.refuse_others()
    fields.raise_faults()
    upload_id, upload = app.uploads.begin(who, cid, key, size or 0)
    _about_file(request, upload.key)
    location = f"{path_asked_for(request.scope).rstrip('/')}/{upload_id}"
    view = _view(app.uploads, who, cid, upload_id, upload, 0, 1)
    return Answer(view, headers={"Location": location})


@get(
    _ONE,
    sync_to_thread=True,
    **described(
        "lookAtUpload",
        "files",
        parameters=(parameters.FIRST_PART,),
        sends=("Upload-Offset",),
        example=examples.UPLOAD,
    ),
)
def look_at_upload(
    request: Call, cid: FromPath[str], upload_id: FromPath[str], app: UseCases, who: Who
) -> Answer[UploadView]:
    """Tell how far an upload has come, and where to send its parts from ``first`` on."""
    fields = query(request)
    first = count(fields, "first", least=1, most=_MOST_PARTS, default=1) or 1
    fields.refuse_others()
    fields.raise_faults()
    upload, offset = app.uploads.look(who, cid, upload_id)
    view = _view(app.uploads, who, cid, upload_id, upload, offset, first)
    return Answer(view, headers={"Upload-Offset": str(offset)})


@patch(
    _ONE,
    status_code=200,
    request_max_body_size=None,
    opt={UNHEARD: False},  # of thousands of pieces the trail would have an entry each
    **described(
        "appendToUpload",
        "files",
        body=parameters.FILE,
        parameters=(parameters.UPLOAD_OFFSET,),
        errors=(409,),
        sends=("Upload-Offset",),
        example=examples.UPLOAD,
    ),
)
async def append_to_upload(
    request: Call, cid: FromPath[str], upload_id: FromPath[str], app: UseCases, who: Who
) -> Answer[UploadView]:
    """
    Append the body to an upload, which has to end at ``Upload-Offset``.

    What came before a connection broke stays: ask how far it has come, and go on from there.
    """
    fields = Fields({})
    given = request.headers.get("upload-offset", "")
    if not _OFFSET.fullmatch(given):
        fields.fault("Upload-Offset", "is required: the byte that this begins with")
    fields.raise_faults()

    def append(source: Any) -> Answer[UploadView]:
        upload, _ = app.uploads.look(who, cid, upload_id)
        offset = app.uploads.append(who, cid, upload_id, int(given), source)
        view = _view(app.uploads, who, cid, upload_id, upload, offset, 1)
        return Answer(view, headers={"Upload-Offset": str(offset)})

    return await store_body(request, append)


@post(
    f"{_ONE}/complete",
    status_code=201,
    sync_to_thread=True,
    **described("completeUpload", "files", body=parameters.PARTS, errors=(409,), example=examples.FILE),
)
def complete_upload(
    request: Call, cid: FromPath[str], upload_id: FromPath[str], body: RawBody, app: UseCases, who: Who
) -> Answer[FileView]:
    """Let the file appear; where parts were sent elsewhere, with the ``ETag`` that each was given."""
    parts: list[Part] = []
    if body:
        fields = Fields(json_object(request, body))
        for each in fields.objects("parts", most=_MOST_PARTS):
            number = each.whole("number")
            if number is None or not 1 <= number <= _MOST_PARTS:
                each.fault("number", f"is not a whole number from 1 to {_MOST_PARTS}")
            parts.append(Part(number or 0, each.required("etag")))
            each.refuse_others()
        fields.refuse_others()
        fields.raise_faults()
    view = file_view(app.uploads.complete(who, cid, upload_id, parts))
    _about_file(request, view.key)
    return Answer(view)


@delete(
    _ONE,
    status_code=200,
    sync_to_thread=True,
    **described("abortUpload", "files", example=examples.REMOVED),
)
def abort_upload(
    request: Call, cid: FromPath[str], upload_id: FromPath[str], app: UseCases, who: Who
) -> Answer[Removed]:
    """Forget an upload, and what has come of it."""
    upload, _ = app.uploads.look(who, cid, upload_id)
    app.uploads.abort(who, cid, upload_id)
    _about_file(request, upload.key)
    return Answer(Removed(success=True, deleted=upload.key))


def _about_file(request: Call, key: str) -> None:
    """Have the trail name the file: ids of uploads say nothing to people."""
    mine = path_asked_for(request.scope).partition("/uploads")[0]
    targets(request, f"{mine}/files/{quote(key)}")


@get(
    "/signed/{token:str}/{cid:str}/{key:path}",
    sync_to_thread=True,
    include_in_schema=False,
)
def fetch_signed(
    request: Call, token: FromPath[str], cid: FromPath[str], app: UseCases
) -> ASGIResponse:
    """Stream a file to whoever has an address of it that has not run out."""
    file = app.links.open(token, cid, key_in_path(request))
    return FileAnswer(file, Wanted.of(request), download=True)


def _view(
    uploads: UploadInParts,
    who: Any,
    cid: str,
    upload_id: str,
    upload: Upload,
    offset: int,
    first: int,
) -> UploadView:
    size = upload.part_size or LARGEST
    return UploadView(
        upload_id=upload_id,
        key=upload.key,
        size=upload.size,
        offset=offset,
        part_size=upload.part_size,
        parts=tuple(
            PartView(
                number=number,
                url=url,
                start=(number - 1) * size,
                stop=min(number * size, upload.size),
            )
            for number, url in uploads.urls(who, cid, upload_id, first)
        ),
    )
