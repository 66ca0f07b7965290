"""JournalNotifier, held to the contract of its port."""

import json
import resource
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from daylily.adapters.local.notifier import JournalNotifier
from daylily.domain.errors import UnavailableError
from daylily.ports.notifier import Notifier
from daylily.testing.contracts.notifier import NotifierContract
from daylily.testing.samples import an_event


def lines(path: Path) -> list[dict[str, object]]:
    """Return the events of a journal."""
    return [json.loads(line) for line in path.read_text().splitlines()]


class TestJournalNotifier(NotifierContract):
    """The contract, on a file."""

    @pytest.fixture
    def notifier(self, tmp_path: Path) -> Notifier:
        """Return a channel that has not been told anything."""
        return JournalNotifier(tmp_path / "home" / "notices.jsonl")

    def told(self, notifier: Notifier) -> Sequence[str]:
        """Return the ids in the file."""
        assert isinstance(notifier, JournalNotifier)
        return [str(line["event_id"]) for line in lines(notifier.path)]


def test_a_line_says_all_that_the_event_says(tmp_path: Path) -> None:
    """A line is the event as a JSON object with the words of the wire, for its owner's eyes only."""
    path = tmp_path / "notices.jsonl"
    JournalNotifier(path).send(an_event())
    assert lines(path) == [
        {
            "event_id": "ws-1-1-complete",
            "kind": "complete",
            "workset_id": "ws-1",
            "customer_id": "acme",
            "state": "complete",
            "priority": "normal",
            "at": "2025-06-02T12:00:00.000000Z",
            "message": "attempt 1 complete",
            "error_details": None,
            "settles": [],
            "monitor": None,
        }
    ]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_journal_that_cannot_be_written_is_an_outage(tmp_path: Path) -> None:
    """Where the file cannot be made, the event stays owed."""
    (tmp_path / "file").touch()
    with pytest.raises(UnavailableError, match="File exists"):
        JournalNotifier(tmp_path / "file" / "notices.jsonl").send(an_event())


def test_a_line_cut_off_by_a_full_disk_spoils_no_other(tmp_path: Path) -> None:
    """After a write that stopped halfway, the event is still owed and the next line stands alone."""
    path = tmp_path / "notices.jsonl"
    JournalNotifier(path).send(an_event("ws-1-1"))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 20, limits[1]))
    try:
        with pytest.raises(UnavailableError, match="only 20 of"):
            JournalNotifier(path).send(an_event("ws-1-2"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    JournalNotifier(path).send(an_event("ws-1-2"))

    first, cut, last = path.read_text().splitlines()
    assert json.loads(first)["event_id"] == "ws-1-1"
    assert len(cut) == 20
    assert json.loads(last)["event_id"] == "ws-1-2"
