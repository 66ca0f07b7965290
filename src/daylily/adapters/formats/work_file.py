"""Reading ``daylily_work.yaml``: all four dialects in the wild (contract 2.7) into one value."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeVar

from attrs import define, evolve, field, frozen

from daylily.adapters.formats import strict_yaml, work_values
from daylily.adapters.formats.reading import CONTROL, LISTED, Faults, KeyOf, Namer, as_written, unnamed
from daylily.adapters.formats.strict_yaml import Dictionary, Node, Scalar
from daylily.adapters.formats.unknown import Unknown, passed_over
from daylily.domain.clusters import Requirements
from daylily.domain.errors import Fault, InvalidInputError
from daylily.domain.lifecycle import Priority
from daylily.domain.manifest import FastqPair, Manifest, Sample, is_fastq

T = TypeVar("T")

# Where a field has several names, the first that is not empty wins: so did the engine of old.
_CLONE: Final = ("day_clone_args", "day-clone", "clone_args", "clone-args", "clone")
_RUN: Final = ("dy_r", "dy-r", "dy", "run", "run_suffix", "run-suffix", "run_cmd", "run-command")
_EXPORT: Final = ("export_uri", "export-uri", "export", "target_export_uri")
_SPOKEN: Final = ("suffix", "args", "cmd", "command")
_SAMPLE_ID: Final = ("sample_id", "id", "name", "sample")
_R1: Final = ("fastq_r1", "r1_file", "r1", "fq1", "fastq_1")
_R2: Final = ("fastq_r2", "r2_file", "r2", "fq2", "fastq_2")
FASTQ_KEYS: Final = (*_R1, *_R2)
"""What names a file, in an entry of ``samples``."""

# What the dialects have that is of no use to us, and what people copy into such a file from others.
_HISTORIC: Final = frozenset({
    "archive_results", "budget", "cluster_name", "cluster_region", "created_at", "created_by_email",
    "customer_id", "data_bucket", "data_buckets", "enable_qc", "manifest_id", "options",
    "resources", "s3_bucket", "s3_prefix", "sample_count", "sample_ids",
    "submitted_at", "submitted_by", "workset", "workset_id", "workset_type",
})  # fmt: skip
_HISTORIC_OF_SAMPLE: Final = frozenset({
    "barcode", "concordance_dir", "experiment_id", "external_id", "library_prep", "n_x", "n_y",
    "negative_control", "platform", "positive_control", "run_id", "sample_type", "status",
    "subsample", "vendor",
})  # fmt: skip


@frozen(kw_only=True)
class WorkFile:
    """What a ``daylily_work.yaml`` says, whichever dialect it speaks."""

    name: str
    priority: Priority = Priority.NORMAL
    pipeline: str | None = None
    """As written; which pipelines there are is the registry's to say. None: the file names none."""
    reference_genome: str = "GRCh38"
    samples: tuple[Sample, ...] = ()
    """Empty where the file leaves them to ``stage_samples.tsv``."""
    max_retries: int | None = None
    notification_email: str | None = None
    requirements: Requirements = Requirements()
    run_command: str | None = None
    """What the engine of old would run. A stranger's text: never to be given to a shell (D-35)."""
    clone_args: str | None = None
    """Likewise."""
    export_uri: str | None = None
    """Likewise; our results go where we say."""
    ignored: tuple[str, ...] = ()
    """Key paths that mean nothing to us, at most a hundred."""


@frozen
class Reading:
    """A file as far as it makes sense, and what does not."""

    file: WorkFile | None
    """None where it is no YAML of ours at all. Where there are faults, what they are of is left out."""
    faults: tuple[Fault, ...] = ()
    name: Namer = field(default=unnamed, eq=False)
    """Says where in the file something of a sample stands."""


def parse(data: bytes, *, default_name: str) -> WorkFile:
    """
    Return what a file says.

    Names of genomes and priorities are turned into the standard ones. Entries of one sample id are
    its lanes. Text is taken as it is written: a sample may be called ``007`` or ``on``.

    Args:
        default_name: The workset's name where the file gives none.

    Raises:
        InvalidInputError: All that is wrong, at its key path; where it is known, with the line.
    """
    reader = _Reader(strict_yaml.read(data))
    file = reader.work_file(default_name)
    reader.faults.refuse()
    return file


def read(data: bytes, *, default_name: str, key_of: KeyOf = as_written) -> Reading:
    """
    Return what somebody hands in, read more strictly than what has been run before.

    A key that looks like a misspelt one of ours is a fault, and so is one that nobody knows and
    that names a FASTQ file in a sample.

    Args:
        default_name: The workset's name where the file gives none.
        key_of: Makes the key of a file of what is written.
    """
    try:
        reader = _Reader(strict_yaml.read(data), strict=True, key_of=key_of)
    except InvalidInputError as error:
        return Reading(None, error.faults)
    file = reader.work_file(default_name)
    try:
        reader.faults.refuse()
    except InvalidInputError as error:
        return Reading(file, error.faults, reader.name)
    return Reading(file, name=reader.name)


@define
class _Fields:
    """A mapping that remembers which of its keys were of use."""

    dictionary: Dictionary
    path: str
    used: set[str] = field(factory=set)

    def find(self, *names: str) -> tuple[str, Node] | None:
        """Return path and value of the first of *names* that is not empty."""
        self.used.update(names)
        for name in names:
            node = self.dictionary.entries.get(name)
            if node is not None and not node.absent:
                return self._at(name), node
        return None

    def line_of(self, *names: str) -> tuple[str, int]:
        """Return path and line for a fault of a field that is one of *names*."""
        found = self.find(*names)
        return (found[0], found[1].line) if found else (self._at(names[0]), self.dictionary.line)

    def given(self, *names: str) -> list[tuple[str, str]]:
        """Return path and text of each of *names* that has a text."""
        nodes = ((name, self.dictionary.entries.get(name)) for name in names)
        return [
            (self._at(name), node.text)
            for name, node in nodes
            if isinstance(node, Scalar) and not node.absent
        ]

    def unused(self, *, of_sample: bool) -> Iterator[Unknown]:
        """Yield the keys that nobody asked for."""
        for name, node in self.dictionary.entries.items():
            if name not in self.used:
                yield Unknown(
                    name,
                    place=self._at(name),
                    shown=self._at(name),
                    note=f" (line {node.line})",
                    has_files=of_sample and isinstance(node, Scalar) and is_fastq(node.text.strip()),
                )

    def _at(self, name: str) -> str:
        shown = strict_yaml.shown(name)
        return f"{self.path}.{shown}" if self.path else shown


@frozen
class _Entry:
    """One entry of ``samples``: one lane of a sample."""

    fields: _Fields
    sample: Sample


@define
class _Reader:
    top: Dictionary
    strict: bool = False
    key_of: KeyOf = as_written
    faults: Faults = field(init=False, factory=Faults)
    _scopes: list[_Fields] = field(init=False)
    _entries: list[_Fields] = field(init=False, factory=list)
    name: Namer = field(init=False, default=unnamed)

    def __attrs_post_init__(self) -> None:
        outer = _Fields(self.top, "")
        nested = outer.dictionary.entries.get("workset")
        self._scopes = [outer]
        # Dialect d: the portal's generator nests name, pipeline and reference.
        if isinstance(nested, Dictionary):
            outer.used.add("workset")
            self._scopes.append(_Fields(nested, "workset"))

    def work_file(self, default_name: str) -> WorkFile:
        """Return what it says, and note what is wrong."""
        default_coverage = self._number("estimated_coverage")
        # Known, and of no use to us.
        self._find("workdir_name", "notes")
        file = WorkFile(
            name=self._line("workset_name", "name", "workdir_name") or default_name,
            priority=self._of(work_values.priority, "priority") or Priority.NORMAL,
            pipeline=self._line("pipeline", "pipeline_type", most=64),
            reference_genome=self._of(work_values.genome, "reference_genome", "reference") or "GRCh38",
            samples=self._samples(default_coverage),
            max_retries=self._of(work_values.count, "max_retries"),
            notification_email=self._of(work_values.email, "notification_email"),
            requirements=Requirements(
                cluster=self._of(work_values.place, "preferred_cluster"),
                availability_zone=self._of(work_values.place, "availability_zone"),
                time_limit=self._of(work_values.hours, "time_limit_hours"),
            ),
            run_command=self._command(*_RUN),
            clone_args=self._command(*_CLONE),
            export_uri=self._command(*_EXPORT),
        )
        return evolve(file, ignored=tuple(self._ignored()[:LISTED]))

    def _ignored(self) -> list[str]:
        """Return the keys that are of no use; note those that surely were meant to be."""
        faults = self.faults if self.strict else None
        found: list[str] = []
        for scopes, historic, of_sample in (
            (self._scopes, _HISTORIC, False),
            (self._entries, _HISTORIC_OF_SAMPLE, True),
        ):
            known = {name for scope in scopes[:1] for name in scope.used}
            if not of_sample:
                known.add("workset")
            unused = (each for scope in scopes for each in scope.unused(of_sample=of_sample))
            found += passed_over(
                unused,
                known=known,
                historic=historic,
                files="fastq_r1 and fastq_r2",
                faults=faults,
            )
        return found

    # One field

    def _find(self, *names: str) -> tuple[str, Node] | None:
        found = [scope.find(*names) for scope in self._scopes]
        return next((each for each in found if each), None)

    def _fault(self, path: str, line: int, message: str) -> None:
        self.faults.add(path, f"{message} (line {line})")

    def _text(self, found: tuple[str, Node] | None, most: int = 256) -> str | None:
        """Return one line of text, as it is written; anything else is a fault."""
        if found is None:
            return None
        path, node = found
        if not isinstance(node, Scalar):
            kind = "a mapping" if isinstance(node, Dictionary) else "a list"
            self._fault(path, node.line, f"is {kind}; write text")
            return None
        # A folded text ends in a line end that nobody meant.
        text = node.text.rstrip("\n")
        if CONTROL.search(text):
            self._fault(path, node.line, f"{text[:80]!r} is not one line of plain text")
            return None
        if len(text) > most:
            self._fault(path, node.line, f"{text[:40]!r}... is longer than {most} characters")
            return None
        return text

    def _line(self, *names: str, most: int = 256) -> str | None:
        return self._text(self._find(*names), most)

    def _of(self, convert: Callable[[str], T], *names: str) -> T | None:
        return self._converted(convert, self._find(*names))

    def _converted(self, convert: Callable[[str], T], found: tuple[str, Node] | None) -> T | None:
        text = self._text(found)
        if found is None or text is None:
            return None
        try:
            return convert(text)
        except ValueError as error:
            self._fault(found[0], found[1].line, str(error))
        return None

    def _number(self, *names: str) -> float | None:
        return self._of(work_values.depth, *names)

    def _command(self, *names: str) -> str | None:
        """Return what the engine of old makes of a string, a list or a mapping."""
        found = self._find(*names)
        if found and isinstance(found[1], Dictionary):
            spoken = _Fields(found[1], found[0])
            found = spoken.find(*_SPOKEN)
            if found is None:
                self._fault(spoken.path, spoken.dictionary.line, f"gives none of {', '.join(_SPOKEN)}")
                return None
        if found is None:
            return None
        path, node = found
        words = node.items if isinstance(node, strict_yaml.Sequence) else (node,)
        texts = [word.text for word in words if isinstance(word, Scalar)]
        if len(texts) < len(words):
            self._fault(path, node.line, "is neither text nor a list of texts")
            return None
        text = " ".join(texts).strip()
        # A folded text may have several lines; what else is not plain text is nobody's command.
        if CONTROL.search(text.replace("\n", " ").replace("\t", " ")):
            self._fault(path, node.line, f"{text[:80]!r} holds a control character")
            return None
        return text or None

    # Samples

    def _samples(self, default_coverage: float | None) -> tuple[Sample, ...]:
        found = self._find("samples")
        if found is None:
            return ()
        path, node = found
        if not isinstance(node, strict_yaml.Sequence):
            self._fault(path, node.line, "is not a list of samples")
            return ()
        groups: dict[str, list[_Entry]] = {}
        for index, item in enumerate(node.items):
            if not isinstance(item, Dictionary):
                self._fault(
                    f"{path}[{index}]", item.line, "is not a mapping with sample_id and fastq_r1"
                )
                continue
            fields = _Fields(item, f"{path}[{index}]")
            self._entries.append(fields)
            sample = self._sample(fields)
            if sample:
                groups.setdefault(sample.sample_id, []).append(_Entry(fields, sample))
        samples = tuple(self._joined(entries, default_coverage) for entries in groups.values())
        if samples:
            self._check(samples, list(groups.values()))
        return samples

    def _sample(self, fields: _Fields) -> Sample | None:
        """Return what one entry says: a sample with a single pair."""
        found_id, found_r1 = fields.find(*_SAMPLE_ID), fields.find(*_R1)
        sample_id, r1 = self._text(found_id), self._text(found_r1, most=4096)
        r2 = self._text(fields.find(*_R2), most=4096)
        if self.strict:
            self._check_once(fields)
        lane = self._text(fields.find("lane"))
        coverage = self._converted(work_values.depth, fields.find("coverage"))
        for found, names in ((found_id, _SAMPLE_ID), (found_r1, _R1)):
            if found is None:
                self._fault(*fields.line_of(*names), "is missing")
        if sample_id is None or r1 is None:
            return None
        pair = FastqPair(self.key_of(r1), self.key_of(r2) if r2 else None, lane or "0")
        return Sample(sample_id=sample_id, pairs=(pair,), coverage=coverage)

    def _check_once(self, fields: _Fields) -> None:
        """Note a read that is given under two names: only the first would be taken."""
        for names in (_R1, _R2):
            (first, text), *others = fields.given(*names) or [("", "")]
            for path, other in others:
                if other != text:
                    self._fault(path, fields.dictionary.line, f"is another file than {first} names")

    def _joined(self, entries: Sequence[_Entry], default_coverage: float | None) -> Sample:
        """Return the sample whose lanes *entries* are."""
        said = [entry for entry in entries if entry.sample.coverage is not None]
        for entry in said[1:]:
            if entry.sample.coverage != said[0].sample.coverage:
                path, line = entry.fields.line_of("coverage")
                first, _ = said[0].fields.line_of("coverage")
                self._fault(path, line, f"differs from {first}, and both are one sample")
        return evolve(
            entries[0].sample,
            pairs=tuple(pair for entry in entries for pair in entry.sample.pairs),
            coverage=said[0].sample.coverage if said else default_coverage,
        )

    def _check(self, samples: tuple[Sample, ...], entries: Sequence[Sequence[_Entry]]) -> None:
        names = {"sample_id": _SAMPLE_ID, "r1": _R1, "r2": _R2}
        lines: dict[str, int] = {}

        def name(sample: int, pair: int | None, part: str | None) -> str:
            fields = entries[sample][pair or 0].fields
            path, line = fields.path, fields.dictionary.line
            if part:
                path, line = fields.line_of(*names.get(part, (part,)))
            lines[path] = line
            return path

        def note(path: str) -> str:
            return f" (line {lines[path]})" if path in lines else ""

        self.name = name
        self.faults.extend(Manifest(samples=samples, pipeline="any").faults(), name, note)
