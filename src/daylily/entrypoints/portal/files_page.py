"""Files: what a customer keeps, browsed, looked into, uploaded, fetched and removed."""

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

from attrs import frozen
from litestar import Response, get, post
from litestar.params import RawBody
from litestar.response import Redirect
from litestar.response.base import ASGIResponse

from daylily.adapters.formats.preview import preview_of
from daylily.bootstrap import App
from daylily.domain.customers import Principal
from daylily.domain.errors import ConflictError, InvalidInputError, NotFoundError, QuotaError
from daylily.domain.manifest import is_fastq
from daylily.entrypoints.file_views import EntryView
from daylily.entrypoints.http.answers import FileAnswer, disposition
from daylily.entrypoints.http.errors import ForbiddenError
from daylily.entrypoints.http.files import entry_view
from daylily.entrypoints.http.forms import Part, boundary_of
from daylily.entrypoints.http.ranges import Wanted
from daylily.entrypoints.http.requests import query
from daylily.entrypoints.http.upload_form import UploadForm
from daylily.entrypoints.http.uploads import store_body
from daylily.entrypoints.http.wiring import UseCases
from daylily.entrypoints.portal.context import Person, shown
from daylily.entrypoints.portal.forms import CSRF, check_csrf, form_of
from daylily.entrypoints.portal.uploading import upload_policy

ENTRIES: Final = 200
LINES: Final = 200
PATH: Final = "/portal/files"


@frozen
class Crumb:
    """A folder on the way to where one is."""

    name: str
    folder: str


@frozen(kw_only=True)
class Listing:
    """What is directly in a folder."""

    folder: str
    """Empty, or with a ``/`` at its end."""
    entries: Sequence[EntryView]
    next: str | None
    """Cursor of what follows."""
    later: bool
    """Whether something comes before it."""

    @property
    def crumbs(self) -> Sequence[Crumb]:
        """The folders that lead here, the outermost first."""
        parts = self.folder.strip("/").split("/") if self.folder else []
        return [Crumb(name, "/".join(parts[: at + 1])) for at, name in enumerate(parts)]

    @property
    def choosable(self) -> bool:
        """Whether there is anything that a workset could be made of."""
        return any(is_fastq(entry.key) for entry in self.entries)


@get("/files", sync_to_thread=True)
def files_page(request: Person, app: UseCases) -> Response[str]:
    """Show a folder."""
    return _folder(request, app, _listing(request, app))


@get("/live/files", sync_to_thread=True)
def picker(request: Person, app: UseCases) -> Response[str]:
    """Return a folder alone, for the page that picks files from it."""
    listing = _listing(request, app)
    link = _link("/portal/live/files")
    return shown(request, "_picker.html", listing=listing, link=link, is_fastq=is_fastq)


@get("/files/look", sync_to_thread=True)
def look_page(request: Person, app: UseCases) -> Response[str]:
    """Show what is in a file, at a glance."""
    key = query(request).required("key")
    file = app.files.look(request.user, _customer(request), key)
    preview = preview_of(file.open, file.info.size, lines=LINES)
    return shown(
        request, "file.html", entry=entry_view(file.info), preview=preview, fastq=is_fastq(key),
        folder=key.rpartition("/")[0],
    )  # fmt: skip


@get("/files/download", sync_to_thread=True)
def download(request: Person, app: UseCases) -> ASGIResponse:
    """Send a file, from the store itself where it has addresses to give."""
    who, customer_id = request.user, _customer(request)
    file = app.files.look(who, customer_id, query(request).required("key"))
    key = file.info.key
    address = app.links(who, customer_id, key, disposition(key, attached=True))
    if not address.startswith("/"):
        return Redirect(address, status_code=303).to_asgi_response(app=None, request=request)
    return FileAnswer(file, Wanted.of(request), download=True)


@get("/files/delete", sync_to_thread=True)
def ask_delete(request: Person, app: UseCases) -> Response[str]:
    """Ask whether it is meant."""
    key = query(request).required("key")
    if not key.endswith("/"):
        app.files.look(request.user, _customer(request), key)
    return _question(request, key)


@post("/files/delete", status_code=200, sync_to_thread=True, operation_id="deleteFile")
def delete(request: Person, body: RawBody, app: UseCases) -> Response[Any]:
    """Remove a file or an empty folder."""
    form = form_of(request, body)
    check_csrf(request, form)
    key = form.get("key", "")
    try:
        there = app.files.delete(request.user, _customer(request), key)
    except (ConflictError, InvalidInputError) as error:
        return _question(request, key, problem=_words(error))
    if not there:
        raise NotFoundError(f"there is no file {key}")
    return _back(key.removesuffix("/").rpartition("/")[0])


@post("/files/folder", status_code=200, sync_to_thread=True, operation_id="createFolder")
def make_folder(request: Person, body: RawBody, app: UseCases) -> Response[Any]:
    """Have a folder there."""
    form = form_of(request, body)
    check_csrf(request, form)
    folder, name = form.get("folder", "").strip("/"), form.get("name", "").strip()
    who, customer_id = request.user, _customer(request)
    try:
        made = app.files.make_folder(who, customer_id, f"{folder}/{name}" if folder else name)
    except (ConflictError, InvalidInputError) as error:
        return _refused(request, app, folder, error, name=name)
    return _back(made.removesuffix("/"))


@post("/files/upload", status_code=200, request_max_body_size=None, operation_id="uploadFile")
async def upload(request: Person, app: UseCases) -> Response[Any]:
    """Store a file from a form; pages with their script send it in pieces instead."""
    boundary = boundary_of(request)
    who, customer_id = request.user, _customer(request)
    proof: dict[str, str] = {}

    def noted(part: Part) -> bool:
        if part.name == CSRF and part.filename is None:
            proof[CSRF] = part.text()
            check_csrf(request, proof)
        return part.name == CSRF

    def claim(_: str) -> None:
        if CSRF not in proof:
            raise ForbiddenError("this form is out of date: reload the page and try again")

    form = UploadForm(app, who, customer_id, None, claim, noted)

    def store(source: Any) -> Response[Any]:
        try:
            key = form.store(source, boundary).key
        except (ConflictError, InvalidInputError, QuotaError) as error:
            return _refused(request, app, form.prefix or "", error)
        return _back(key.rpartition("/")[0])

    return await store_body(request, store)


ROUTES: Final = (*(files_page, picker, look_page, download, ask_delete, delete, make_folder, upload),)


def _customer(request: Person) -> str:
    return request.user.customer_id


def _listing(request: Person, app: App, folder: str | None = None) -> Listing:
    fields = query(request)
    wanted = fields.text("folder") or "" if folder is None else folder
    cursor = fields.text("cursor") if folder is None else None
    wanted = f"{wanted.strip('/')}/" if wanted.strip("/") else ""
    who: Principal = request.user
    found = app.files.browse(who, _customer(request), wanted, cursor=cursor, limit=ENTRIES)
    entries = [entry_view(each) for each in found.items]
    return Listing(folder=wanted, entries=entries, next=found.cursor, later=cursor is not None)


def _folder(
    request: Person,
    app: App,
    listing: Listing,
    *,
    problem: str = "",
    name: str = "",
    status_code: int = 200,
) -> Response[str]:
    who, customer_id = request.user, _customer(request)
    room = None
    if app.files.quota.bounds(customer_id):
        used, _ = app.files.quota.used(customer_id)
        room = (used, app.manage.customers.get(customer_id).max_storage_gb)
    answer = shown(
        request, "files.html", status_code=status_code, listing=listing, room=room, problem=problem,
        name=name, link=_link(PATH), who=who, is_fastq=is_fastq,
    )  # fmt: skip
    answer.headers["Content-Security-Policy"] = upload_policy(app)
    return answer


def _refused(
    request: Person, app: App, folder: str, error: Exception, *, name: str = ""
) -> Response[str]:
    """Show the folder again, with what was wrong and what was written."""
    try:
        listing = _listing(request, app, folder)
    except InvalidInputError:
        listing = _listing(request, app, "")
    return _folder(request, app, listing, problem=_words(error), name=name, status_code=422)


def _question(request: Person, key: str, *, problem: str = "") -> Response[str]:
    return shown(
        request, "file_delete.html", status_code=409 if problem else 200, key=key, problem=problem,
        folder=key.removesuffix("/").rpartition("/")[0],
    )  # fmt: skip


def _words(error: Exception) -> str:
    faults = getattr(error, "faults", ())
    return "; ".join(fault.message for fault in faults) or str(error)


def _back(folder: str) -> Response[Any]:
    return Redirect(_link(PATH)(folder=folder), status_code=303)


def _link(path: str) -> Any:
    """Return what makes addresses below *path*; of what is empty nothing is said."""

    def link(to: str = "", **said: str | None) -> str:
        fields = {name: value for name, value in said.items() if value}
        address = f"{path}/{to}" if to else path
        return f"{address}?{urlencode(fields)}" if fields else address

    return link
