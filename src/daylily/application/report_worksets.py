"""Tell what is known of worksets, a row each, from stored facts."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

from attrs import define, frozen

from daylily.application.places import Places
from daylily.domain.errors import InvalidInputError, NotFoundError
from daylily.domain.lifecycle import State
from daylily.domain.manifest import Manifest
from daylily.domain.names import is_id
from daylily.domain.reporting import Contents, Facts, ReportRow, unreadable_row
from daylily.domain.workset import Workset
from daylily.ports.clock import Clock
from daylily.ports.object_store import ObjectStore
from daylily.ports.paging import every
from daylily.ports.sentinel_store import SentinelStore
from daylily.ports.state_store import StateStore, Unreadable

_CRAM: Final = (".cram",)
_VCF: Final = (".vcf", ".vcf.gz", ".vcf.bgz")


@frozen(kw_only=True)
class Asked:
    """What a report is to tell."""

    names: tuple[str, ...] = ()
    """Of these worksets alone; of all if there are none."""
    customer_id: str | None = None
    """Of this customer's alone."""
    archive: bool = False
    """Of what has been archived, too."""
    sizes: bool = False
    """Also what lies in the directories: a listing for each row, and a file for what others run."""


@define
class _Files:
    """Adds up what a listing tells."""

    fastqs: set[str]
    """Keys of the manifest that have not been seen yet."""
    fastq_bytes: int = 0
    crams: int = 0
    cram_bytes: int = 0
    vcfs: int = 0
    vcf_bytes: int = 0
    results_bytes: int = 0

    def add(self, name: str, size: int) -> None:
        if name in self.fastqs:
            self.fastqs.remove(name)
            self.fastq_bytes += size
        if not name.startswith("results/"):
            return
        self.results_bytes += size
        if name.endswith(_CRAM):
            self.crams += 1
            self.cram_bytes += size
        elif name.endswith(_VCF):
            self.vcfs += 1
            self.vcf_bytes += size


@frozen
class Shelf:
    """A folder in which worksets have their directories: the one that is in use, or the archive."""

    places: Places
    sentinels: SentinelStore


@frozen(kw_only=True)
class ReportWorksets:
    """
    Yield rows in no order; what a row does not know is None.

    Cost: the pages of one scan; with ``names``, a question for each. With ``sizes``, a listing of each
    row's directory, and ``daylily_work.yaml`` where that says what was run. Memory: a page, and the ids
    of the archive.

    Args:
        archive: Where people move old worksets; None where they do not.
    """

    store: StateStore
    objects: ObjectStore
    shelf: Shelf
    facts: Facts
    clock: Clock
    archive: Shelf | None = None

    def __call__(
        self, asked: Asked, absent: Callable[[str], None] = lambda _: None
    ) -> Iterator[ReportRow]:
        """
        Yield a row for each workset.

        Args:
            absent: Told of each name that was asked for, and for which there is no row.

        Raises:
            UnavailableError: A store does not answer.
        """
        missing = dict.fromkeys(asked.names)
        for row in self._rows(asked, dict(self._put_away(asked))):
            missing.pop(row.workset, None)
            yield row
        for name in missing:
            absent(name)

    def _rows(self, asked: Asked, put_away: dict[str, Shelf]) -> Iterator[ReportRow]:
        for stored in self._stored(asked):
            shelf = put_away.pop(stored.workset_id, None)
            if isinstance(stored, Unreadable):
                if asked.customer_id is None:  # nobody knows whose it is
                    yield unreadable_row(stored.workset_id, stored.error)
            elif _wanted(stored, asked):
                yield self._row(stored, asked, shelf)
        # What only the archive has.
        for workset_id, shelf in put_away.items():
            yield from self._archived(workset_id, asked, shelf)

    def _stored(self, asked: Asked) -> Iterator[Workset | Unreadable]:
        if not asked.names:
            yield from every(lambda cursor: self.store.scan(cursor=cursor))
        for name in dict.fromkeys(asked.names):
            with suppress(NotFoundError):
                yield self.store.get(name)

    def _put_away(self, asked: Asked) -> Iterator[tuple[str, Shelf]]:
        shelf = self.archive
        if shelf is None or not asked.archive:
            return
        for name in every(lambda cursor: shelf.sentinels.directories(cursor=cursor)):
            if is_id(name) and (not asked.names or name in asked.names):
                yield name, shelf

    def _row(self, workset: Workset, asked: Asked, archive: Shelf | None) -> ReportRow:
        row = self.facts.row(workset, self.clock(), put_away=archive is not None)
        shelf = archive or self.shelf
        if not asked.sizes:
            return row
        row = self._looked_into(row, workset.manifest, shelf)
        return _with_commands(row, shelf) if self.facts.speaks_for(workset) else row

    def _archived(self, workset_id: str, asked: Asked, shelf: Shelf) -> Iterator[ReportRow]:
        try:
            recorded = shelf.sentinels.recorded(workset_id)
        except InvalidInputError:
            recorded = None
        if asked.customer_id not in {None, recorded.customer_id if recorded else None}:
            return
        manifest = recorded.manifest if recorded else None
        sentinels = shelf.sentinels.look(workset_id).sentinels
        row = self.facts.archived_row(workset_id, sentinels, manifest)
        yield _with_commands(self._looked_into(row, manifest, shelf), shelf) if asked.sizes else row

    def _looked_into(self, row: ReportRow, manifest: Manifest | None, shelf: Shelf) -> ReportRow:
        if not is_id(row.workset):
            return row  # very old tables have names that no directory can have
        directory = shelf.places.directory(row.workset)
        files = _Files({key for _, key in manifest.files()} if manifest else set())
        known = bool(files.fastqs)
        for info in every(lambda cursor: self.objects.list(directory, cursor=cursor)):
            files.add(info.key.removeprefix(directory), info.size)
        contents = Contents(
            fastq_bytes=files.fastq_bytes if known and not files.fastqs else None,
            crams=files.crams,
            cram_bytes=files.cram_bytes,
            vcfs=files.vcfs,
            vcf_bytes=files.vcf_bytes,
            results_bytes=files.results_bytes,
        )
        return row.with_contents(contents, self.facts.rates)


def _with_commands(row: ReportRow, shelf: Shelf) -> ReportRow:
    try:
        return row.with_commands(shelf.sentinels.commands(row.workset))
    except InvalidInputError:
        return row  # it has no such file, or there is nothing in it to be shown


def _wanted(workset: Workset, asked: Asked) -> bool:
    if workset.state is State.DELETED or (workset.state is State.ARCHIVED and not asked.archive):
        return False
    return asked.customer_id in {None, workset.customer_id}
