"""
YAML as strangers hand it in: plain lists, mappings and text, and nothing else of what YAML can do.

No value is ever guessed: ``007``, ``on``, ``1e3`` and ``2024-01-01`` stay the text that somebody wrote.
Aliases (which make bombs), tags (which make objects), merge keys, repeated keys and further documents
are refused, each at its key path and line.
"""

import contextlib
import re
from collections.abc import Generator, Mapping
from typing import Final

import yaml
from attrs import define, field, frozen

from daylily.adapters.formats.reading import Faults, text_of
from daylily.domain.errors import InvalidInputError

MAX_DEPTH: Final = 20
MAX_EVENTS: Final = 250_000
"""Room for 20 000 lanes of the longest kind; reading that many takes about a second."""
_MAX_FAULTS: Final = 1000

# The one in C reads some 400 000 events a second, and is the only one that is quick on junk.
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_CORE_TAGS: Final = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "seq", "map")
) | {None, "!"}
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_UNPRINTABLE: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# libyaml compares each %TAG with all before it: a file full of them would take hours.
_DIRECTIVE: Final = re.compile("(?:^|[\r\n\x85\u2028\u2029])\ufeff?%")
_PLAIN_KEY: Final = re.compile(r"[\w-]{1,64}")


@frozen
class Scalar:
    """Text, as it was written."""

    text: str
    quoted: bool
    line: int

    @property
    def absent(self) -> bool:
        """Whether it says that there is nothing."""
        return not self.text.strip() if self.quoted else self.text in _NULLS


@frozen
class Sequence:
    """A list."""

    items: tuple["Node", ...]
    line: int

    @property
    def absent(self) -> bool:
        """Whether there is nothing in it."""
        return not self.items


@frozen
class Dictionary:
    """A mapping; its keys are text."""

    entries: Mapping[str, "Node"]
    line: int

    @property
    def absent(self) -> bool:
        """Whether there is nothing in it."""
        return not self.entries


Node = Scalar | Sequence | Dictionary


def shown(key: str) -> str:
    """Return *key* as key paths show it: a strange one in quotes, and not all of a long one."""
    return key if _PLAIN_KEY.fullmatch(key) else repr(key[:40])


def read(data: bytes) -> Dictionary:
    """
    Return the mapping that *data* holds.

    Raises:
        InvalidInputError: It is no such YAML; whatever is wrong, at its key path, line and column.
    """
    text = text_of(data, unit="line")
    _check_text(text)
    builder = _Builder()
    try:
        with contextlib.closing(_events(text)) as events:
            for event in events:
                builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        builder.faults.add("", f"{where}is not YAML: {error.problem}")
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # The loader in Python lets chr() fail on an escape such as "\\UFFFFFFFF".
        builder.faults.add("", f"is not YAML: {str(error).splitlines()[0][:200]}")
    except _EnoughError as enough:
        builder.faults.add(enough.place, str(enough))
    builder.faults.refuse()
    if not isinstance(builder.root, Dictionary):
        raise InvalidInputError.of("", "is not a mapping: write 'key: value' lines")
    return builder.root


def _check_text(text: str) -> None:
    for pattern, message in (
        (_UNPRINTABLE, "holds a character that YAML does not allow"),
        (_DIRECTIVE, "directives (%) are not taken"),
    ):
        if match := pattern.search(text):
            before = text[: match.end() - 1]
            line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
            raise InvalidInputError.of("", f"line {line}, column {column}: {message}")


def _events(text: str) -> Generator[yaml.Event, None, None]:
    # What yaml.parse() does, in half the time.
    loader = _LOADER(text)
    try:
        for _ in range(MAX_EVENTS):
            event = loader.get_event()
            yield event
            if isinstance(event, yaml.StreamEndEvent):
                return
        raise _EnoughError("", f"has more than {MAX_EVENTS} values, far more than a workset needs")
    finally:
        loader.dispose()


class _EnoughError(Exception):
    """There is no point in reading on."""

    def __init__(self, place: str, message: str) -> None:
        self.place = place
        super().__init__(message)


@define
class _Open:
    """A list or mapping whose end is still to come."""

    path: str
    line: int
    items: list[Node] | None = None
    entries: dict[str, Node] = field(factory=dict)
    key: str | None = None
    """Whose value comes next; None: a key comes next."""

    def next_path(self) -> str:
        if self.items is not None:
            return f"{self.path}[{len(self.items)}]"
        name = shown(self.key) if self.key is not None else "?"
        return f"{self.path}.{name}" if self.path else name

    def closed(self) -> Node:
        if self.items is not None:
            return Sequence(tuple(self.items), self.line)
        return Dictionary(self.entries, self.line)


@define
class _Builder:
    """Takes events one by one and puts the tree together."""

    faults: Faults = field(init=False, factory=Faults)
    root: Node | None = field(init=False, default=None)
    _open: list[_Open] = field(init=False, factory=list)

    def take(self, event: yaml.Event) -> None:
        """
        Take the next event.

        Raises:
            _EnoughError: What follows makes no sense any more.
        """
        line = event.start_mark.line + 1 if event.start_mark else 0
        if self.faults.count > _MAX_FAULTS:
            raise _EnoughError("", f"line {line}: too much is wrong to read on")
        if isinstance(event, yaml.ScalarEvent):
            self._check(event.anchor, event.tag, line)
            self._put(Scalar(event.value, quoted=bool(event.style), line=line))
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._check(event.anchor, event.tag, line)
            self._begin(line, is_list=isinstance(event, yaml.SequenceStartEvent))
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._put(self._open.pop().closed())
        elif isinstance(event, yaml.AliasEvent):
            self.faults.add(
                self._path(), f"aliases (*) are not taken; write the value out (line {line})"
            )
            self._put(Scalar("", quoted=False, line=line))
        elif isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
            raise _EnoughError("", f"line {line}: a second document begins; only one is taken")

    def _path(self) -> str:
        return self._open[-1].next_path() if self._open else ""

    def _check(self, anchor: str | None, tag: str | None, line: int) -> None:
        if anchor is not None:
            self.faults.add(self._path(), f"anchors (&) are not taken (line {line})")
        if tag not in _CORE_TAGS:
            self.faults.add(self._path(), f"the tag {str(tag)[:80]!r} is not taken (line {line})")

    def _begin(self, line: int, *, is_list: bool) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise _EnoughError(self._path(), f"is nested more than {MAX_DEPTH} deep (line {line})")
        parent = self._open[-1] if self._open else None
        if parent is None and is_list:
            raise _EnoughError("", "is a list, not a mapping: write 'key: value' lines")
        if parent and parent.items is None and parent.key is None:
            raise _EnoughError(parent.path, f"a key is not text (line {line})")
        self._open.append(_Open(self._path(), line, [] if is_list else None))

    def _put(self, node: Node) -> None:
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        if parent.items is not None:
            parent.items.append(node)
        elif parent.key is not None:
            parent.entries.setdefault(parent.key, node)
            parent.key = None
        elif isinstance(node, Scalar):
            self._put_key(parent, node)

    def _put_key(self, parent: _Open, key: Scalar) -> None:
        parent.key = key.text
        if key.text == "<<" and not key.quoted:
            self.faults.add(parent.next_path(), f"merge keys are not taken (line {key.line})")
        elif key.text in parent.entries:
            first = parent.entries[key.text].line
            self.faults.add(
                parent.next_path(), f"stands there twice, near line {first} and at line {key.line}"
            )
