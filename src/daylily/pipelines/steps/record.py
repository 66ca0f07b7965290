"""What has been done: one line a step in ``steps.jsonl``, which outlives machine and run."""

from __future__ import annotations

import fcntl
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from attrs import define, field

from daylily.domain.steps import PlannedStep

NAME: Final = "steps.jsonl"
Done = tuple[str, str | None]
"""A step's digest and, if it is run per sample, the sample."""


class BusyError(Exception):
    """Another run works in the same folder."""


@define
class Record:
    """
    The record of one results folder; whoever has it open has the folder to itself.

    Lines are added and made durable, never changed: one that a crash has cut short is passed over.
    """

    path: Path
    done: set[Done] = field(init=False, factory=set)
    begun: list[str] = field(init=False, factory=list)
    """Digests of steps of which an earlier run did not live to see the end."""
    _file: int = field(init=False)

    @classmethod
    def open(cls, results: Path) -> Record:
        """
        Open the record of a folder, and read what earlier runs have done.

        Raises:
            BusyError: Another run has it open.
            OSError: It cannot be written.
        """
        record = cls(results / NAME)
        record._file = os.open(record.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            fcntl.flock(record._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(record._file)
            raise BusyError(f"another run is at work in {results}") from None
        except OSError:
            pass  # a file system without locks: the engine sees to it that there is one run
        record._read()
        return record

    def _read(self) -> None:
        data = self.path.read_bytes()
        if data and not data.endswith(b"\n"):
            os.write(self._file, b"\n")
        for line in data.splitlines():
            try:
                facts = json.loads(line)
                told = facts["event"], str(facts["digest"]), facts.get("sample")
            except (ValueError, KeyError, TypeError):
                continue
            self._note(*told)

    def _note(self, event: str, digest: str, sample: str | None) -> None:
        if event == "begun":
            self.begun.append(digest)
            self.done.discard((digest, sample))
        elif digest in self.begun:
            self.begun.remove(digest)
        if event == "done":
            self.done.add((digest, sample))

    def write(self, event: str, step: PlannedStep, sample: str | None = None, **facts: Any) -> None:
        """
        Add a line, which is on the disk before anything else happens.

        Args:
            event: ``begun``, ``done``, ``failed`` or ``undone``.
        """
        at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        told = {"at": at, "event": event, "step": step.name, "sample": sample, "digest": step.digest}
        os.write(self._file, f"{json.dumps({**told, **facts})}\n".encode())
        os.fsync(self._file)
        self._note(event, step.digest, sample)

    def close(self) -> None:
        """Let others have the folder."""
        os.close(self._file)
