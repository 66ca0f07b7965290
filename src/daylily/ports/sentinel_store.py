"""The directories of worksets, where sentinels stand for all to see."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol

from attrs import frozen

from daylily.domain.clusters import Requirements
from daylily.domain.lifecycle import Priority
from daylily.domain.manifest import Manifest, Seal
from daylily.domain.sentinels import Sentinel, SentinelBody
from daylily.domain.workset import Workset
from daylily.ports.paging import Page

MANIFEST: Final = "daylily_work.yaml"
"""What says of a directory which workset it is, and what is to be run."""
FILES: Final = frozenset({MANIFEST, "daylily_info.yaml", "stage_samples.tsv", "sample_data/"})
"""What an engine needs in a workset's directory (contract 2.2)."""


@frozen(kw_only=True)
class Folder:
    """What stands directly in a workset's directory; what lies deeper is nobody's sentinel (D-20)."""

    sentinels: Mapping[Sentinel, SentinelBody]
    names: frozenset[str]
    """Names of all entries; folders end in ``/``."""
    locked_at: datetime | None = None
    """
    When a ``daylily.lock`` that we did not write was put there; None where there is none. The store's
    word, not the lock's: who wrote it may have had a wrong clock, or named no time.
    """

    @property
    def whole(self) -> bool:
        """Whether all of ``FILES`` are there."""
        return self.names >= FILES

    def foreign(self, sequence: int) -> frozenset[Sentinel]:
        """Return the sentinels that are not ours, given that our last transition was *sequence*."""
        return frozenset(
            sentinel
            for sentinel, body in self.sentinels.items()
            if body.sequence is None or body.sequence > sequence
        )


@frozen(kw_only=True)
class Shown:
    """What a listing tells of a workset's directory: who wrote what is not among it."""

    workset_id: str
    sentinels: frozenset[Sentinel]
    whole: bool
    """Whether all of ``FILES`` are there."""


@frozen(kw_only=True)
class DroppedWorkset:
    """What the files of a directory that somebody dropped by hand say of it."""

    manifest: Manifest
    name: str
    priority: Priority
    max_retries: int | None = None
    """None where they do not say."""
    notification_email: str | None = None
    requirements: Requirements = Requirements()
    for_us: bool = True
    """
    Whether the files name a pipeline. Those of old only say what the old engine is to run; where we
    cannot run that, it is to be left to that engine.
    """


@frozen(kw_only=True)
class Recorded:
    """What the files that ``publish`` writes say of a workset; None where they do not say."""

    manifest: Manifest
    name: str
    priority: Priority
    max_retries: int
    notification_email: str | None
    requirements: Requirements
    workset_id: str | None
    customer_id: str | None
    submitted_by: str | None
    created_at: datetime | None
    """To the second."""


class SentinelStore(Protocol):
    """
    The directories of worksets, one for each, named after its id.

    - Never writes over a file it did not write, and never deletes one.
    - Everything but ``post`` can be repeated without harm.
    - One damaged directory never hides another: only the call that concerns it raises.
    - Every method raises UnavailableError when the store does not answer.
    - Safe to share between threads and processes.
    """

    def fetch(self, workset: Workset, sources: Sequence[str]) -> Sequence[Seal]:
        """
        Copy files into a workset's directory, each unless one of that name is there.

        Returns:
            The seals of what stands there now, in the order of the manifest's files.

        Args:
            sources: Keys in the object store, in the order of the manifest's files.

        Raises:
            InvalidInputError: Some are not there; every one is listed, under its place.
        """

    def publish(self, workset: Workset) -> None:
        """Write the files an engine needs (``FILES``), each unless one of that name is there."""

    def post(self, workset_id: str, sentinel: Sentinel, body: SentinelBody) -> bool:
        """
        Create a sentinel if there is none of that name; return whether it is now there as we wrote it.

        One of ours that shows an earlier transition is replaced, in one step. Of any number of callers
        at once with different bodies of one transition, exactly one is told True. A repeat by the one
        who created it is told True again. False: somebody else's stands there, untouched.
        """

    def withdraw(self, workset_id: str, sentinel: Sentinel, sequence: int) -> None:
        """Remove a sentinel of ours that shows a transition not after *sequence*, if it is there."""

    def withdraw_all(self, workset_id: str, stale: Mapping[Sentinel, int]) -> None:
        """Withdraw several, each as ``withdraw`` does, in any order."""

    def look(self, workset_id: str) -> Folder:
        """
        Return what stands in a directory; an absent one is empty.

        A body that cannot be decoded is present all the same, with replacement characters.
        """

    def directories(self, *, cursor: str | None = None) -> Page[str]:
        """Return names of directories, in order, whether they are worksets, and may be ids, or not."""

    def ready_since(self, name: str) -> datetime | None:
        """
        Return when ``daylily.ready`` was put into a directory; None where none stands there.

        The store's word, not the sentinel's, whose writer may have had a wrong clock.

        Args:
            name: Any that ``directories`` returns: it need not be an id.
        """

    def shown(self, *, cursor: str | None = None) -> Page[Shown]:
        """
        Return what stands in all directories, each once, by listings alone: no body is read.

        Directories in which nothing stands but what lies deeper may be left out.
        """

    def changed(self, mark: str | None) -> str | None:
        """Return a new mark if directories may have come since *mark*, else None."""

    def read(self, workset_id: str) -> DroppedWorkset:
        """
        Read the files of a directory that somebody dropped.

        Raises:
            InvalidInputError: They are missing or unsound; every fault with file, row or key path.
        """

    def recorded(self, workset_id: str) -> Recorded:
        """
        Read back what ``publish`` wrote, whether FASTQ files are still there or not.

        Raises:
            InvalidInputError: It is missing or unsound; every fault with file, row or key path.
        """

    def commands(self, workset_id: str) -> Mapping[str, tuple[str, ...]]:
        """
        Return the words that the workset's files give to commands of the engine of old.

        Under ``day_clone`` and ``dy_r``; what is not said is left out. A stranger's words, though plain
        ones: each is an argument of a command, and nothing for a shell (D-35).

        Raises:
            InvalidInputError: What they say cannot be read, or holds what a shell would obey.
        """
