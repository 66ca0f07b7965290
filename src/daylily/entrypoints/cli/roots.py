"""Where the paths of a source start, and what becomes of those that start elsewhere."""

import os
from pathlib import Path, PurePosixPath
from typing import Self

from attrs import frozen

from daylily.domain.errors import Fault


@frozen
class Root:
    """A folder that paths start from and stay in."""

    given: Path
    """As somebody wrote it, absolute."""
    real: Path
    """Without links."""

    @classmethod
    def of(cls, path: Path) -> Self:
        """
        Return the root at *path*.

        Raises:
            OSError: Something on the way is not there, or links lead round in a circle.
        """
        return cls(Path(os.path.abspath(path)), resolved(path))  # noqa: PTH100 - links are to stay

    def key_of(self, text: str) -> str:
        """
        Return the key of a file: its path from here, also where it was given in full.

        What lies elsewhere is returned as it is, for others to refuse.
        """
        while text.startswith("./"):
            text = text[2:].lstrip("/")
        if not text.startswith("/"):
            return text
        path = PurePosixPath(text)
        for base in (self.given, self.real):
            if path.is_relative_to(base):
                return str(path.relative_to(base))
        try:
            folder = resolved(Path(path.parent))
        except (OSError, ValueError):
            return text
        return str((folder / path.name).relative_to(self.real)) if self._holds(folder) else text

    def _holds(self, folder: Path) -> bool:
        return folder.is_relative_to(self.real)


def root_of(default: Path, data_root: Path | None) -> tuple[Root, Fault | None]:
    """Return where paths start, and what is wrong with the folder that somebody named for it."""
    path = (data_root or default).expanduser()
    try:
        root = Root.of(path)
    except OSError as error:
        return Root(path, path), Fault("--data-root", f"{path}: {error.strerror}")
    return root, None if root.real.is_dir() else Fault("--data-root", f"{path} is not a folder")


def resolved(path: Path) -> Path:
    """
    Return *path* without links.

    Raises:
        OSError: Something on the way is not there, or links lead round in a circle.
    """
    # Path.resolve has raised RuntimeError for circles until Python 3.13.
    return Path(os.path.realpath(path, strict=True))
