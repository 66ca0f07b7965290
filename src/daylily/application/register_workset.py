"""Take in a workset under an id of the caller's; its files stand in its directory or in a bucket."""

import logging
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from attrs import evolve, frozen

from daylily.application.estimate_cost import EstimateCost
from daylily.application.ledger import Ledger
from daylily.application.places import Places
from daylily.application.strays import RefuseStrays
from daylily.application.submit_workset import Submission, faults_of_words
from daylily.domain.clusters import Requirements
from daylily.domain.errors import (
    AlreadyExistsError,
    ConflictError,
    Fault,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
)
from daylily.domain.lifecycle import Priority
from daylily.domain.manifest import Manifest, Sample, reference_genome
from daylily.domain.names import ID_RULE, is_id
from daylily.domain.pipelines import PipelineRegistry
from daylily.domain.sentinels import Sentinel, SentinelBody
from daylily.domain.workset import MAX_RETRIES, Workset
from daylily.ports.clock import Chance, Clock
from daylily.ports.object_store import ObjectStore
from daylily.ports.paging import every
from daylily.ports.sentinel_store import SentinelStore

PIPELINE: Final = "germline"
"""What systems of old took a workset for that names no pipeline (contract 2.8)."""
GENOME: Final = "GRCh38"

_log = logging.getLogger(__name__)


@frozen(kw_only=True)
class Registration:
    """What is said of a workset, as it was written: nothing has been checked."""

    workset_id: str
    customer_id: str
    submitted_by: str
    name: str
    samples: tuple[Sample, ...] = ()
    """Their FASTQ keys are relative to the workset's directory, or ``s3://``. None: it lists them."""
    pipeline: str | None = None
    reference_genome: str | None = None
    priority: str = "normal"
    notification_email: str | None = None
    max_retries: int = MAX_RETRIES
    requirements: Requirements = Requirements()


@frozen(kw_only=True)
class RegisterWorkset:
    """
    Register a workset under an id that the caller chose.

    Its files stay where they are. Which pipelines this installation can run itself is not asked:
    another monitor of the same stores may have the command.

    A workset without samples has those that its directory lists when it is launched.
    """

    ledger: Ledger
    sentinels: SentinelStore
    objects: ObjectStore
    places: Places
    pipelines: PipelineRegistry
    estimate: EstimateCost
    clock: Clock
    chance: Chance

    def __call__(self, registration: Registration, *, directory: bool = True) -> Workset:
        """
        Store the workset, ready to run, and show it in its directory.

        An object store that is away is no reason to refuse: any monitor writes the directory later.

        Args:
            directory: False leaves the directory to monitors from the start.

        Raises:
            AlreadyExistsError: There is one of that id, in the store or in the directory; it is left
                as it is. Where no file was to be looked for in the directory, that may show only when
                it is written: the workset is canceled then, and never runs with another's files.
            InvalidInputError: Something is wrong; every fault is listed, nothing is stored.
            UnavailableError: The state store does not answer.
        """
        self._check(registration)
        unseen = _lies_elsewhere(registration) and directory
        if not unseen:
            try:
                registration = self._seen(registration)
            except UnavailableError as error:
                name = registration.workset_id
                _log.warning("%s: taken without a look at its files: %s", name, error)
        workset = self._workset(registration)
        return self.ledger.register(workset, directory=directory, unseen=unseen)

    def drop(self, registration: Registration) -> Workset:
        """
        Write the directory alone, as people drop one by hand: whichever monitor finds it imports it.

        Raises:
            AlreadyExistsError: There is one of that id, in the store or in the directory; it is left
                as it is.
            ConflictError: The directory has files that say otherwise.
            InvalidInputError: Something is wrong; every fault is listed, nothing is written.
            UnavailableError: The object store does not answer. Without its ``daylily.ready`` nobody
                takes what may have been written: try again.
        """
        self._check(registration)
        registration = self._seen(registration)
        workset = self._workset(registration)
        workset_id = workset.workset_id
        if not workset.manifest.samples:
            where = "name them, or put a daylily_work.yaml into the directory that does"
            raise InvalidInputError.of("samples", f"there are none: {where}")
        if self.ledger.store.known([workset_id]):
            raise AlreadyExistsError(f"there is a workset {workset_id} already")
        self.sentinels.publish(workset)
        if self._told(self.sentinels.read(workset_id).manifest) != self._told(workset.manifest):
            raise ConflictError(f"the directory of {workset_id} has files that say otherwise")
        # Two who do the same at once must not write the same: each would take it for its own.
        mark = f"registered by {registration.submitted_by}, {self.chance.token()}"
        body = SentinelBody(workset.created_at, mark)
        if not self.sentinels.post(workset_id, Sentinel.READY, body):
            raise AlreadyExistsError(f"there is a {Sentinel.READY} of {workset_id} already")
        if self.ledger.store.known([workset_id]):
            # Somebody was quicker with the table, and theirs is what runs.
            self._take_back(workset_id, body)
            raise AlreadyExistsError(f"there is a workset {workset_id} already")
        return workset

    def _take_back(self, workset_id: str, body: SentinelBody) -> None:
        """Remove the sentinel that we have just put there, unless somebody has replaced it since."""
        key = self.places.directory(workset_id) + Sentinel.READY
        with suppress(NotFoundError):
            etag = self.objects.info(key).etag
            with self.objects.open(key, if_etag=etag) as stream:
                ours = stream.read() == body.render().encode()
            if ours:
                self.objects.delete(key, if_etag=etag)

    def _check(self, registration: Registration) -> None:
        """Check all that can be checked without looking at files."""
        faults = [
            Fault(place, f"{value[:80]!r} is not an id: {ID_RULE}")
            for place, value in (
                ("workset_id", registration.workset_id),
                ("customer_id", registration.customer_id),
            )
            if not is_id(value)
        ]
        # Which pipeline is meant may be the directory's to say.
        words = Submission(
            name=registration.name,
            pipeline="",
            samples=registration.samples,
            reference_genome=registration.reference_genome or GENOME,
            priority=registration.priority,
            notification_email=registration.notification_email,
            max_retries=registration.max_retries,
            requirements=registration.requirements,
        )
        faults += faults_of_words(words, None)
        try:
            self.pipelines.get(registration.pipeline or PIPELINE)
        except InvalidInputError as error:
            faults += error.faults
        manifest = Manifest(samples=registration.samples, pipeline="any")
        if registration.samples:
            faults += manifest.faults()
        if faults:
            raise InvalidInputError(faults)
        RefuseStrays(self.objects, self.places)(
            manifest, registration.workset_id, registration.customer_id
        )

    def _seen(self, registration: Registration) -> Registration:
        """Return the registration with what its directory says, after a look at what it needs of it."""
        folder = self.sentinels.look(registration.workset_id)
        if folder.sentinels:
            shown = ", ".join(sorted(folder.sentinels))
            raise AlreadyExistsError(f"the directory of {registration.workset_id} has {shown} already")
        if registration.samples:
            faults = list(self._missing(registration))
            if faults:
                raise InvalidInputError(faults)
            return registration
        if not folder.names:
            _log.warning("%s: registered without samples", registration.workset_id)
            return registration
        dropped = self.sentinels.read(registration.workset_id).manifest
        found = evolve(
            registration,
            samples=dropped.samples,
            pipeline=registration.pipeline or dropped.pipeline,
            reference_genome=registration.reference_genome or dropped.reference_genome,
        )
        self._check(found)
        return found

    def _missing(self, registration: Registration) -> Iterator[Fault]:
        directory = self.places.directory(registration.workset_id)
        manifest = Manifest(samples=registration.samples, pipeline="any")
        here = [(place, directory + key) for place, key in manifest.files() if _is_here(key)]
        # A listing for each folder, of which there is one or two, rather than a question for each file.
        present: set[str] = set()
        for folder in {key.rpartition("/")[0] for _, key in here}:
            present.update(self._entries(f"{folder}/"))
        for place, key in here:
            if key not in present:
                name = key.removeprefix(directory)
                yield Fault(place, f"{name!r} is not in the workset's directory; upload it first")

    def _entries(self, folder: str) -> Iterator[str]:
        return every(lambda cursor: self.objects.entries(folder, cursor=cursor))

    def _workset(self, registration: Registration) -> Workset:
        priority = Priority(registration.priority)
        manifest = Manifest(
            samples=registration.samples,
            pipeline=self.pipelines.get(registration.pipeline or PIPELINE).name,
            reference_genome=reference_genome(registration.reference_genome or GENOME),
        )
        return Workset.register(
            workset_id=registration.workset_id,
            customer_id=registration.customer_id,
            name=registration.name,
            manifest=manifest,
            at=self.clock(),
            actor=registration.submitted_by,
            priority=priority,
            notification_email=registration.notification_email,
            max_retries=registration.max_retries,
            requirements=registration.requirements,
            estimate=self.estimate.of(manifest, priority),
        )

    def _told(self, manifest: Manifest) -> tuple[object, ...]:
        """Return what files tell of a manifest, whoever wrote them."""
        ids = tuple(sample.sample_id for sample in manifest.samples)
        pipeline = self.pipelines.get(manifest.pipeline).name
        return ids, tuple(manifest.files()), pipeline, manifest.reference_genome


def _lies_elsewhere(registration: Registration) -> bool:
    """Tell whether all its files are in buckets, so that nothing needs to be in its directory."""
    keys = [key for sample in registration.samples for key in _keys(sample)]
    return bool(registration.samples) and not any(map(_is_here, keys))


def _keys(sample: Sample) -> Iterator[str]:
    return (key for pair in sample.pairs for _, key in pair.files())


def _is_here(key: str) -> bool:
    return not key.startswith("s3://")
