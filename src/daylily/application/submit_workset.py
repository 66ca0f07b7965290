"""Take a workset in: everything is checked before anything is stored."""

import contextlib
import logging
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import chain
from typing import Final

from attrs import evolve, frozen

from daylily.application.estimate_cost import EstimateCost
from daylily.application.inputs import S3, Inputs
from daylily.application.ledger import Ledger
from daylily.application.places import Places
from daylily.application.storage_quota import StorageQuota
from daylily.application.workers import Workers
from daylily.domain.clusters import Requirements
from daylily.domain.customers import Principal
from daylily.domain.debts import CopyFiles
from daylily.domain.errors import (
    AlreadyExistsError,
    Fault,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
)
from daylily.domain.lifecycle import Priority
from daylily.domain.manifest import FastqPair, Manifest, Sample, Seal, reference_genome
from daylily.domain.names import is_id, mint_id
from daylily.domain.pipelines import PipelineRegistry
from daylily.domain.workset import MAX_RETRIES, Workset
from daylily.ports.clock import Chance, Clock
from daylily.ports.customers import Customers
from daylily.ports.object_store import ObjectInfo, ObjectStore

OWED: Final = 100_000
"""Characters in all names of files that may be owed: they are noted in the row, which is small."""
HEAD_BYTES: Final = 65536
"""How much of each file is looked into at the door."""

HeadCheck = Callable[[str, str, bytes], list[Fault]]
"""Given a place, a file name and the first bytes of the file: what is wrong with them as FASTQ."""

_log = logging.getLogger(__name__)

_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}")
_TAG: Final = re.compile(r"(?=\S)[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,64}(?<=\S)")
MOST_TAGS: Final = 20
_NAME: Final = re.compile(r"[^\x00-\x1f\x7f]{1,100}")


@frozen(kw_only=True)
class Submission:
    """What a customer asks for, as they wrote it: names may be aliases, nothing has been checked."""

    name: str
    pipeline: str
    samples: tuple[Sample, ...]
    """Their FASTQ keys are relative to the customer's own files."""
    reference_genome: str = "GRCh38"
    priority: str = "normal"
    notification_email: str | None = None
    max_retries: int = MAX_RETRIES
    requirements: Requirements = Requirements()
    tags: tuple[str, ...] = ()


@frozen
class _Look:
    """What a look at a file has shown."""

    faults: Sequence[Fault]
    info: ObjectInfo | None = None
    """None: it is not there."""


@frozen(kw_only=True)
class SubmitWorkset:
    """
    Register a workset of files that the customer has in their space.

    The files are copied into the workset's directory (in the store: no bytes move through here), so
    that it is complete in itself and what happens to the originals later does not touch it.

    An object store that is away is no reason to refuse: the copies are owed, and made when it is back.
    Should files then turn out to be missing, the workset ends in error instead of being launched.
    """

    ledger: Ledger
    objects: ObjectStore
    inputs: Inputs
    customers: Customers
    places: Places
    pipelines: PipelineRegistry
    clusters: Collection[str]
    """Names of those there are; none where that is another installation's to say."""
    estimate: EstimateCost
    quota: StorageQuota
    head_check: HeadCheck
    clock: Clock
    chance: Chance
    workers: Workers = Workers()
    """See to the files of a workset, a few at a time."""

    def __call__(
        self, who: Principal, customer_id: str, submission: Submission, *, seed: str | None = None
    ) -> Workset:
        """
        Store the workset, ready to run, and return it.

        Args:
            seed: Random letters and digits that stand for this one submission, however often it is
                made: the workset of an earlier time is returned as it is by now.

        Raises:
            NotFoundError: There is no such customer for the caller.
            InvalidInputError: Something is wrong with it; every fault is listed, nothing is stored.
            UnavailableError: The state store does not answer, or the object store for a workset of
                very many files. Unless the state store failed to say whether the workset was stored,
                and did not show it either, nothing is.
        """
        self._admit(who, customer_id)
        submission = self._with_own_keys(customer_id, submission)
        if seed is not None and (earlier := self._earlier(who, customer_id, submission, seed)):
            return earlier
        try:
            manifest, priority = self.check(submission)
        except InvalidInputError as error:
            raise InvalidInputError(
                [*error.faults, *self._also(customer_id, submission, error.faults)]
            ) from None
        workset_id = mint_id(submission.name, seed or self.chance.token())
        placed = _in_workset(manifest)
        placed, copies = self._gather(customer_id, manifest, placed, self.places.directory(workset_id))
        workset = Workset.register(
            workset_id=workset_id,
            customer_id=customer_id,
            name=submission.name,
            manifest=placed,
            at=self.clock(),
            actor=who.name,
            priority=priority,
            notification_email=submission.notification_email,
            max_retries=submission.max_retries,
            requirements=submission.requirements,
            tags=submission.tags,
            estimate=self.estimate.of(placed, priority),
            copies=copies,
        )
        if copies:
            workset = workset.with_wait("the object store, to have its files copied")
        # Should this fail, the copies stay: a write that was late may yet make the workset appear.
        try:
            return self.ledger.register(workset, directory=copies is None)
        except AlreadyExistsError:
            # The same submission, made at the same time; both have copied the same files.
            if seed is None or not (earlier := self._earlier(who, customer_id, submission, seed)):
                raise
            return earlier

    def _earlier(
        self, who: Principal, customer_id: str, submission: Submission, seed: str
    ) -> Workset | None:
        """Return the workset that this very submission has made before, if it has."""
        try:
            found = self.ledger.store.get(mint_id(submission.name, seed))
        except NotFoundError:
            return None
        same = (found.customer_id, found.submitted_by) == (customer_id, who.name)
        return found if same else None

    def faults(self, who: Principal, customer_id: str, submission: Submission) -> Sequence[Fault]:
        """
        Return all that is wrong with a submission, its files included; nothing is stored.

        Of an object store that does not answer, what it would have shown is left out.

        Raises:
            NotFoundError: There is no such customer for the caller.
        """
        self._admit(who, customer_id)
        submission = self._with_own_keys(customer_id, submission)
        faults: Sequence[Fault] = ()
        try:
            self.check(submission)
        except InvalidInputError as error:
            faults = error.faults
        return [*faults, *self._also(customer_id, submission, faults)]

    def check(self, submission: Submission) -> tuple[Manifest, Priority]:
        """
        Check all that can be checked without looking at files.

        Raises:
            InvalidInputError: Something is wrong; every fault is listed.
        """
        faults = list(faults_of_words(submission, self.pipelines, self.clusters))
        # Faults of the words must not hide those of the samples: nothing of these needs a name.
        manifest = Manifest(samples=submission.samples, pipeline=submission.pipeline)
        faults += manifest.faults()
        if faults:
            raise InvalidInputError(faults)
        manifest = evolve(
            manifest,
            pipeline=self.pipelines.get(submission.pipeline).name,
            reference_genome=reference_genome(submission.reference_genome),
        )
        return manifest, Priority(submission.priority)

    def _with_own_keys(self, customer_id: str, submission: Submission) -> Submission:
        """Return a submission in which the store's own addresses of the customer's files are keys."""
        manifest = Manifest(samples=submission.samples, pipeline=submission.pipeline)
        if not any(key.startswith(S3) for _, key in manifest.files()):
            return submission
        own = self.objects.location(self.places.folder(customer_id)).rstrip("/") + "/"

        def pair(old: FastqPair) -> FastqPair:
            r2 = None if old.r2 is None else old.r2.removeprefix(own)
            return evolve(old, r1=old.r1.removeprefix(own), r2=r2)

        samples = (evolve(old, pairs=tuple(map(pair, old.pairs))) for old in submission.samples)
        return evolve(submission, samples=tuple(samples))

    def _admit(self, who: Principal, customer_id: str) -> None:
        if not who.sees(customer_id):
            raise NotFoundError(f"there is no customer {customer_id}")
        self.customers.get(customer_id)

    def _also(
        self, customer_id: str, submission: Submission, known: Sequence[Fault]
    ) -> Sequence[Fault]:
        """Return what is wrong with files whose names are sound, for nobody to come back for it."""
        told = {fault.place for fault in known}
        if "samples" in told:
            return ()  # there are none, or more than anybody should have looked up
        manifest = Manifest(samples=submission.samples, pipeline=submission.pipeline)
        sound = [(place, key) for place, key in manifest.files() if place not in told]
        found = [*self._elsewhere(customer_id, sound)]
        with contextlib.suppress(UnavailableError):
            found += _faults(self._look(customer_id, sound))
        return found

    def _gather(
        self, customer_id: str, manifest: Manifest, placed: Manifest, directory: str
    ) -> tuple[Manifest, CopyFiles | None]:
        """
        Check files, copy them to their places and seal them; return what is still owed of it.

        Raises:
            InvalidInputError: Something is wrong with the files.
            QuotaError: The customer has no room for the copies.
            UnavailableError: There are too many to owe.
        """
        files = [*manifest.files()]
        elsewhere = [*self._elsewhere(customer_id, files)]
        try:
            looks = self._look(customer_id, files)
        except UnavailableError as error:
            if elsewhere:
                raise InvalidInputError(elsewhere) from error
            return placed, self._owed(customer_id, manifest, error)
        if faults := [*elsewhere, *_faults(looks)]:
            raise InvalidInputError(faults)
        known = [look.info for look in looks if look.info is not None]
        try:
            if self.quota.bounds(customer_id):
                # Before anything is copied: what stands at those places may be this very workset's.
                self.quota.take(customer_id, sum(info.size for info in known))
            targets = [directory + key for _, key in placed.files()]
            seals = self._copy(customer_id, manifest, known, targets)
        except UnavailableError as error:
            return placed, self._owed(customer_id, manifest, error)
        return placed.sealed(seals), None

    def _elsewhere(self, customer_id: str, files: Iterable[tuple[str, str]]) -> Iterator[Fault]:
        for place, key in files:
            if not self.inputs.allows(customer_id, key):
                yield Fault(place, f"{key!r} is not among your files; upload it first")

    def _owed(self, customer_id: str, manifest: Manifest, error: UnavailableError) -> CopyFiles:
        if any(key.startswith(S3) for _, key in manifest.files()):
            raise error  # whoever pays later may not look there
        sources = tuple(self.places.file(customer_id, key) for _, key in manifest.files())
        if sum(map(len, sources)) > OWED:
            raise error
        _log.warning("%s files of %s are to be copied later: %s", len(sources), customer_id, error)
        return CopyFiles(sources)

    def _look(self, customer_id: str, files: Iterable[tuple[str, str]]) -> Sequence[_Look]:
        """Look at those of the files that the customer may name, in their order."""

        def look(file: tuple[str, str]) -> _Look:
            place, key = file
            try:
                found = self.inputs.peek(customer_id, key, HEAD_BYTES)
            except NotFoundError:
                missing = "is not there" if key.startswith(S3) else "is not among your files"
                return _Look([Fault(place, f"{key!r} {missing}; upload it first")])
            return _Look(self.head_check(place, key, found.start), found.info)

        return self.workers.each(
            look, [each for each in files if self.inputs.allows(customer_id, each[1])]
        )

    def _copy(
        self,
        customer_id: str,
        manifest: Manifest,
        known: Sequence[ObjectInfo],
        targets: Sequence[str],
    ) -> list[Seal]:
        def copy(move: tuple[tuple[str, str], ObjectInfo, str]) -> Seal:
            (_, key), info, target = move
            copied = self.inputs.copy(customer_id, key, target, known=info)
            return Seal(copied.size, copied.etag)

        try:
            return self.workers.each(copy, [*zip(manifest.files(), known, targets, strict=True)])
        except NotFoundError:
            # It was there a moment ago. Nobody has heard of the workset yet: leave nothing behind.
            for key in targets:
                with contextlib.suppress(UnavailableError):
                    self.objects.delete(key)
            raise


def _faults(looks: Iterable[_Look]) -> Iterator[Fault]:
    return chain.from_iterable(look.faults for look in looks)


def faults_of_words(
    submission: Submission, pipelines: PipelineRegistry | None, clusters: Collection[str] = ()
) -> Iterator[Fault]:
    """
    Yield what is wrong with all but the samples.

    Args:
        pipelines: None where it is another installation's to say which there are.
        clusters: Names of those there are; none where that is another installation's to say.
    """
    if not _NAME.fullmatch(submission.name) or not submission.name.strip():
        yield Fault("workset_name", "must be 1 to 100 printable characters")
    if pipelines is not None:
        yield from _faults_of_pipeline(submission.pipeline, pipelines)
    try:
        reference_genome(submission.reference_genome)
    except InvalidInputError as error:
        yield from error.faults
    if submission.priority not in {*Priority, "high"}:
        known = ", ".join(Priority)
        yield Fault("priority", f"{submission.priority[:40]!r} is not one of {known}")
    if not 0 <= submission.max_retries <= 10:
        yield Fault("max_retries", f"{submission.max_retries} is not from 0 to 10")
    yield from submission.requirements.faults()
    wanted = submission.requirements.cluster
    if wanted is not None and is_id(wanted) and clusters and wanted not in clusters:
        text = f"{wanted!r} is not a cluster here; use one of {', '.join(sorted(clusters))}"
        yield Fault("preferred_cluster", text)
    yield from faults_of_tags(submission.tags)
    email = submission.notification_email
    if email is not None and not _EMAIL.fullmatch(email):
        yield Fault("notification_email", f"{email[:80]!r} is not an e-mail address")


def faults_of_tags(tags: Sequence[str]) -> Iterator[Fault]:
    """Yield what is wrong with words by which a workset is to be found again."""
    if len(tags) > MOST_TAGS:
        yield Fault("tags", f"are {len(tags)}; a workset has at most {MOST_TAGS}")
    for index, tag in enumerate(tags[:MOST_TAGS]):
        if not _TAG.fullmatch(tag):
            yield Fault(
                f"tags[{index}]", "must be 1 to 64 printable characters, none at its ends blank"
            )


def _faults_of_pipeline(name: str, pipelines: PipelineRegistry) -> Iterator[Fault]:
    try:
        found = pipelines.get(name)
    except InvalidInputError as error:
        yield from error.faults
    else:
        if not found.runs_here:
            text = f"{found.name} is not set up to run here: it needs a command in the settings"
            yield Fault("pipeline", f"{text}; runnable are: {', '.join(pipelines.runnable) or 'none'}")


def _in_workset(manifest: Manifest) -> Manifest:
    """Return the manifest with each file at its place in the workset's directory."""
    taken: set[str] = set()

    def place(key: str) -> str:
        name = key.rpartition("/")[2]
        target, number = f"sample_data/{name}", 1
        while target in taken:
            number += 1
            target = f"sample_data/{number}_{name}"
        taken.add(target)
        return target

    def moved(pair: FastqPair) -> FastqPair:
        return evolve(pair, r1=place(pair.r1), r2=place(pair.r2) if pair.r2 is not None else None)

    samples = (evolve(sample, pairs=tuple(map(moved, sample.pairs))) for sample in manifest.samples)
    return evolve(manifest, samples=tuple(samples))
