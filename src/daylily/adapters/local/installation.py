"""What stores on one machine need: a folder. All else is made on first use."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from attrs import frozen

from daylily.domain.errors import ConflictError, InvalidInputError, UnavailableError
from daylily.ports.installation import Finding, Role, Step, Tell


@frozen
class LocalInstallation:
    """
    An Installation in a folder.

    Args:
        home: The folder.
        database: The file of SQLite in it.
    """

    home: Path
    database: Path

    def plan(self, *, portal: str | None = None) -> Sequence[Step]:
        """See Installation.plan."""
        thing = f"folder {self.home}"
        if self.home.is_dir():
            return (Step(thing=thing, now="there"),)
        if self.home.exists():
            raise ConflictError(f"{self.home} is no folder: choose another by --home or DAYLILY_HOME")
        return (Step(thing=thing, now="missing", change="create it", carry_out=self._create),)

    def check(self) -> Iterator[Finding]:
        """See Installation.check."""
        if not self.database.exists():
            yield Finding("database", "ok", f"none yet; SQLite {sqlite3.sqlite_version}")
            return
        try:
            address = f"{self.database.absolute().as_uri()}?mode=ro"
            with closing(sqlite3.connect(address, uri=True, timeout=5)) as database:
                told = [str(row[0]) for row in database.execute("PRAGMA quick_check(5)")]
        except sqlite3.Error as error:
            told = [str(error)]
        if told == ["ok"]:
            yield Finding("database", "ok", f"{self.database}, quick_check passed")
            return
        advice = "stop all daylily processes, keep a copy of it, and restore a backup"
        yield Finding("database", "FAIL", f"{self.database}: {'; '.join(told)}", advice)

    def policy(self, role: Role) -> Mapping[str, Any]:
        """See Installation.policy."""
        raise InvalidInputError.of(
            "store",
            f"is local, where nobody asks for a policy of {role}: set S3_BUCKET for one of AWS",
        )

    def _create(self, _: Tell) -> None:
        try:
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise UnavailableError(f"{self.home} cannot be made: {error.strerror}") from error
