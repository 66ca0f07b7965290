"""A submission in the making: the source and the options together, checked down to each file's head."""

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from attrs import evolve, frozen

from daylily.adapters.formats.fastq_head import HEAD_BYTES, faults_of_head
from daylily.adapters.formats.work_yaml import WorkFile
from daylily.application.submit_workset import Submission
from daylily.domain.clusters import Requirements
from daylily.domain.errors import Fault, InvalidInputError
from daylily.domain.manifest import FastqPair, Manifest, Sample
from daylily.domain.names import key_fault
from daylily.entrypoints.cli import sources
from daylily.entrypoints.cli.roots import Root, resolved

_NAME_LENGTH: Final = 100
_ADVICE: Final = re.compile(r"; (?:give it relative|it is not in|paths start at) | \(line ")


@frozen(kw_only=True)
class Choices:
    """What the options say; None leaves it to the source."""

    name: str | None = None
    pipeline: str | None = None
    reference: str | None = None
    priority: str | None = None
    email: str | None = None
    max_retries: int | None = None
    cluster: str | None = None
    zone: str | None = None
    time_limit: timedelta | None = None
    data_root: Path | None = None
    single_end: bool = False


@frozen(kw_only=True)
class Draft:
    """A submission whose files are still on this machine."""

    submission: Submission
    """Its keys are relative to the data root."""
    paths: Mapping[str, Path]
    """Where the file of each key of the submission is."""
    ignored: tuple[str, ...] = ()
    """Keys and columns of the source that mean nothing to us."""
    left_out: tuple[str, ...] = ()
    """FASTQ files that lie there and belong to no sample; folders of such end in '/'."""

    @property
    def warnings(self) -> Iterator[str]:
        """What people should know before this is run."""
        folders = [each for each in self.left_out if each.endswith("/")]
        files = [each for each in self.left_out if not each.endswith("/")]
        if self.ignored:
            yield f"ignored, since daylily knows no such key or column: {', '.join(self.ignored)}"
        if files:
            yield f"left out, since they belong to no sample: {', '.join(files)}"
        if folders:
            yield f"left out: FASTQ files in {', '.join(folders)}; to run these, name their folder"

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(path.stat().st_size for path in self.paths.values())

    def moved(self, prefix: str) -> Submission:
        """Return the submission with every key under *prefix*."""

        def pair(old: FastqPair) -> FastqPair:
            return evolve(old, r1=prefix + old.r1, r2=prefix + old.r2 if old.r2 is not None else None)

        def sample(old: Sample) -> Sample:
            return evolve(old, pairs=tuple(map(pair, old.pairs)))

        return evolve(self.submission, samples=tuple(map(sample, self.submission.samples)))


def prepare(
    path: Path,
    choices: Choices,
    *,
    max_retries: int,
    faults_of: Callable[[Submission], Iterable[Fault]],
) -> Draft:
    """
    Read and check a source; nothing is written anywhere.

    Args:
        max_retries: What holds where neither the options nor the source say.
        faults_of: Says what is wrong with all but the samples.

    Raises:
        InvalidInputError: Something is wrong; every fault is listed, with its place.
    """
    source = sources.read(path, single_end=choices.single_end, data_root=choices.data_root)
    submission = _submission(source, choices, max_retries)
    faults = [*source.faults, *_faults_of_words(submission, faults_of, source.illegible)]
    keys = {key for _, key in Manifest(samples=source.samples, pipeline="any").files()}
    paths: dict[str, Path] = {}
    for place, key in _files(source):
        found, wrong = _look(place, key, source.root)
        faults += wrong
        if found is not None and key in keys:
            paths[key] = found
    if faults:
        raise InvalidInputError(_once(faults))
    return Draft(
        submission=submission,
        paths=paths,
        ignored=tuple(source.ignored),
        left_out=tuple(source.left_out),
    )


def _submission(source: sources.Source, choices: Choices, max_retries: int) -> Submission:
    said = source.work or WorkFile(name=source.name)
    retries = (each for each in (choices.max_retries, said.max_retries) if each is not None)
    return Submission(
        name=choices.name if choices.name is not None else said.name[:_NAME_LENGTH],
        pipeline=choices.pipeline or said.pipeline or "",
        samples=source.samples,
        reference_genome=choices.reference or said.reference_genome,
        priority=choices.priority or said.priority,
        notification_email=choices.email or said.notification_email,
        max_retries=next(retries, max_retries),
        requirements=Requirements(
            cluster=choices.cluster or said.requirements.cluster,
            availability_zone=choices.zone or said.requirements.availability_zone,
            time_limit=choices.time_limit or said.requirements.time_limit,
        ),
    )


def _faults_of_words(
    submission: Submission, faults_of: Callable[[Submission], Iterable[Fault]], illegible: bool
) -> Iterator[Fault]:
    for fault in faults_of(submission):
        if submission.pipeline or fault.place != "pipeline":
            yield fault
        elif not illegible:
            # Otherwise it may well be named in the file that could not be read.
            yield unnamed(fault)


def unnamed(fault: Fault) -> Fault:
    """Return the fault of a pipeline that was not named at all, given that of a name unknown."""
    known = fault.message.partition(" is not known; ")[2]
    return Fault("pipeline", "is not named: say --pipeline NAME" + (known and f"; {known}"))


def _files(source: sources.Source) -> Iterator[tuple[str, str]]:
    """Yield every file once; also those that only the parser has seen."""
    seen: set[str] = set()
    manifest = Manifest(samples=source.samples, pipeline="any")
    for place, key in (*source.files, *((key, key) for _, key in manifest.files())):
        if key not in seen:
            seen.add(key)
            yield place, key


def _look(place: str, key: str, root: Root) -> tuple[Path | None, Sequence[Fault]]:
    """Return where a file is, or what is wrong with it."""
    if key.startswith("s3://"):
        text = f"{key!r} is in S3: fetch it first; only files of this machine are sent from here"
        return None, [Fault(place, text)]
    if key.startswith("/"):
        text = (
            f"{key!r} is an absolute path; it is not in {root.given}: name a --data-root that holds it"
        )
        return None, [Fault(place, text)]
    if fault := key_fault(key, place):
        return None, [Fault(place, f"{fault.message}; paths start at {root.given} (see --data-root)")]
    try:
        path = resolved(root.real / key)
        if not path.is_relative_to(root.real):
            text = (
                f"{key!r} is a link that leads out of {root.given}: name a --data-root that holds both"
            )
            return None, [Fault(place, text)]
        head = _head(path)
    except FileNotFoundError:
        text = f"{key!r} does not exist in {root.given}: mend the path, or name another --data-root"
        return None, [Fault(place, text)]
    except IsADirectoryError:
        head = None
    except OSError as error:
        return None, [Fault(place, f"{key!r} cannot be read: {error.strerror or error}")]
    if head is None:
        return None, [Fault(place, f"{key!r} is not a file")]
    return path, faults_of_head(place, key, head)


def _head(path: Path) -> bytes | None:
    """Return the first bytes of a file; None if it is none. A pipe is not waited for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:  # noqa: PTH123 - what pathlib opens may block
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        return file.read(HEAD_BYTES)


def _once(faults: Iterable[Fault]) -> list[Fault]:
    """
    Return *faults* without those that only say again what another says of the same place.

    A parser and the look at the files both judge paths; the look also says what to do.
    """
    kept: dict[tuple[str, str], Fault] = {}
    for fault in faults:
        kept[fault.place, _ADVICE.split(fault.message, 1)[0]] = fault
    return list(kept.values())
