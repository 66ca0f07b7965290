"""A submission as one form: what is to be run, a sheet, and the FASTQ files themselves."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, BinaryIO, Final, cast

from attrs import define, field

from daylily.adapters.formats.reading import MAX_BYTES
from daylily.application.submit_workset import Submission
from daylily.bootstrap import App
from daylily.domain.customers import Principal
from daylily.domain.debts import CopyFiles
from daylily.domain.errors import DaylilyError, Fault, InvalidInputError
from daylily.domain.lifecycle import Priority
from daylily.domain.manifest import Manifest, Sample, is_fastq
from daylily.domain.pairing import samples_of
from daylily.domain.workset import Workset
from daylily.entrypoints.http.forms import Hashed, Part, parts_of
from daylily.entrypoints.http.requests import read_json
from daylily.entrypoints.http.submission import Reading, Sheet, read_submission

SHEETS: Final = ("sheet", "samplesheet", "manifest", "stage_samples")
"""Names that a part with a sheet may have; a file called ``*.tsv`` or ``*.csv`` is one, too."""
MOST_FILES: Final = 2000
"""FASTQ files in one form; whoever has more uploads them one by one."""

_SHEET: Final = re.compile(r"\.(?:tsv|csv|txt)\Z", re.IGNORECASE)
_JSON: Final = frozenset(
    {"samples", "tags", "max_retries", "time_limit_hours", "enable_qc", "archive_results"}
)
"""Fields that are no text: a form has them as JSON."""


@define
class SubmittedForm:
    """
    Reads a form and submits what is in it, or only checks it.

    FASTQ files are put among the customer's own while they come in, where nobody sees them, and are
    gone again at the end: a workset has copies of its own. All faults of the form are told at once.
    """

    app: App
    who: Principal
    customer_id: str
    claim: Callable[[str], None]
    """Told what the form asks for, before it is done; raises if that has been done before."""
    seed: Callable[[], str | None]
    """Says what the workset's id is to be made of, after that."""
    _values: dict[str, object] = field(init=False, factory=dict)
    _sheet: Sheet | None = field(init=False, default=None)
    _files: dict[str, str] = field(init=False, factory=dict)
    """For each FASTQ file, by the name that its sender has for it, the key that it was put under."""
    _faults: list[Fault] = field(init=False, factory=list)
    _digest: Any = field(init=False, factory=hashlib.sha256)

    def submit(self, body: BinaryIO, boundary: str) -> Workset:
        """
        Store the workset, ready to run, and return it.

        Raises:
            NotFoundError: There is no such customer for the caller.
            InvalidInputError: Something is wrong with it; nothing is stored.
            BadDocumentError: It is no form.
            UnavailableError: A store does not answer.
        """
        self.app.files.check(self.who, self.customer_id)
        kept = False
        token = self.app.world.chance.token()
        try:
            for part in parts_of(body, boundary):
                self._take(part, token)
            self.claim(self._digest.hexdigest())
            workset = self._submit()
            # A store that went away meanwhile owes copies: then these are what it will copy.
            kept = any(isinstance(debt, CopyFiles) for debt in workset.debts)
            return workset
        finally:
            if not kept:
                self._tidy_up()

    def check(self, body: BinaryIO, boundary: str) -> tuple[Submission, Manifest, Priority]:
        """
        Return what the form asks for, checked but for its FASTQ files: these are passed over.

        Raises:
            NotFoundError: There is no such customer for the caller.
            InvalidInputError: Something is wrong with it.
            BadDocumentError: It is no form.
        """
        self.app.files.check(self.who, self.customer_id)
        for part in parts_of(body, boundary):
            self._take(part, None)
        self.claim(self._digest.hexdigest())
        reading = self._reading()
        try:
            manifest, priority = self.app.submit.check(reading.submission)
        except InvalidInputError as error:
            raise self._told(reading, error.faults) from None
        if self._faults or reading.faults:
            raise self._told(reading, ())
        return reading.submission, manifest, priority

    def _take(self, part: Part, token: str | None) -> None:
        if part.filename is None:
            self._note(part.name, part.text())
            return
        if part.name in SHEETS or _SHEET.search(part.filename):
            self._take_sheet(part, part.filename)
            return
        name = part.filename.replace("\\", "/").rpartition("/")[2]
        if not is_fastq(name):
            text = "is neither a sheet nor named like FASTQ (.fastq, .fq, also with .gz or .bz2)"
            self._fault(part.name, f"{name[:80]!r} {text}")
        elif name in self._files:
            self._fault(part.name, f"{name[:80]!r} is there twice")
        elif len(self._files) == MOST_FILES:
            self._fault("", f"has more than {MOST_FILES} files: upload them one by one")
        elif token is None:
            self._files[name] = name
        elif not self._faults:
            self._put(part, name, token)

    def _put(self, part: Part, name: str, token: str) -> None:
        digest = hashlib.sha256()
        file = cast(BinaryIO, Hashed(part.file, digest.update))
        try:
            key = self.app.files.take_in(self.who, self.customer_id, name, token, file)
        except InvalidInputError as error:
            self._fault(part.name, error.faults[0].message)
        else:
            self._files[name] = key
            self._digest.update(f"{part.name}\0{name}\0{digest.hexdigest()}\0".encode())

    def _take_sheet(self, part: Part, filename: str) -> None:
        data = part.file.read(MAX_BYTES + 1)
        if self._sheet is not None:
            self._fault(part.name, "is a second sheet: put all samples into one")
        self._sheet = Sheet(data, staged=filename.lower() == "stage_samples.tsv")
        self._digest.update(f"sheet\0{filename}\0{hashlib.sha256(data).hexdigest()}\0".encode())

    def _note(self, name: str, text: str) -> None:
        self._digest.update(f"{name}\0{hashlib.sha256(text.encode()).hexdigest()}\0".encode())
        if name == "workset":
            self._note_all(text)
        elif name in self._values:
            self._fault(name[:40], "is given twice")
        elif text:
            self._values[name] = self._value(name, text)

    def _note_all(self, text: str) -> None:
        found = self._parsed("workset", text)
        if isinstance(found, Mapping):
            self._values = {**found, **self._values}
        elif found is not None:
            self._fault("workset", "must be a JSON object")

    def _value(self, name: str, text: str) -> object:
        return self._parsed(name, text) if name in _JSON else text

    def _parsed(self, name: str, text: str) -> object:
        try:
            return read_json(text)
        except (RecursionError, ValueError):
            self._fault(name, "is not JSON")
            return None

    def _submit(self) -> Workset:
        reading = self._reading()
        if self._faults or reading.faults:
            wrong = self.app.submit.faults(self.who, self.customer_id, reading.submission)
            raise self._told(reading, wrong)
        try:
            return self.app.submit(self.who, self.customer_id, reading.submission, seed=self.seed())
        except InvalidInputError as error:
            raise self._told(reading, error.faults) from None

    def _told(self, reading: Reading, faults: Iterable[Fault]) -> InvalidInputError:
        """Return all that is wrong, files under the names that their sender has for them."""
        told = [*self._faults, *reading.told(faults).faults]
        return InvalidInputError(map(self._in_their_words, told))

    def _reading(self) -> Reading:
        def read(values: Mapping[str, object]) -> Reading:
            return read_submission(
                values,
                max_retries=self.app.settings.max_retries,
                sheet=self._sheet,
                key_of=self._key_of,
            )

        said = self._sheet is not None or self._values.keys() & {
            "samples", "yaml_content", "manifest_tsv_content",
        }  # fmt: skip
        if said or not self._files:
            return read(self._values)
        return read({**self._values, "samples": list(self._paired())})

    def _paired(self) -> Iterator[Mapping[str, object]]:
        """Yield the lanes that the names of the files tell of, where nothing else does."""
        try:
            samples: tuple[Sample, ...] = samples_of(list(self._files))
        except InvalidInputError as error:
            self._faults += error.faults
            return
        for sample in samples:
            for pair in sample.pairs:
                yield {
                    "sample_id": sample.sample_id,
                    "lane": pair.lane,
                    "r1_file": pair.r1,
                    "r2_file": pair.r2,
                }

    def _key_of(self, written: str) -> str:
        """Return the key of a file: one that came with the form is known by its name."""
        return self._files.get(written.replace("\\", "/").rpartition("/")[2], written)

    def _in_their_words(self, fault: Fault) -> Fault:
        message = fault.message
        for name, key in self._files.items():
            message = message.replace(key, name)
        return Fault(fault.place, message)

    def _fault(self, place: str, message: str) -> None:
        self._faults.append(Fault(place[:40], message))

    def _tidy_up(self) -> None:
        for key in self._files.values():
            try:
                self.app.files.drop(self.customer_id, key)
            except DaylilyError:
                return  # the store is away: they stay, unseen
