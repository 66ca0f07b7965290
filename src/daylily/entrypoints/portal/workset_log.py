"""A workset's log: its end, any part of it, a search through it, and all of it to take away."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlencode

from attrs import frozen
from litestar import Response, get
from litestar.params import FromPath
from litestar.response import Stream

from daylily.bootstrap import App
from daylily.domain.customers import Principal
from daylily.domain.errors import InvalidInputError, NotFoundError, UnavailableError
from daylily.domain.workset import Workset
from daylily.entrypoints.http.answers import Answer, disposition
from daylily.entrypoints.http.requests import count, query
from daylily.entrypoints.http.wiring import UseCases
from daylily.entrypoints.http.worksets import OFFSET, attempt_in
from daylily.entrypoints.portal.context import Person, shown
from daylily.entrypoints.portal.look import clean_log
from daylily.entrypoints.views import LogView, WorksetView
from daylily.ports.compute import LogChunk

CHUNK: Final = 64 * 1024
"""Bytes that an engine gives at a time."""
TAIL_CHUNKS: Final = 4
"""How much of the end is read for a page."""
FROM_THE_START: Final = 16
"""Chunks: a log as short as that is read as a whole, as no engine can say how long one is."""
LOG_LINES: Final = 400
SEARCHED: Final = 512
"""Chunks that one search goes through; it can be gone on with."""
FOUND_MOST: Final = 200
_WIDEST: Final = 1000
"""Characters of a line that are shown where it was found."""


@frozen
class Tail:
    """The last lines of a log."""

    text: str
    offset: int
    """Where to go on reading."""
    ended: bool
    cut: bool = False
    """Whether there is more before them."""
    silent: bool = False
    """Whether the engine does not answer, so that nothing is known of it."""


@frozen(kw_only=True)
class Found:
    """A line that holds what was searched for."""

    number: int
    """Of the line, from 1; 0 where a search went on from further down."""
    at: int
    """Where the chunk begins that it ends in."""
    before: str
    match: str
    after: str


@frozen
class Reader:
    """Reads the log of one attempt on behalf of somebody."""

    app: App
    who: Principal
    workset_id: str
    attempt: int | None = None

    def chunk(self, offset: int) -> LogChunk:
        """
        Return what stands from *offset* on.

        Raises:
            NotFoundError: There is no such attempt, or it has written nothing.
            UnavailableError: The engine does not answer.
        """
        return self.app.read.log(self.who, self.workset_id, attempt=self.attempt, offset=offset)

    def chunks(self, offset: int, most: int | None = None) -> Iterator[tuple[int, LogChunk]]:
        """
        Yield what stands from *offset* on, each part with where it begins, to the end as it is now.

        Args:
            most: How many parts; None for all.
        """
        read = 0
        while most is None or read < most:
            chunk = self.chunk(offset)
            yield offset, chunk
            read += 1
            if chunk.ended or chunk.offset <= offset:
                return
            offset = chunk.offset

    def tail(self) -> Tail:
        """
        Return the last lines.

        Raises:
            NotFoundError: Nothing has been written.
        """
        try:
            parts = [*self.chunks(0, FROM_THE_START)]
            last = parts[-1][1]
            if not last.ended and len(parts) == FROM_THE_START:
                start = max(self._end(last.offset) - TAIL_CHUNKS * CHUNK, 0)
                parts = [*self.chunks(start, FROM_THE_START)]
        except (UnavailableError, InvalidInputError):
            return Tail("", 0, ended=True, silent=True)
        lines = clean_log("".join(chunk.text for _, chunk in parts)).splitlines(keepends=True)
        cut = parts[0][0] > 0 or len(lines) > LOG_LINES
        last = parts[-1][1]
        return Tail("".join(lines[-LOG_LINES:]), last.offset, last.ended, cut)

    def _end(self, known: int) -> int:
        """Return about where a log ends that goes on beyond *known*, within two chunks."""
        there, beyond = known, known * 2
        while self.chunk(beyond).text:
            there, beyond = beyond, beyond * 2
        while beyond - there > 2 * CHUNK:
            middle = (there + beyond) // 2
            there, beyond = (middle, beyond) if self.chunk(middle).text else (there, middle)
        return beyond

    def search(self, words: str, offset: int) -> tuple[list[Found], int | None]:
        """
        Return lines that hold *words*, whatever the case, and where to go on if there may be more.

        Raises:
            NotFoundError: Nothing has been written.
            UnavailableError: The engine does not answer.
        """
        wanted, found = words.casefold(), list[Found]()
        rest, number, begins = "", int(offset == 0), offset
        going_on: int | None = None
        for begins, chunk in self.chunks(offset, SEARCHED):
            lines = (rest + chunk.text).split("\n")
            # The last one goes on in the next chunk, unless there is none.
            rest = "" if chunk.ended else lines.pop()
            for line in lines:
                if (hit := _hit(clean_log(line), wanted, len(words))) is not None:
                    found.append(Found(number=number, at=begins, **hit))
                number += number > 0
            if len(found) >= FOUND_MOST:
                return found[:FOUND_MOST], None if chunk.ended else chunk.offset
            more = not chunk.ended and chunk.offset > begins
            # A line that was cut is searched as a whole when the search goes on.
            going_on = chunk.offset - len(rest.encode()) if more else None
        if rest and going_on is None and (hit := _hit(clean_log(rest), wanted, len(words))):
            found.append(Found(number=number, at=begins, **hit))
        return found, going_on


def _hit(line: str, wanted: str, length: int) -> dict[str, str] | None:
    at = line.casefold().find(wanted)
    if at < 0:
        return None
    # Where the case of a letter changes its length, what is marked is off by that; never outside.
    start = max(at - _WIDEST // 2, 0)
    return {
        "before": ("…" if start else "") + line[start:at],
        "match": line[at : at + length],
        "after": line[at + length : at + length + _WIDEST],
    }


def tail_of(request: Person, app: App, workset: Workset, attempt: int | None) -> Tail | None:
    """Return the last lines of a workset's log, or None where there are none yet."""
    if not workset.attempts:
        return None
    try:
        return Reader(app, request.user, workset.workset_id, attempt).tail()
    except NotFoundError:
        return None


@get("/live/worksets/{workset_id:str}/log", sync_to_thread=True)
def log_chunk(request: Person, workset_id: FromPath[str], app: UseCases) -> Answer[LogView]:
    """Return what a log has grown by."""
    fields = query(request)
    number, offset = attempt_in(fields), count(fields, "offset", least=0, most=OFFSET, default=0)
    fields.raise_faults()
    chunk = app.read.log(request.user, workset_id, attempt=number, offset=offset or 0)
    text = clean_log(chunk.text)
    return Answer(LogView(workset_id=workset_id, text=text, offset=chunk.offset, ended=chunk.ended))


@get("/worksets/{workset_id:str}/log", sync_to_thread=True)
def log_page(request: Person, workset_id: FromPath[str], app: UseCases) -> Response[str]:
    """Show a part of the log, or the lines of it that hold what is searched for."""
    fields = query(request)
    number = attempt_in(fields)
    at = count(fields, "at", least=0, most=OFFSET, default=None)
    words = (fields.text("q") or "")[:200]
    fields.raise_faults()
    workset = app.read.get(request.user, workset_id)
    reader = Reader(app, request.user, workset_id, number)
    told: dict[str, Any] = {"tail": None, "part": None, "found": None, "going_on": None}
    silent = None
    with suppress(NotFoundError):
        try:
            if words:
                told["found"], told["going_on"] = reader.search(words, at or 0)
            elif at is not None:
                told["part"] = _part(reader, at)
            else:
                told["tail"] = reader.tail()
        except UnavailableError as error:
            silent = str(error)
    attempt = number or len(workset.attempts)

    def address(**more: object) -> str:
        said = {"attempt": attempt or "", **more}
        return f"/portal/worksets/{workset_id}/log?" + urlencode(
            {name: value for name, value in said.items() if value != ""}
        )

    return shown(
        request,
        "workset_log.html",
        workset=WorksetView.of(workset, app.read),
        attempt=attempt,
        words=words,
        silent=silent,
        address=address,
        **told,
    )


@frozen(kw_only=True)
class _Part:
    text: str
    at: int
    earlier: int | None
    later: int | None


def _part(reader: Reader, at: int) -> _Part:
    parts = [*reader.chunks(at, 2)]
    last = parts[-1][1]
    more = not last.ended and last.offset > parts[-1][0]
    return _Part(
        text=clean_log("".join(chunk.text for _, chunk in parts)),
        at=at,
        earlier=max(at - 2 * CHUNK, 0) if at else None,
        later=last.offset if more else None,
    )


@get("/worksets/{workset_id:str}/log.txt", sync_to_thread=True)
def log_file(request: Person, workset_id: FromPath[str], app: UseCases) -> Stream:
    """Stream all of a log, as it is now."""
    fields = query(request)
    number = attempt_in(fields)
    fields.raise_faults()
    workset = app.read.get(request.user, workset_id)
    reader = Reader(app, request.user, workset_id, number)
    first = reader.chunk(0)  # an error is to be an answer, not half a file
    attempt = number or len(workset.attempts)
    name = f"{workset_id}-attempt-{attempt}.log"
    return Stream(
        _texts(reader, first),
        media_type="text/plain",
        headers={"content-disposition": disposition(name, attached=True)},
    )


def _texts(reader: Reader, first: LogChunk) -> Iterator[bytes]:
    yield first.text.encode()
    if not first.ended and first.offset:
        for _, chunk in reader.chunks(first.offset):
            yield chunk.text.encode()


ROUTES: Final = (log_page, log_file, log_chunk)
