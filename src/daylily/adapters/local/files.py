"""
Files below one folder, reached without ever following a symbolic link.

Each component of a path is opened relative to the one before (``openat`` with O_NOFOLLOW), so that
nobody can swap a folder for a link between a check and its use.
"""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

from daylily.domain.errors import (
    ConflictError,
    DaylilyError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
)

FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: opening a named pipe would wait for somebody to write to it.
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK

_ABSENT: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})
"""What the system says where a part of a path is missing, no folder, or a symbolic link."""

_LINK: Final = "is a symbolic link, and those are not followed: put the file itself there"


@contextmanager
def reported(key: str, *, writing: bool = False) -> Iterator[None]:
    """
    Turn what the system says into what the ports promise.

    Args:
        writing: What is missing is then not the object asked for but something of the store's.
    """
    try:
        yield
    except OSError as error:
        raise _translated(key, error, writing) from error


def _translated(key: str, error: OSError, writing: bool) -> DaylilyError:
    if error.errno == errno.ENAMETOOLONG:
        return InvalidInputError.of("key", f"{key[:80]!r} has a part that is too long for a file name")
    if error.errno in _ABSENT and not writing:
        why = f": it {_LINK}" if error.errno == errno.ELOOP else ""
        return NotFoundError(f"there is no {key}{why}")
    return UnavailableError(f"{key}: {error.strerror or error}")


@contextmanager
def absence_ignored() -> Iterator[None]:
    """Pass over a file or folder that is not there; any other trouble is still trouble."""
    try:
        yield
    except OSError as error:
        if error.errno not in _ABSENT:
            raise


@contextmanager
def folder(root: int, parts: Sequence[str]) -> Iterator[int]:
    """
    Open the folder of that path below *root*, for the time of the ``with``.

    Raises:
        OSError: It is not there, or a part of it is no folder.
    """
    descriptor = os.dup(root)
    try:
        for part in parts:
            deeper = os.open(part, FOLDER, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = deeper
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def made_folder(root: int, parts: Sequence[str]) -> Iterator[int]:
    """
    Open the folder of that path below *root*, making what is missing of it, to last.

    Raises:
        ConflictError: A part of it is a file or a symbolic link.
        OSError: It cannot be made.
    """
    descriptor = os.dup(root)
    try:
        for index, part in enumerate(parts):
            with suppress(FileExistsError):
                os.mkdir(part, dir_fd=descriptor)
                os.fsync(descriptor)
            try:
                deeper = os.open(part, FOLDER, dir_fd=descriptor)
            except OSError as error:
                if error.errno not in {errno.ENOTDIR, errno.ELOOP}:
                    raise
                why = (
                    _LINK
                    if kind(descriptor, part) == stat.S_IFLNK
                    else "is a file: nothing can be put under it"
                )
                raise ConflictError(f"{'/'.join(parts[: index + 1])} {why}") from error
            os.close(descriptor)
            descriptor = deeper
        yield descriptor
    finally:
        os.close(descriptor)


def opened(parent: int, name: str) -> int:
    """
    Return a descriptor to read a file by.

    Raises:
        OSError: There is none, or what has that name is no ordinary file.
    """
    descriptor = os.open(name, _FILE, dir_fd=parent)
    try:
        _only_files(os.fstat(descriptor))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def status(parent: int, name: str) -> os.stat_result:
    """
    Return what the system knows of a file.

    Raises:
        OSError: There is none, or what has that name is no ordinary file.
    """
    return _only_files(os.stat(name, dir_fd=parent, follow_symlinks=False))


def _only_files(found: os.stat_result) -> os.stat_result:
    if stat.S_ISLNK(found.st_mode):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    if not stat.S_ISREG(found.st_mode):
        # Folders, pipes and devices hold no object.
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
    return found


def kind(parent: int, name: str) -> int | None:
    """Return the kind (``S_IFMT``) of what has that name, or None where nothing has."""
    try:
        return stat.S_IFMT(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return None


def names(directory: int) -> list[str]:
    """Return the names in a folder, those of folders with a ``/``; links and devices are left out."""
    with os.scandir(directory) as entries:
        found = []
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                found.append(f"{entry.name}/")
            elif entry.is_file(follow_symlinks=False):
                found.append(entry.name)
    return sorted(found)


def link(source: tuple[int, str], target: tuple[int, str]) -> bool:
    """
    Give a file a second name; return False where the file system has no hard links.

    Raises:
        OSError: The name is taken, or it cannot be done for another reason.
    """
    try:
        os.link(source[1], target[1], src_dir_fd=source[0], dst_dir_fd=target[0], follow_symlinks=False)
    except OSError as error:
        if error.errno in {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}:
            return False
        raise
    return True
