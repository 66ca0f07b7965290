"""What is being worked on, for whoever writes a diary: ids that every line of a log then carries."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Final

from daylily.domain.workset import Workset

_NOTHING: Final[Mapping[str, object]] = MappingProxyType({})
_subject: Final[ContextVar[Mapping[str, object]]] = ContextVar("subject", default=_NOTHING)


def subject() -> Mapping[str, object]:
    """Return the ids of what this thread is working on; empty for nothing in particular."""
    return _subject.get()


@contextmanager
def about(workset: Workset | None = None, /, **ids: object) -> Iterator[None]:
    """
    Say what is worked on for as long as the block lasts; what was said before stands otherwise.

    Args:
        workset: Said by its id, with the number of the attempt that runs or was the last.
        ids: Further ids by name.
    """
    told = {**subject(), **ids}
    if workset is not None:
        told["workset"] = workset.workset_id
        told.pop("attempt", None)
        if workset.attempts:
            told["attempt"] = workset.attempts[-1].number
    token = _subject.set(MappingProxyType(told))
    try:
        yield
    finally:
        _subject.reset(token)
