"""Reading what clients send: every fault is collected, under the key path as they wrote it."""

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NoReturn, TypeVar
from urllib.parse import parse_qsl, unquote_to_bytes

from attrs import define, field
from litestar import Request

from daylily.domain.errors import Fault, InvalidInputError
from daylily.domain.spelling import meant
from daylily.entrypoints.http.errors import BadDocumentError, MediaTypeError
from daylily.entrypoints.http.prefix import unprefixed

T = TypeVar("T")

_JSON: Final = re.compile(r"application/([\w.+-]+\+)?json", re.IGNORECASE)
INSTANT: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?)?", re.ASCII
)
"""RFC 3339, less where it says so; Python's own reader takes weeks and other forms, too."""

_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")
_LARGEST: Final = 2**53
"""Beyond it, JSON numbers differ from reader to reader."""
_MOST_DIGITS: Final = 400
"""Python takes some thousand, at a price that grows with their square."""
_LONGEST_WORD: Final = 40
_MOST_HINTS: Final = 100
"""Likeness takes time to work out; who has more faults than this has no use for more hints."""


def json_object(request: Request[Any, Any, Any], body: bytes) -> Mapping[str, object]:
    """
    Return the JSON object that is the body of a request.

    Raises:
        MediaTypeError: It is not said to be JSON. That also keeps a browser from sending it for
            another site without asking first.
        BadDocumentError: It is not JSON, or no object.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip()
    if not _JSON.fullmatch(content_type):
        raise MediaTypeError("send JSON, and say so: 'Content-Type: application/json'")
    try:
        document = read_json(body)
    except RecursionError:
        raise BadDocumentError("the body is nested too deeply") from None
    except UnicodeDecodeError:
        raise BadDocumentError("the body is not UTF-8") from None
    except ValueError as error:
        raise BadDocumentError(f"the body cannot be taken as JSON: {error}"[:200]) from None
    if not isinstance(document, dict):
        raise BadDocumentError("the body must be a JSON object")
    return document


def read_json(text: bytes | str) -> object:
    """
    Return what a JSON text says, if all its readers would take it for the same.

    Raises:
        ValueError: It is none, holds a number that is none, or says something twice.
        RecursionError: It is nested too deeply.
    """
    found: object = json.loads(
        text, parse_constant=_no_number, parse_int=_whole, object_pairs_hook=_said_once
    )
    return found


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _whole(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"a number has {len(digits)} digits")
    return int(digits)


def _said_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name[:_LONGEST_WORD]!r} is given more than once in one object")
        found[name] = value
    return found


@define
class Fields:
    """
    The fields of one object in a request, taken one by one.

    What is absent or null gives the default; what is of another type, too, and leaves a fault behind.
    """

    raw: Mapping[str, object]
    place: str = ""
    """The key path of the object; empty for the whole body."""
    faults: list[Fault] = field(factory=list)
    written: dict[str, str] = field(init=False, factory=dict)
    """For each field taken, its key path under the name that the caller chose for it."""
    _known: list[str] = field(init=False, factory=list)
    _wrong_ones: set[str] = field(init=False, factory=set)

    def text(self, name: str, *aliases: str, default: str | None = None) -> str | None:
        """Take a text."""
        value = self.take(name, *aliases)
        if value is None:
            return default
        if not isinstance(value, str) or _SURROGATE.search(value):
            return self._wrong(name, "a text", default)
        return value

    def required(self, name: str, *aliases: str) -> str:
        """Take a text that has to be there, and to say something."""
        found = self.text(name, *aliases)
        if not found and name not in self._wrong_ones:
            self.fault(name, "is required")
        return found or ""

    def optional(self, name: str) -> str | None:
        """
        Take a text that may be left out; an empty one says as little, as portals of old send it.

        The schema of such a text is ``parameters.optional``.
        """
        return self.text(name) or None

    def number(self, name: str, default: float | None = None) -> float | None:
        """Take a finite number."""
        value = self.take(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float):
            return self._wrong(name, "a number", default)
        if not math.isfinite(value) or abs(value) > _LARGEST:
            return self._wrong(name, "a sensible number", default)
        return float(value)

    def whole(self, name: str, default: int | None = None) -> int | None:
        """Take a whole number; ``5.0`` is one."""
        value = self.number(name)
        if value is None:
            return default
        return int(value) if value.is_integer() else self._wrong(name, "a whole number", default)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Take true or false."""
        value = self.take(name)
        if value is None:
            return default
        return value if isinstance(value, bool) else self._wrong(name, "true or false", default)

    def objects(self, name: str, *, most: int) -> Sequence["Fields"]:
        """Take a list of objects; their faults are collected with those of this one."""
        value = self.take(name)
        if value is None:
            return ()
        if not isinstance(value, list):
            return self._wrong(name, "a list", ())
        if len(value) > most:
            self.fault(name, f"has {len(value)} entries; at most {most} are taken")
            return ()
        found = []
        for index, entry in enumerate(value):
            place = f"{self.path(name)}[{index}]"
            if isinstance(entry, dict):
                found.append(Fields(entry, place, self.faults))
            else:
                self.faults.append(Fault(place, "must be an object"))
        return found

    def texts(self, name: str, *, most: int) -> tuple[str, ...]:
        """Take a list of texts."""
        value = self.take(name)
        if value is None:
            return ()
        if not isinstance(value, list) or len(value) > most:
            return self._wrong(name, f"a list of at most {most} texts", ())
        found = []
        for index, each in enumerate(value):
            if isinstance(each, str) and not _SURROGATE.search(each):
                found.append(each)
            else:
                self.faults.append(Fault(f"{self.path(name)}[{index}]", "must be a text"))
        return tuple(found)

    def take(self, name: str, *aliases: str) -> object:
        """Take whatever is there under *name* or one of its aliases."""
        if not aliases:
            self._known.append(name)
            self.written[name] = self.path(name)
            return self.raw.get(name)
        self._known += (name, *aliases)
        there = [each for each in (name, *aliases) if self.raw.get(each) is not None]
        self.written[name] = self.path(there[0] if there else name)
        if len(there) > 1:
            self.fault(name, f"is given twice, also as {there[1]!r}")
        return self.raw[there[0]] if there else None

    def path(self, name: str) -> str:
        """Return the key path of a field of this object."""
        return f"{self.place}.{name}" if self.place else name

    def fault(self, name: str, message: str) -> None:
        """Note what is wrong with a field."""
        self._wrong_ones.add(name)
        self.faults.append(Fault(self.written.get(name, self.path(name)), message))

    def also(self, faults: Iterable[Fault]) -> None:
        """Note what the domain finds wrong with fields that could be read."""
        told = {fault.place for fault in self.faults}
        self.faults += [fault for fault in faults if fault.place not in told]

    def must_be_empty(self, name: str, instead: str) -> None:
        """
        Take a field that clients of old send, and that may say nothing here.

        Args:
            instead: What to do for what it would have said.
        """
        if self.take(name) not in (None, "", [], {}):
            self.fault(name, f"is not taken here: {instead}")

    def refuse_others(self) -> None:
        """Note every field that was not taken: a misspelt one must not be passed over in silence."""
        for name in self.raw:
            if name not in self._known:
                near = meant(name, self._known) if len(self.faults) < _MOST_HINTS else None
                hint = f"; did you mean {near!r}?" if near else ""
                shown = _SURROGATE.sub("?", name[:_LONGEST_WORD])
                self.faults.append(Fault(self.path(shown), f"is not known here{hint}"))

    def raise_faults(self) -> None:
        """
        Raise what was found, if anything was.

        Raises:
            InvalidInputError: Something is wrong; every fault is listed.
        """
        if self.faults:
            raise InvalidInputError(self.faults)

    def _wrong(self, name: str, wanted: str, default: T) -> T:
        if name not in self._wrong_ones:  # one may be looked for twice
            self.fault(name, f"must be {wanted}")
        return default


def query(request: Request[Any, Any, Any], *repeatable: str) -> Fields:
    """Return the query of a request as fields; those named are lists, any other must stand alone."""
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(
        request.scope["query_string"].decode("latin-1"), keep_blank_values=True
    ):
        found.setdefault(name, []).append(value)
    fields = Fields({n: v if n in repeatable else v[-1] for n, v in found.items()})
    fields.faults += [
        Fault(name, "is given more than once")
        for name, values in found.items()
        if len(values) > 1 and name not in repeatable
    ]
    return fields


def count(fields: Fields, name: str, *, least: int, most: int, default: int | None) -> int | None:
    """Take a whole number from a query, where all are texts."""
    text = fields.text(name)
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,16}", text, re.ASCII) or not least <= int(text) <= most:
        fields.fault(name, f"{text[:_LONGEST_WORD]!r} is not a whole number from {least} to {most}")
        return default
    return int(text)


def instant(fields: Fields, name: str) -> datetime | None:
    """Take an instant as RFC 3339 has it, or a day of UTC, which stands for its beginning."""
    text = fields.text(name)
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text if INSTANT.fullmatch(text) else "")
    except ValueError:
        fields.fault(name, f"{text[:_LONGEST_WORD]!r} is no time such as 2026-05-04T09:30:00Z")
        return None
    try:
        return (at.replace(tzinfo=UTC) if at.tzinfo is None else at).astimezone(UTC)
    except OverflowError:
        fields.fault(name, f"{text[:_LONGEST_WORD]!r} is out of all time")
        return None


def version_in(request: Request[Any, Any, Any]) -> int | None:
    """
    Return the version of a workset that ``If-Match`` names; None where there is none, or any will do.

    Raises:
        InvalidInputError: It is no ETag at all.
    """
    given = request.headers.get("if-match")
    if given is None or given.strip() == "*":
        return None
    found = re.fullmatch(r'"([0-9]{1,15})"', given.strip(), re.ASCII)
    if found:
        return int(found[1])
    if re.fullmatch(r'(W/)?"[^"]*"(\s*,\s*(W/)?"[^"]*")*', given.strip()):
        return -1  # an ETag, but none that a workset of ours can have
    raise InvalidInputError.of("If-Match", "is no ETag, such as that of the answer that you have read")


def key_in_path(request: Request[Any, Any, Any]) -> str:
    """
    Return the object key that ends a path, exactly as the caller wrote it.

    The router tidies paths up: it drops empty parts and a last slash. That would make another key
    of it, so it is read from the path as it came, for the domain to judge. In front of the route's own
    path may stand whatever this is mounted below.

    Raises:
        InvalidInputError: It is not UTF-8.
    """
    scope = request.scope
    try:
        path = unquote_to_bytes(scope["raw_path"].partition(b"?")[0]).decode()
    except UnicodeDecodeError:
        raise InvalidInputError.of("key", "is not UTF-8") from None
    *before, _ = unprefixed(scope["path_template"]).strip("/").split("/")
    parts = ("[^/]+" if part.startswith("{") else re.escape(part) for part in before)
    found = re.search(rf"/+{'/+'.join(parts)}/(.*)", path, re.DOTALL)
    return found[1] if found else ""
