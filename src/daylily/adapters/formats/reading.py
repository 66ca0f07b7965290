"""What reading any file has in common: its size, its encoding, and how its faults are told."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from attrs import define, field, frozen

from daylily.domain.errors import Fault, InvalidInputError
from daylily.domain.manifest import Sample

MAX_BYTES: Final = 10 * 1024 * 1024
LISTED: Final = 100
"""How many faults are told one by one: nobody reads more, and junk has millions."""

CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""What has no place in a name or a path; each breaks a line for some reader, or cannot be stored."""

Namer = Callable[[int, int | None, str | None], str]

KeyOf = Callable[[str], str]
"""Makes the key of a file of what somebody wrote for it."""


def unnamed(sample: int, pair: int | None, part: str | None) -> str:
    """Know no places: the Namer of what has none."""
    raise LookupError(sample)


def as_written(text: str) -> str:
    """Return *text*: the KeyOf of those who write keys."""
    return text


@frozen
class Sheet:
    """What a sheet says."""

    samples: tuple[Sample, ...]
    ignored: tuple[str, ...] = ()
    """Columns that mean nothing to us."""
    name: Namer = field(default=unnamed, eq=False)
    """Says where in the sheet something of a sample stands."""


_PLACE: Final = re.compile(r"samples\[(\d+)\](?:\.pairs\[(\d+)\])?(?:\.(\w+))?")


@define
class Faults:
    """Collects faults; keeps the first hundred and counts the others."""

    _listed: list[Fault] = field(init=False, factory=list)
    count: int = field(init=False, default=0)

    def __bool__(self) -> bool:
        return self.count > 0

    def add(self, place: str, message: str) -> None:
        """Note one fault."""
        self.count += 1
        if len(self._listed) < LISTED:
            self._listed.append(Fault(place, message))

    def extend(
        self, faults: Iterable[Fault], name: Namer, note: Callable[[str], str] = lambda _: ""
    ) -> None:
        """
        Note the domain's *faults*, their key paths turned into places of the file.

        Args:
            name: See ``translated``.
            note: What to add to the message of a fault at such a place.
        """
        for fault in faults:
            if len(self._listed) == LISTED:
                self.count += 1  # nobody will read it: do not spend time on it
                continue
            for told in translated([fault], name):
                self.add(told.place, told.message + note(told.place))

    def refuse(self) -> None:
        """
        Return if there are none.

        Raises:
            InvalidInputError: There are some: these.
        """
        more = self.count - len(self._listed)
        if self._listed:
            raise InvalidInputError([*self._listed, *([Fault("", f"and {more} more")] if more else [])])


def text_of(data: bytes, *, unit: str = "row") -> str:
    """
    Return the text of a file in UTF-8, without the byte order mark that spreadsheets put first.

    Args:
        unit: What the file's readers call a line of it.

    Raises:
        InvalidInputError: It is too large, no text at all, or not UTF-8; then every line that is not
            is named.
    """
    if len(data) > MAX_BYTES:
        raise InvalidInputError.of("", f"is larger than {MAX_BYTES // 1024**2} MiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        if b"\0" in data:
            # A spreadsheet, an archive, UTF-16: a hundred lines about its bytes would help nobody.
            raise InvalidInputError.of("", "is no text in UTF-8: save it as such") from None
        faults = Faults()
        for number, line in enumerate(data.split(b"\n"), start=1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                if faults.count == LISTED:
                    # To raise a million errors for the sake of their number takes half a minute.
                    break
                faults.add(
                    f"{unit} {number}", f"byte {error.start + 1} is not UTF-8: save the file as UTF-8"
                )
        faults.refuse()
        raise  # unreachable: a line end is never part of another character in UTF-8


def translated(faults: Iterable[Fault], name: Namer) -> Iterator[Fault]:
    """
    Yield the domain's *faults* with their key paths turned into places of the file.

    Args:
        name: Says what the file calls ``samples[i].pairs[j].field``; raises LookupError if it has no
            such place.
    """

    def renamed(match: re.Match[str]) -> str:
        sample, pair, part = match.groups()
        try:
            return name(int(sample), None if pair is None else int(pair), part)
        except LookupError:
            # Not one of ours: somebody's file name looks like a key path.
            return match[0]

    for fault in faults:
        yield Fault(_PLACE.sub(renamed, fault.place), _PLACE.sub(renamed, fault.message))
