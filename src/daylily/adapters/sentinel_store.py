"""The directories of worksets, in whatever holds objects: memory, a directory or S3."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

from attrs import evolve, field, frozen

from daylily.adapters.formats import info_yaml, stage_samples, work_yaml
from daylily.adapters.formats.reading import MAX_BYTES
from daylily.adapters.paging import decode_cursor, encode_cursor
from daylily.adapters.seen_sentinels import SeenSentinel, SeenSentinels
from daylily.domain.errors import (
    ConcurrentUpdateError,
    ConflictError,
    Fault,
    InvalidInputError,
    NotFoundError,
)
from daylily.domain.manifest import Manifest, Sample, Seal
from daylily.domain.names import check_id, is_id
from daylily.domain.sentinels import Sentinel, SentinelBody
from daylily.domain.workset import MAX_RETRIES, Workset
from daylily.ports.object_store import ObjectInfo, ObjectStore
from daylily.ports.paging import Page, every
from daylily.ports.sentinel_store import FILES, MANIFEST, DroppedWorkset, Folder, Recorded, Shown

T = TypeVar("T")

WORK: Final = MANIFEST
INFO: Final = "daylily_info.yaml"
STAGE: Final = "stage_samples.tsv"
SAMPLE_DATA: Final = "sample_data/"
HOLD: Final = f"{SAMPLE_DATA}.hold"
"""Makes ``sample_data/`` a folder where no file of a sample is in it."""

_RESULTS: Final = "/results/"
"""Where pipelines write, in each directory."""
_LISTED: Final = 10_000
"""Objects asked for at once, where all are listed; stores that have less to a page give several."""
_TELLING: Final = FILES.union(Sentinel)
"""Names that a listing of all tells something by."""
_BODY_BYTES: Final = 65_536
_LOOKS: Final = 3
"""How often to look again when somebody changes a sentinel between two questions."""


def _folder(prefix: str) -> str:
    # As engines of old do: no slash in front, one at the end, and empty stays empty.
    bare = prefix.strip("/")
    return f"{bare}/" if bare else ""


@frozen
class ObjectSentinelStore:
    """
    A SentinelStore on top of any ObjectStore.

    Args:
        prefix: The folder in which each workset has its directory.
        threads: How many files of a directory are written at once.
    """

    objects: ObjectStore
    prefix: str = field(default="worksets/", converter=_folder)
    threads: int = 1
    _seen: SeenSentinels = field(init=False, factory=SeenSentinels, repr=False, eq=False)

    def fetch(self, workset: Workset, sources: Sequence[str]) -> Sequence[Seal]:
        """See SentinelStore.fetch."""
        directory = self._directory(workset.workset_id)
        seals, faults = list[Seal](), list[Fault]()
        for (place, target), source in zip(workset.manifest.files(), sources, strict=True):
            try:
                found = self._found(directory + target) or self.objects.copy(source, directory + target)
            except NotFoundError:
                faults.append(Fault(place, f"{source!r} is not there; upload it, and submit it again"))
            else:
                seals.append(Seal(found.size, found.etag))
        if faults:
            raise InvalidInputError(faults)
        return seals

    def publish(self, workset: Workset) -> None:
        """See SentinelStore.publish."""
        directory = self._directory(workset.workset_id)
        uri = self.objects.location(directory)
        files = {
            WORK: work_yaml.render(workset, bucket_uri=uri),
            INFO: info_yaml.render(workset, bucket_uri=uri),
            STAGE: stage_samples.render(workset),
        }
        keys = [key for _, key in workset.manifest.files()]
        tasks = [partial(self._write_new, directory + name, text) for name, text in files.items()]
        # Where all lies in buckets there is nothing to be listed.
        hold = self._write_new if keys and all(map(_is_afar, keys)) else self._write_if_empty
        tasks.append(partial(hold, directory + HOLD, ""))
        self._at_once(tasks)

    def post(self, workset_id: str, sentinel: Sentinel, body: SentinelBody) -> bool:
        """See SentinelStore.post."""
        key = self._directory(workset_id) + sentinel
        content = body.render().encode()
        for _ in range(_LOOKS):
            with suppress(ConflictError):
                created = self.objects.put(key, content, if_absent=True)
                self._seen.note(key, SeenSentinel(created.etag, SentinelBody.parse(content.decode())))
                return True
            with suppress(NotFoundError):  # removed since: so it can be created after all
                etag = self.objects.info(key).etag
                if self._start_of(key, len(content) + 1) == content:
                    return True
                standing = self._body(key)
                # Were an earlier one of ours left to stand, a withdrawal on its way could take it.
                if standing.sequence is None or standing.sequence >= (body.sequence or 0):
                    return False
                if self.objects.replace(key, content, if_etag=etag):
                    self._seen.forget([key])
                    return True
        # What has the name is no object (a folder, say), or comes and goes: it is not ours.
        return False

    def withdraw(self, workset_id: str, sentinel: Sentinel, sequence: int) -> None:
        """See SentinelStore.withdraw."""
        self.withdraw_all(workset_id, {sentinel: sequence})

    def withdraw_all(self, workset_id: str, stale: Mapping[Sentinel, int]) -> None:
        """See SentinelStore.withdraw_all."""
        directory = self._directory(workset_id)
        left = {directory + sentinel: sequence for sentinel, sequence in stale.items()}
        for _ in range(_LOOKS):
            etags = dict(self._withdrawable(left))
            removed = self.objects.delete_all(etags)
            self._seen.forget(etags)
            # Those that were not as we knew them: somebody was at them meanwhile.
            left = {key: left[key] for key in etags.keys() - set(removed)}
            if not left:
                return

    def _withdrawable(self, stale: Mapping[str, int]) -> Iterator[tuple[str, str]]:
        """Yield key and etag of those that are ours, and not of a later transition."""
        for key, sequence in stale.items():
            seen = self._seen.get(key)
            # Only to remove it may be done on an old word: that is conditional on the etag.
            if seen is None or not seen.ours_until(sequence):
                try:
                    seen = self._standing(key)
                except NotFoundError:
                    continue
            if seen.ours_until(sequence):
                yield key, seen.etag

    def look(self, workset_id: str) -> Folder:
        """See SentinelStore.look."""
        directory = self._directory(workset_id)
        entries = every(lambda cursor: self.objects.browse(directory, cursor=cursor))
        listed = {_key_of(entry).removeprefix(directory): entry for entry in entries}
        names = set(listed)
        sentinels: dict[Sentinel, SentinelBody] = {}
        locked_at = None
        for sentinel in Sentinel:
            info = listed.get(sentinel)
            if isinstance(info, ObjectInfo):
                try:
                    body = self._seen_or_read(info)
                    if sentinel is Sentinel.LOCK and not body.ours:
                        locked_at = self.objects.info(info.key).modified_at
                    sentinels[sentinel] = body
                except NotFoundError:  # removed since the listing
                    names.discard(sentinel)
        return Folder(sentinels=sentinels, names=frozenset(names), locked_at=locked_at)

    def directories(self, *, cursor: str | None = None) -> Page[str]:
        """
        See SentinelStore.directories.

        In the order of their keys.
        """
        page = self.objects.entries(self.prefix, cursor=cursor)
        folders = tuple(key[len(self.prefix) : -1] for key in page.items if key.endswith("/"))
        return Page(folders, page.cursor)

    def ready_since(self, name: str) -> datetime | None:
        """See SentinelStore.ready_since."""
        try:
            return self.objects.info(f"{self.prefix}{name}/{Sentinel.READY}").modified_at
        except NotFoundError:
            return None

    def shown(self, *, cursor: str | None = None) -> Page[Shown]:
        """
        See SentinelStore.shown.

        Everything below the prefix is listed but for results, which are by far the most: no listing of
        S3 is of names at two levels alone, but it can do without one kind of folder.
        """
        after, name, listed = (None, "", "") if cursor is None else decode_cursor("shown", cursor, 3)
        page = self.objects.list(self.prefix, cursor=after, limit=_LISTED, without=_RESULTS)
        # A page may end in the midst of a directory: what was seen of it goes on with the cursor.
        names = set(listed.split(","))
        found: list[Shown] = []
        for info in page.items:
            workset_id, _, rest = info.key.removeprefix(self.prefix).partition("/")
            if workset_id != name:
                found += _shown(name, names)
                name, names = workset_id, set()
            first, slash, _ = rest.partition("/")
            names.add(first + slash)
        if page.cursor is None:
            return Page((*found, *_shown(name, names)))
        listed = ",".join(sorted(names & _TELLING))
        return Page(tuple(found), encode_cursor("shown", page.cursor, name, listed))

    def changed(self, mark: str | None) -> str | None:
        """See SentinelStore.changed."""
        return self.objects.changed(self.prefix, mark)

    def read(self, workset_id: str) -> DroppedWorkset:
        """See SentinelStore.read."""
        directory = self._directory(workset_id)
        faults: list[Fault] = []
        work = self._parsed(
            directory, WORK, lambda data: work_yaml.parse(data, default_name=workset_id), faults
        )
        samples: tuple[Sample, ...] = ()
        if self._there(directory + STAGE):
            sheet = self._parsed(directory, STAGE, stage_samples.parse, faults) or ()
            samples = _with_coverage(sheet, work.samples if work else ())
        elif work:
            samples = work.samples
            if not samples:
                faults.append(Fault(STAGE, f"is missing, and {WORK} lists no samples"))
        pipeline = work_yaml.pipeline_of(work) if work else None
        if work and not pipeline:
            faults.append(Fault(f"{WORK}, pipeline", "is missing: say which pipeline is to be run"))
        faults += self._missing_files(directory, samples)
        if faults or work is None or not pipeline:
            raise InvalidInputError(faults)
        return DroppedWorkset(
            manifest=Manifest(
                samples=samples, pipeline=pipeline, reference_genome=work.reference_genome
            ),
            name=work.name,
            priority=work.priority,
            max_retries=work.max_retries,
            notification_email=work.notification_email,
            requirements=work.requirements,
            for_us=work.pipeline is not None,
        )

    def recorded(self, workset_id: str) -> Recorded:
        """See SentinelStore.recorded."""
        directory = self._directory(workset_id)
        faults: list[Fault] = []
        work = self._parsed(
            directory, WORK, lambda data: work_yaml.parse(data, default_name=workset_id), faults
        )
        unsound: list[Fault] = []
        sheet = self._parsed(directory, STAGE, stage_samples.parse, unsound)
        if work and sheet is None and not work.samples and _lists_none(unsound):
            sheet = ()  # it was registered without samples
        if sheet is None:
            faults += unsound
        pipeline = work_yaml.pipeline_of(work) if work else None
        if work and not pipeline:
            faults.append(Fault(f"{WORK}, pipeline", "is missing"))
        if faults or work is None or sheet is None or not pipeline:
            raise InvalidInputError(faults)
        info = self._info(directory)
        return Recorded(
            manifest=Manifest(
                samples=_with_coverage(sheet, work.samples),
                pipeline=pipeline,
                reference_genome=work.reference_genome,
            ),
            name=work.name,
            priority=work.priority,
            max_retries=MAX_RETRIES if work.max_retries is None else work.max_retries,
            notification_email=work.notification_email,
            requirements=work.requirements,
            workset_id=info.workset_id,
            customer_id=info.customer_id,
            submitted_by=info.submitted_by,
            created_at=info.created_at,
        )

    def commands(self, workset_id: str) -> Mapping[str, tuple[str, ...]]:
        """See SentinelStore.commands."""
        faults: list[Fault] = []
        directory = self._directory(workset_id)
        work = self._parsed(
            directory, WORK, lambda data: work_yaml.parse(data, default_name=workset_id), faults
        )
        found: dict[str, tuple[str, ...]] = {}
        for name, text in (
            ("day_clone", work.clone_args if work else None),
            ("dy_r", work.run_command if work else None),
        ):
            try:
                found |= {name: work_yaml.plain_words(text, workset_id)} if text else {}
            except ValueError as error:
                faults.append(Fault(f"{WORK}, {name}", str(error)))
        if faults:
            raise InvalidInputError(faults)
        return found

    def _info(self, directory: str) -> info_yaml.InfoFile:
        try:
            return info_yaml.parse(self._start_of(directory + INFO, MAX_BYTES + 1))
        except NotFoundError:
            return info_yaml.InfoFile()

    def _directory(self, workset_id: str) -> str:
        return f"{self.prefix}{check_id(workset_id)}/"

    def _entries(self, folder: str) -> Iterator[str]:
        return every(lambda cursor: self.objects.entries(folder, cursor=cursor))

    def _there(self, key: str) -> bool:
        return self._found(key) is not None

    def _found(self, key: str) -> ObjectInfo | None:
        try:
            return self.objects.info(key)
        except NotFoundError:
            return None

    def _write_new(self, key: str, text: str) -> None:
        # Something else may have the name already, be it a folder: then that is how it is.
        with suppress(ConflictError):
            self.objects.put(key, text.encode(), if_absent=True)

    def _write_if_empty(self, key: str, text: str) -> None:
        if not self.objects.list(f"{key.rpartition('/')[0]}/", limit=1).items:
            self._write_new(key, text)

    def _at_once(self, tasks: Sequence[Callable[[], None]]) -> None:
        if self.threads == 1:
            for task in tasks:
                task()
            return
        with ThreadPoolExecutor(min(self.threads, len(tasks)), "files") as pool:
            for done in [pool.submit(task) for task in tasks]:
                done.result()

    def _start_of(self, key: str, length: int, *, if_etag: str | None = None) -> bytes:
        with self.objects.open(key, if_etag=if_etag) as stream:
            return stream.read(length)

    def _seen_or_read(self, info: ObjectInfo) -> SentinelBody:
        """Return what a listed sentinel says; its etag tells whether that is what it said last time."""
        seen = self._seen.get(info.key)
        if seen is not None and seen.etag == info.etag:
            return seen.body
        try:
            body = self._body(info.key, if_etag=info.etag)
        except ConcurrentUpdateError:  # replaced since the listing
            return self._standing(info.key).body
        self._seen.note(info.key, SeenSentinel(info.etag, body))
        return body

    def _standing(self, key: str) -> SeenSentinel:
        """Read the sentinel that stands there, and take note of it."""
        # The etag first: what is read is then that object, or a delete of that etag refuses.
        etag = self.objects.info(key).etag
        seen = SeenSentinel(etag, self._body(key))
        self._seen.note(key, seen)
        return seen

    def _body(self, key: str, *, if_etag: str | None = None) -> SentinelBody:
        text = self._start_of(key, _BODY_BYTES, if_etag=if_etag).decode(errors="replace")
        return SentinelBody.parse(text)

    def _parsed(
        self, directory: str, name: str, parse: Callable[[bytes], T], faults: list[Fault]
    ) -> T | None:
        """Return what a file says, or None, and add to *faults* why."""
        try:
            # One byte more than is taken, so that the parser sees that there is too much.
            return parse(self._start_of(directory + name, MAX_BYTES + 1))
        except NotFoundError:
            faults.append(Fault(name, "is missing"))
        except InvalidInputError as error:
            faults += [
                Fault(f"{name}, {fault.place}" if fault.place else name, fault.message)
                for fault in error.faults
            ]
        return None

    def _missing_files(self, directory: str, samples: Iterable[Sample]) -> Iterator[Fault]:
        """Yield a fault for each FASTQ file that is not there; what lies in a bucket is passed over."""
        keys = [key for _, key in Manifest(samples=tuple(samples), pipeline="any").files()]
        here = [key for key in keys if not _is_afar(key)]
        # A listing for each folder, of which there is one or two, rather than a question for each file.
        present: set[str] = set()
        for folder in {key.rpartition("/")[0] for key in here}:
            inside = f"{directory}{folder}/" if folder else directory
            present.update(self._entries(inside))
        for key in here:
            if directory + key not in present:
                try:
                    self.objects.info(directory + key)
                except NotFoundError as error:
                    yield Fault(key, f"is not in the workset's directory ({error})")


def _key_of(entry: ObjectInfo | str) -> str:
    return entry if isinstance(entry, str) else entry.key


def _is_afar(key: str) -> bool:
    return key.startswith("s3://")


def _shown(workset_id: str, names: set[str]) -> Iterator[Shown]:
    if is_id(workset_id):
        standing = frozenset(sentinel for sentinel in Sentinel if sentinel in names)
        yield Shown(workset_id=workset_id, sentinels=standing, whole=names >= FILES)


def _lists_none(faults: Iterable[Fault]) -> bool:
    """Tell whether nothing is wrong with a sheet but that it lists no samples."""
    return [fault.place for fault in faults] == [f"{STAGE}, samples"]


def _with_coverage(sheet: Iterable[Sample], work: Iterable[Sample]) -> tuple[Sample, ...]:
    """Return the samples of the sheet, which has no column for coverage, with that of the YAML file."""
    coverage = {sample.sample_id: sample.coverage for sample in work}
    return tuple(evolve(sample, coverage=coverage.get(sample.sample_id)) for sample in sheet)
