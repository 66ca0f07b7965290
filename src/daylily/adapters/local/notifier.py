"""A channel for one machine: a file that grows by a line for each event."""

import os
from pathlib import Path

from attrs import frozen

from daylily.adapters.local.records import to_record
from daylily.domain.errors import UnavailableError
from daylily.domain.events import ALL_NEWS, Event, EventKind


@frozen
class JournalNotifier:
    """
    A Notifier that appends one JSON line an event to *path*.

    Several processes may append at once: a line is one write with O_APPEND, so lines never mix.
    Repeats are written too; their ``event_id`` tells.
    """

    path: Path

    @property
    def kinds(self) -> frozenset[EventKind]:
        """All."""
        return ALL_NEWS

    def send(self, event: Event) -> None:
        """See Notifier.send."""
        line = f"{to_record(event)}\n".encode()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            descriptor = os.open(self.path, flags, 0o600)
            try:
                size = os.fstat(descriptor).st_size
                if size and os.pread(descriptor, 1, size - 1) != b"\n":
                    line = b"\n" + line  # a full disk cut the last line off
                written = os.write(descriptor, line)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise UnavailableError(f"{self.path}: {error}") from error
        if written < len(line):
            # The event stays owed; its whole line follows once there is room again.
            raise UnavailableError(f"{self.path}: only {written} of {len(line)} bytes were written")
