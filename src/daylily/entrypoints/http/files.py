"""What customers keep in their own space: put, browsed, looked into, fetched, removed."""

from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import parse_qsl, quote

from litestar import delete, get, post, put, route
from litestar.enums import HttpMethod
from litestar.params import FromPath, RawBody
from litestar.response.base import ASGIResponse

from daylily.adapters.formats.preview import preview_of
from daylily.application.stored_file import StoredFile
from daylily.application.upload_in_parts import LASTING
from daylily.bootstrap import App
from daylily.domain.customers import Principal
from daylily.domain.errors import NotFoundError
from daylily.entrypoints.file_views import (
    EntryView,
    FolderMade,
    FolderPage,
    LinkView,
    PreviewView,
    Removed,
    StoredView,
)
from daylily.entrypoints.http import examples, parameters
from daylily.entrypoints.http.answers import Answer, FileAnswer, disposition
from daylily.entrypoints.http.describing import answer, described
from daylily.entrypoints.http.forms import boundary_of
from daylily.entrypoints.http.idempotency import claim_form
from daylily.entrypoints.http.ranges import Wanted
from daylily.entrypoints.http.requests import Fields, count, json_object, key_in_path, query
from daylily.entrypoints.http.upload_form import UploadForm
from daylily.entrypoints.http.uploads import store_body
from daylily.entrypoints.http.wiring import Call, UseCases, Who
from daylily.entrypoints.http.worksets import check_customer
from daylily.entrypoints.sizes import size_of
from daylily.entrypoints.views import FileView
from daylily.ports.object_store import ObjectInfo

FILES: Final = "/api/customers/{cid:str}/files"
MOST_LINES: Final = 1000

_ICONS: Final = {
    ".gz": "file-archive", ".zip": "file-archive", ".tar": "file-archive", ".bz2": "file-archive",
    ".fastq": "dna", ".fq": "dna", ".bam": "dna", ".cram": "dna", ".vcf": "dna",
    ".csv": "file-csv", ".tsv": "file-csv", ".html": "file-code", ".json": "file-code",
    ".yaml": "file-code", ".yml": "file-code", ".pdf": "file-pdf", ".txt": "file-alt",
    ".log": "file-alt", ".md": "file-alt",
}  # fmt: skip
"""Names of old portals' icons."""


@put(
    f"{FILES}/{{key:path}}",
    status_code=201,
    request_max_body_size=None,
    **described("putFile", "files", body=parameters.FILE, errors=(409,), example=examples.FILE),
)
async def upload(request: Call, cid: FromPath[str], app: UseCases, who: Who) -> Answer[FileView]:
    """Store the body as a file, whole or not at all; one of that name is replaced."""
    key, size = key_in_path(request), request.content_length
    stored = await store_body(request, lambda source: app.files.put(who, cid, key, source, size=size))
    return Answer(file_view(stored))


@post(
    f"{FILES}/upload",
    status_code=201,
    request_max_body_size=None,
    **described(
        "uploadFile",
        "files",
        body=parameters.UPLOAD,
        parameters=(parameters.FOLDER_PREFIX,),
        errors=(409,),
        example=examples.STORED,
    ),
)
async def upload_form(
    request: Call,
    cid: FromPath[str],
    app: UseCases,
    who: Who,
) -> Answer[StoredView]:
    """Store the ``file`` of a form under its own name, in the folder ``prefix``."""
    fields = query(request)
    prefix_asked = fields.text("prefix")
    fields.refuse_others()
    fields.raise_faults()
    boundary = boundary_of(request)

    def store(source: Any) -> ObjectInfo:
        app.files.check(who, cid)
        form = UploadForm(app, who, cid, prefix_asked, lambda asked: claim_form(request, asked))
        return form.store(source, boundary)

    stored = await store_body(request, store)
    view = file_view(stored)
    return Answer(
        StoredView(
            success=True,
            key=view.key,
            bucket=app.settings.bucket,
            size=view.size,
            etag=view.etag,
            modified_at=view.modified_at,
        )
    )


@post(
    f"{FILES}/create-folder",
    status_code=201,
    sync_to_thread=True,
    **described(
        "createFolder", "files", body=parameters.FOLDER, errors=(409,), example=examples.FOLDER_MADE
    ),
)
def create_folder(
    request: Call,
    cid: FromPath[str],
    body: RawBody,
    app: UseCases,
    who: Who,
) -> Answer[FolderMade]:
    """Have a folder there, even while nothing is in it."""
    fields = query(request) if request.scope["query_string"] else _form_or_json(request, body)
    folder = fields.required("folder_path")
    fields.refuse_others()
    fields.raise_faults()
    check_customer(app, who, cid)
    return Answer(FolderMade(success=True, folder=app.files.make_folder(who, cid, folder)))


def _form_or_json(request: Call, body: bytes) -> Fields:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        return Fields(dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)))
    return Fields(json_object(request, body))


@get(
    FILES,
    sync_to_thread=True,
    **described(
        "listFiles",
        "files",
        parameters=(
            parameters.FOLDER_PREFIX,
            parameters.RECURSIVE,
            parameters.FILES_LIMIT,
            parameters.CURSOR,
        ),
        example=examples.FOLDER,
    ),
)
def list_files(
    request: Call,
    cid: FromPath[str],
    app: UseCases,
    who: Who,
) -> Answer[FolderPage]:
    """
    Return what is in the folder ``prefix``, in order.

    With ``recursive=1`` it is all files whose keys start with ``prefix``, at any depth.
    """
    fields = query(request)
    starts_with, after = fields.text("prefix") or "", fields.text("cursor")
    deep = count(fields, "recursive", least=0, most=1, default=0) == 1
    most = count(fields, "limit", least=1, most=1000, default=1000) or 1000
    fields.refuse_others()
    fields.raise_faults()
    check_customer(app, who, cid)
    page: Any
    if deep:
        page = app.files.list(who, cid, prefix=starts_with, cursor=after)
    else:
        page = app.files.browse(who, cid, starts_with, cursor=after, limit=most)
    return Answer(
        FolderPage(
            files=tuple(map(entry_view, page.items)),
            prefix=starts_with,
            bucket=app.settings.bucket,
            cursor=page.cursor,
        )
    )


@get(
    f"{FILES}/{{key:path}}",
    sync_to_thread=True,
    **described(
        "getFile",
        "files",
        parameters=(
            parameters.LINES,
            parameters.RANGE,
            parameters.IF_RANGE,
            parameters.IF_NONE_MATCH,
        ),
        errors=(409,),
        sends=("ETag", "Content-Disposition"),
        media_type="application/octet-stream",
        also={
            206: answer("The part of the file that was asked for.", {}, "application/octet-stream"),
            304: answer("The file is the one that is known already.", None),
            416: answer("The file has no such part.", None),
        },
    ),
)
def fetch(
    request: Call,
    cid: FromPath[str],
    app: UseCases,
    who: Who,
) -> ASGIResponse:
    """
    Stream a file, or the range of it that is asked for.

    ``.../preview`` after its key tells its first ``lines`` or the names in an archive;
    ``.../download-url`` gives an address from which it can be fetched without a token for some time.
    """
    fields = query(request)
    key, _, look = key_in_path(request).rpartition("/")
    if look == "preview" and key:
        wanted = count(fields, "lines", least=1, most=MOST_LINES, default=20) or 20
        fields.refuse_others()
        fields.raise_faults()
        shown = _preview(_found(app, who, cid, key), wanted)
        return shown.to_asgi_response(app=None, request=request)
    fields.refuse_others()
    fields.raise_faults()
    if look == "download-url" and key:
        return _link(request, app, who, cid, key).to_asgi_response(app=None, request=request)
    return FileAnswer(_found(app, who, cid, key_in_path(request)), Wanted.of(request), download=True)


@route(
    f"{FILES}/{{key:path}}",
    http_method=[HttpMethod.HEAD],
    sync_to_thread=True,
    include_in_schema=False,
)
def tell(request: Call, cid: FromPath[str], app: UseCases, who: Who) -> ASGIResponse:
    """Tell of a file what a download would."""
    file = _found(app, who, cid, key_in_path(request))
    return FileAnswer(file, Wanted.of(request), download=True)


def _found(app: App, who: Principal, cid: str, key: str) -> StoredFile:
    check_customer(app, who, cid)
    return app.files.look(who, cid, key)


def _link(request: Call, app: App, who: Principal, cid: str, key: str) -> Answer[LinkView]:
    url = app.links(who, cid, key, disposition(key, attached=True))
    if url.startswith("/"):
        # The host that the caller has asked for: whoever else may name one, it is told to them alone.
        url = str(request.base_url).rstrip("/") + quote(url)
    return Answer(LinkView(url=url, expires_in=int(LASTING.total_seconds())))


def _preview(file: StoredFile, lines: int) -> Answer[PreviewView]:
    found = preview_of(file.open, file.info.size, lines=lines)
    return Answer(
        PreviewView(
            filename=_name(file.info.key),
            file_type=found.file_type,
            size=file.info.size,
            lines=found.lines,
            total_lines=found.total_lines,
            truncated=found.truncated,
        )
    )


@delete(
    f"{FILES}/{{key:path}}",
    status_code=200,
    sync_to_thread=True,
    **described("deleteFile", "files", errors=(409,), example=examples.REMOVED),
)
def remove(request: Call, cid: FromPath[str], app: UseCases, who: Who) -> Answer[Removed]:
    """Remove a file, or an empty folder (``key/``); worksets made of a file keep theirs."""
    key = key_in_path(request)
    if not app.files.delete(who, cid, key):
        raise NotFoundError(f"there is no file {key}")
    return Answer(Removed(success=True, deleted=key))


def file_view(info: ObjectInfo) -> FileView:
    """Return the view of a stored file."""
    return FileView(key=info.key, size=info.size, etag=info.etag, modified_at=_instant(info))


def entry_view(entry: ObjectInfo | str) -> EntryView:
    """Return the view of a file, or of a folder."""
    if isinstance(entry, str):
        return EntryView(
            key=entry, name=_name(entry[:-1]), type="folder", size=0, size_formatted=size_of(0),
            modified=None, icon="folder",
        )  # fmt: skip
    at = _instant(entry)
    return EntryView(
        key=entry.key,
        name=_name(entry.key),
        type="file",
        size=entry.size,
        size_formatted=size_of(entry.size),
        modified=at,
        icon=_ICONS.get(PurePosixPath(entry.key).suffix.lower(), "file"),
        etag=entry.etag,
        modified_at=at,
    )


def _name(key: str) -> str:
    return key.rpartition("/")[2]


def _instant(info: ObjectInfo) -> str:
    return info.modified_at.isoformat().replace("+00:00", "Z")
