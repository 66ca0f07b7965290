"""What every pipeline of ours leaves: files that are there whole or not at all."""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from pathlib import Path
from typing import Final

from daylily.domain.results import MANIFEST, manifest_text

ABANDONED_AFTER: Final = 600  # seconds; writing takes milliseconds


def write_whole(path: Path, text: str) -> None:
    """
    Put *text* into *path* in one step: a reader, or a kill at any moment, sees the old content or
    the new.

    Raises:
        OSError: It cannot be written; the old content still stands.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        with part.open("x", encoding="utf-8", newline="") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    _sync_directory(path.parent)


def sweep(directory: Path, names: tuple[str, ...]) -> None:
    """Remove what a killed run left of the files *names* in *directory*."""
    for name in names:
        for part in directory.glob(f".{name}.*.part"):
            try:
                if time.time() - part.stat().st_mtime > ABANDONED_AFTER:
                    part.unlink()
            except FileNotFoundError:
                continue  # another run swept it


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_manifest(directory: Path) -> None:
    """
    Write the checksums of all files below *directory*, hidden ones apart, and links likewise.

    Raises:
        OSError: One cannot be read, or the checksums cannot be written.
    """
    sums: dict[str, str] = {}
    for parent, folders, names in os.walk(directory):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            path = Path(parent, name)
            # A link may lead anywhere on this machine: what it leads to is no result.
            if not name.startswith(".") and path.is_file() and not path.is_symlink():
                sums[path.relative_to(directory).as_posix()] = _digest(path)
    sums.pop(MANIFEST, None)
    write_whole(directory / MANIFEST, manifest_text(sums))


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
