"""What an attempt has left: a browser of its folders, a look into a file, and the file itself."""

import csv
import re
from typing import Any, Final
from urllib.parse import quote, urlencode

from attrs import evolve, frozen
from litestar import Response, get
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from daylily.adapters.formats.preview import Preview, preview_of
from daylily.application.stored_file import StoredFile
from daylily.bootstrap import App
from daylily.domain.errors import NotFoundError
from daylily.domain.workset import Workset
from daylily.entrypoints.http.answers import media_type_of
from daylily.entrypoints.http.requests import key_in_path, query
from daylily.entrypoints.http.results import stream
from daylily.entrypoints.http.wiring import UseCases
from daylily.entrypoints.http.worksets import attempt_in
from daylily.entrypoints.portal.context import Person, shown
from daylily.entrypoints.views import WorksetView
from daylily.ports.object_store import ObjectInfo

LISTED: Final = 5000
"""Files that are looked at for one page of a folder; the API lists them all."""
AT_A_GLANCE: Final = 12
"""Files and folders that the workset's own page shows."""
PREVIEW_LINES: Final = 500
LARGEST_SHOWN: Final = 32 << 20
"""Bytes of a picture or a report that a page has a browser load by itself."""

WIDEST_TABLE: Final = 40
"""Columns."""

_TABLE: Final = re.compile(r"\.(csv|tsv)(?:\.gz)?\Z", re.IGNORECASE)
_REPORT: Final = re.compile(r"(?:.*/)?(?:report|multiqc_report|index)\.html", re.IGNORECASE)


@frozen(kw_only=True)
class Item:
    """A file, or a folder with all that is in it."""

    name: str
    key: str
    size: int
    files: int = 0
    """How many are in a folder; 0 for a file."""
    modified_at: str | None = None

    @property
    def folder(self) -> bool:
        """Whether it is one."""
        return self.files > 0


@frozen(kw_only=True)
class Folder:
    """What lies in a folder of an attempt's results."""

    items: tuple[Item, ...]
    """Folders first, each in order of the names."""
    report: str | None
    """The key of what looks like the report of all, for the whole of the results."""
    files: int
    size: int
    whole: bool
    """Whether everything was looked at."""


def folder_of(
    request: Person, app: App, workset: Workset, attempt: int, below: str = "", *, most: int = LISTED
) -> Folder:
    """
    Return what lies in a folder, which is empty where there has been no attempt.

    Args:
        most: How many files are looked at, or some more.
    """
    infos, whole = _listing(request, app, workset, attempt, most) if attempt else ([], True)
    reports = [info for info in infos if _REPORT.fullmatch(info.key)]
    reports += [info for info in infos if info.key.endswith(".html")]
    files: list[Item] = []
    folders: dict[str, Item] = {}
    for info in infos:
        if not info.key.startswith(below):
            continue
        name, slash, _ = info.key[len(below) :].partition("/")
        if slash:
            found = folders.get(name) or Item(name=name, key=f"{below}{name}/", size=0)
            folders[name] = evolve(found, size=found.size + info.size, files=found.files + 1)
        else:
            at = info.modified_at.isoformat()
            files.append(Item(name=name, key=info.key, size=info.size, modified_at=at))
    shallow = sorted(reports, key=lambda info: (not _REPORT.fullmatch(info.key), info.key.count("/")))
    return Folder(
        items=(*sorted(folders.values(), key=_name), *sorted(files, key=_name)),
        report=shallow[0].key if shallow else None,
        files=len(infos),
        size=sum(info.size for info in infos),
        whole=whole,
    )


def _name(item: Item) -> str:
    return item.name


def _listing(
    request: Person, app: App, workset: Workset, attempt: int, most: int
) -> tuple[list[ObjectInfo], bool]:
    found: list[ObjectInfo] = []
    cursor = None
    while True:
        page = app.read.results(request.user, workset.workset_id, attempt=attempt, cursor=cursor)
        found += page.items
        cursor = page.cursor
        if cursor is None or len(found) >= most:
            return found, cursor is None


@get("/worksets/{workset_id:str}/results", sync_to_thread=True)
def results_page(request: Person, workset_id: FromPath[str], app: UseCases) -> Response[str]:
    """Show a folder of what an attempt has left."""
    fields = query(request)
    number, below = attempt_in(fields), fields.text("in") or ""
    fields.raise_faults()
    below = below if not below or below.endswith("/") else f"{below}/"
    workset = app.read.get(request.user, workset_id)
    attempt = number or len(workset.attempts)
    found = folder_of(request, app, workset, attempt, below)
    if below and not found.items:
        raise NotFoundError(f"there is no folder {below} among the results")
    return shown(
        request,
        "workset_results.html",
        workset=WorksetView.of(workset, app.read),
        attempt=attempt,
        folder=found,
        below=below,
        steps=_steps(below),
        addresses=Addresses(workset_id, attempt),
    )


def _steps(below: str) -> list[tuple[str, str]]:
    """Return the folders on the way to a folder, each with its name."""
    parts = below.split("/")[:-1]
    return [(name, "/".join(parts[: index + 1]) + "/") for index, name in enumerate(parts)]


@frozen
class Addresses:
    """Where the files and folders of an attempt's results are to be had."""

    workset_id: str
    attempt: int

    def folder(self, key: str = "") -> str:
        """Return the address of a folder."""
        said = {"attempt": str(self.attempt), **({"in": key} if key else {})}
        return f"/portal/worksets/{self.workset_id}/results?{urlencode(said)}"

    def look(self, key: str) -> str:
        """Return the address of a page that shows a file."""
        return f"/portal/worksets/{self.workset_id}/view/{quote(key, safe='/')}?attempt={self.attempt}"

    def file(self, key: str) -> str:
        """Return the address of a file itself, as browsers show it."""
        return f"/portal/worksets/{self.workset_id}/files/{quote(key, safe='/')}?attempt={self.attempt}"

    def download(self, key: str) -> str:
        """Return the address of a file that browsers save."""
        return f"{self.file(key)}&download=1"


@get("/worksets/{workset_id:str}/view/{key:path}", sync_to_thread=True)
def view_page(request: Person, workset_id: FromPath[str], app: UseCases) -> Response[str]:
    """Show a file of the results on a page: text, a picture, or a report in a frame of its own."""
    fields = query(request)
    number = attempt_in(fields)
    fields.raise_faults()
    key = key_in_path(request)
    workset = app.read.get(request.user, workset_id)
    file = app.read.look_at_result(request.user, workset_id, key, attempt=number)
    attempt = number or len(workset.attempts)
    return shown(
        request,
        "workset_view.html",
        workset=WorksetView.of(workset, app.read),
        attempt=attempt,
        key=key,
        size=file.info.size,
        modified_at=file.info.modified_at.isoformat(),
        steps=_steps(key.rpartition("/")[0] + "/" if "/" in key else ""),
        addresses=Addresses(workset_id, attempt),
        **_look(file),
    )


def _look(file: StoredFile) -> dict[str, Any]:
    media_type, size = media_type_of(file.info.key), file.info.size
    kind = media_type.partition("/")[0]
    framed = media_type in {"text/html", "image/svg+xml"}
    if size <= LARGEST_SHOWN and (framed or kind == "image"):
        # A picture that is a document of its own is framed like one.
        return {"look": "frame" if framed else "picture", "preview": None, "rows": ()}
    made = preview_of(file.open, size, lines=PREVIEW_LINES) if size else Preview(file_type="empty")
    rows = _rows(file.info.key, made)
    looks = {"text": "text", "gzip": "text", "binary": "none", "empty": "none"}
    look = "table" if rows else looks.get(made.file_type, "names")
    return {"look": look, "preview": made, "rows": rows}


def _rows(key: str, made: Preview) -> tuple[list[str], ...]:
    """Return the cells of a small table; nothing where a file is none, or too wide."""
    found = _TABLE.search(key)
    if found is None or made.file_type not in {"text", "gzip"}:
        return ()
    lines = [line for line in made.lines if not line.startswith("##")]
    separator = "," if found[1].lower() == "csv" else "\t"
    try:
        rows = tuple(csv.reader(lines, delimiter=separator, strict=True))
    except csv.Error:
        return ()
    return rows if rows and 1 < max(map(len, rows)) <= WIDEST_TABLE else ()


@get("/worksets/{workset_id:str}/files/{key:path}", sync_to_thread=True)
def result(request: Person, workset_id: FromPath[str], app: UseCases) -> ASGIResponse:
    """Stream a file of a workset's results."""
    return stream(request, app, request.user, workset_id)


ROUTES: Final = (results_page, view_page, result)
