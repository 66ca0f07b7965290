"""Files on their way into the customer's space, and out of it again."""

import contextlib
import io
import secrets
import signal
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TYPE_CHECKING, BinaryIO, Final, NoReturn, cast

from attrs import define

from daylily.application.submit_workset import Submission
from daylily.domain.errors import DaylilyError
from daylily.entrypoints.cli.client import Client
from daylily.entrypoints.cli.drafts import Draft
from daylily.entrypoints.cli.render import size_of
from daylily.entrypoints.cli.session import Session

if TYPE_CHECKING:
    from typing_extensions import Buffer

_LINE_EVERY: Final = 5.0
"""Seconds between lines where there is no terminal for a bar."""


@contextlib.contextmanager
def uploaded(session: Session, draft: Draft) -> Iterator[Submission]:
    """
    Put a draft's files into the customer's space for as long as the block runs.

    The workset has copies of its own once it is submitted. Whatever ends the block, nothing stays
    behind, unless the store is away or the process is killed outright.
    """
    prefix = f"uploads/{secrets.token_hex(8)}/"
    client = session.client
    begun: list[str] = []
    with _terminated_as_interrupt():
        try:
            with _meter(session, draft) as advance:
                for key, path in draft.paths.items():
                    begun.append(prefix + key)
                    with path.open("rb") as file:
                        counted = cast(BinaryIO, io.BufferedReader(_Counted(file, advance), 1 << 20))
                        client.put_file(prefix + key, counted, path.stat().st_size)
            yield draft.moved(prefix)
        finally:
            _remove(session, client, begun)


def _remove(session: Session, client: Client, keys: list[str]) -> None:
    for number, key in enumerate(keys):
        try:
            client.delete_file(key)
        except DaylilyError as error:
            folder, left = key.rpartition("/")[0], len(keys) - number
            files = "1 uploaded file" if left == 1 else f"{left} uploaded files"
            session.say(f"{files} may stay behind in {folder}: {error}")
            return


@contextlib.contextmanager
def _terminated_as_interrupt() -> Iterator[None]:
    """Let SIGTERM end an upload as Ctrl-C does: it would otherwise leave files behind."""

    def interrupt(_: int, __: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:
        yield  # not the main thread
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@define(slots=False, eq=False)
class _Counted(io.RawIOBase):
    """A file that tells how far it has been read."""

    _file: BinaryIO
    _advance: Callable[[int], None]

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "Buffer") -> int:
        chunk = self._file.read(len(memoryview(buffer)))
        memoryview(buffer)[: len(chunk)] = chunk
        self._advance(len(chunk))
        return len(chunk)


@contextlib.contextmanager
def _meter(session: Session, draft: Draft) -> Iterator[Callable[[int], None]]:
    """Show how far an upload is: a bar on a terminal, now and then a line elsewhere."""
    total = draft.size
    console = session.console(stderr=True)
    if session.as_json:
        yield lambda _: None
    elif not console.is_terminal:
        yield _Lines(session, total).advance
    else:
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

        columns = (TextColumn("Uploading"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task("", total=total)
            yield lambda count: bar.advance(task, count)


@define
class _Lines:
    _session: Session
    _total: int
    _done: int = 0
    _said_at: float = 0.0

    def __attrs_post_init__(self) -> None:
        self._said_at = time.monotonic()

    def advance(self, count: int) -> None:
        self._done += count
        if time.monotonic() - self._said_at >= _LINE_EVERY:
            self._said_at = time.monotonic()
            self._session.say(f"uploaded {size_of(self._done)} of {size_of(self._total)}")
