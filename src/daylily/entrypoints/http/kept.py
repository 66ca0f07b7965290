"""Worksets as JSON, kept for as long as they do not change."""

import threading
from collections import OrderedDict
from typing import Final

import msgspec
from attrs import define, field

from daylily.application.read_worksets import ReadWorksets
from daylily.domain.workset import Workset
from daylily.entrypoints.views import WorksetView, to_json

MOST: Final = 32 << 20
"""Bytes."""
_ENCODER: Final = msgspec.json.Encoder()


def encoded(view: object) -> bytes:
    """Return a view as JSON, its fields in their own order."""
    return _ENCODER.encode(to_json(view))


def joined(parts: object) -> bytes:
    """Return lists and dicts as JSON, of which parts are JSON already."""
    return _ENCODER.encode(parts)


@define(eq=False)
class KeptWorksets:
    """
    The JSON of worksets, each in the version that was asked for last.

    A version is written once, so what was made of it stays true. What a store knows more of than the
    domain does (a subclass of Workset) may change without a new version, and is made anew each time.
    """

    read: ReadWorksets
    most: int = MOST
    _kept: "OrderedDict[str, tuple[int, msgspec.Raw]]" = field(init=False, factory=OrderedDict)
    _bytes: int = field(init=False, default=0)
    _mutex: threading.Lock = field(init=False, factory=threading.Lock)

    def json(self, *worksets: Workset) -> list[msgspec.Raw]:
        """Return the views of worksets as JSON, to be put into more of it."""
        kept, found = self._kept, list[msgspec.Raw | None]()
        with self._mutex:
            for workset in worksets:  # a hundred of them, often
                known = kept.get(workset.workset_id)
                if known is None or known[0] != workset.version or type(workset) is not Workset:
                    found.append(None)
                else:
                    kept.move_to_end(workset.workset_id)
                    found.append(known[1])
        return [
            self._made(workset) if known is None else known
            for workset, known in zip(worksets, found, strict=True)
        ]

    def _made(self, workset: Workset) -> msgspec.Raw:
        made = msgspec.Raw(encoded(WorksetView.of(workset, self.read)))
        if type(workset) is Workset:
            self._keep(workset, made)
        return made

    def _keep(self, workset: Workset, made: msgspec.Raw) -> None:
        with self._mutex:
            before = self._kept.pop(workset.workset_id, None)
            self._kept[workset.workset_id] = (workset.version, made)
            self._bytes += len(bytes(made)) - (len(bytes(before[1])) if before else 0)
            while self._bytes > self.most:
                _, (_, oldest) = self._kept.popitem(last=False)
                self._bytes -= len(bytes(oldest))
