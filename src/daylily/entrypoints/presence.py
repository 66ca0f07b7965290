"""Which server speaks for a home: one at a time, known by the lock it holds and by ``server.json``."""

import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from daylily.domain.errors import ConflictError
from daylily.entrypoints.service import Listener, write_new

SERVER: Final = "server.json"
_LOCK: Final = "server.lock"


def check_alone(home: Path) -> None:
    """
    Let through who would be the only server of a home; touches nothing.

    Raises:
        ConflictError: One runs there already; the message says where.
    """
    with suppress(FileNotFoundError), (home / _LOCK).open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _taken(home) from error


@contextmanager
def announced(home: Path, listener: Listener, *, another: bool = False) -> Iterator[Callable[[], None]]:
    """
    Yield what writes our address to ``server.json``, and remove it in the end if it is ours.

    The lock goes with its holder, however that ends: what a killed one has left behind is written over.

    Args:
        another: Go on where one speaks for the home already; its address stays there, not ours.

    Raises:
        ConflictError: One does, and that was not expected.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = home / SERVER
    descriptor = os.open(home / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        ours = _locked(descriptor)
        if not ours and not another:
            raise _taken(home)

        def announce() -> None:
            if ours:
                part = home / f".{SERVER}-{secrets.token_hex(4)}"
                write_new(part, json.dumps({"url": listener.url, "pid": os.getpid()}) + "\n")
                part.replace(path)

        try:
            yield announce
        finally:
            if ours and _told(home) == (listener.url, os.getpid()):
                path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _taken(home: Path) -> ConflictError:
    url, pid = _told(home) or ("an address that it is about to tell", None)
    process = f" (process {pid})" if pid else ""
    return ConflictError(
        f"daylily runs on {home} already, at {url}{process}: "
        f"use that one, or say --another for a further server beside it"
    )


def _told(home: Path) -> tuple[str, int | None] | None:
    """Return what ``server.json`` says, if it says anything."""
    try:
        told = json.loads((home / SERVER).read_text(encoding="utf-8"))
        return str(told["url"]), told["pid"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
