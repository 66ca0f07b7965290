"""Where worksets live."""

import hashlib
from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from functools import lru_cache, reduce
from typing import Final, Protocol, TypeAlias

from attrs import astuple, frozen

from daylily.domain.lifecycle import Priority, State
from daylily.domain.workset import Transition, Workset
from daylily.ports.paging import Page

LOOKED_AT: Final = 1000
"""How many worksets a page of a listing looks at, at most (or as many as it may hold, if more)."""


Sieve: TypeAlias = Callable[[Workset], bool]


@frozen(kw_only=True)
class Filter:
    """Which worksets to list; what is None does not narrow."""

    customer_id: str | None = None
    states: frozenset[State] | None = None
    priority: Priority | None = None
    name_contains: str | None = None
    """Part of the name, whatever the case."""
    pipeline: str | None = None
    """The pipeline's own name."""
    tag: str | None = None
    """One of its tags."""
    created_from: datetime | None = None
    """Created then or later."""
    created_before: datetime | None = None
    oldest_first: bool = False
    """Otherwise the newest come first."""

    def sieve(self) -> Sieve:
        """Return what tells of a workset whether it is to be listed: made once, for many of them."""
        tests = [*self._tests()]
        return reduce(_both, tests) if tests else _any

    def _tests(self) -> Iterator[Sieve]:
        if (customer_id := self.customer_id) is not None:
            yield lambda workset: workset.customer_id == customer_id
        if (states := self.states) is not None:
            yield lambda workset: workset.state in states
        if (priority := self.priority) is not None:
            yield lambda workset: workset.priority is priority
        if self.name_contains is not None:
            name = self.name_contains.casefold()
            yield lambda workset: name in workset.name.casefold()
        if (pipeline := self.pipeline) is not None:
            yield lambda workset: workset.manifest.pipeline == pipeline
        if (tag := self.tag) is not None:
            yield lambda workset: tag in workset.tags
        if (since := self.created_from) is not None:
            yield lambda workset: workset.created_at >= since
        if (before := self.created_before) is not None:
            yield lambda workset: workset.created_at < before

    @property
    def selective(self) -> bool:
        """Whether it passes over worksets that no order of a store leads past."""
        told = (self.states, self.priority, self.name_contains, self.pipeline, self.tag)
        return any(each is not None for each in told)

    @property
    def fingerprint(self) -> str:
        """A text of its own for each filter, by which a cursor tells the listing it belongs to."""
        return _fingerprint(self)


def _both(one: Sieve, other: Sieve) -> Sieve:
    return lambda workset: one(workset) and other(workset)


def _any(_: Workset) -> bool:
    return True


@lru_cache(maxsize=256)
def _fingerprint(where: Filter) -> str:
    states = None if where.states is None else sorted(where.states)
    plain = astuple(where, filter=lambda attribute, _: attribute.name != "states")
    return hashlib.sha256(repr((plain, states)).encode(errors="replace")).hexdigest()[:16]


@frozen
class Unreadable:
    """What stands in a store under an id and cannot be read, and why."""

    workset_id: str
    error: str


class StateStore(Protocol):
    """
    Where worksets live. A store compares and sets; lifecycle rules are the domain's.

    - What one call has stored, every later call of any process sees (queues and listings may lag).
    - Every method raises UnavailableError when the store does not answer: an outage is never an empty
      answer. Nothing is then known of whether a write happened.
    - Cost: ``get``, ``add``, ``save`` are one remote call; ``queue``, ``due``, ``count`` grow with what
      they find, never with what is stored.
    - Safe to share between threads.
    """

    def add(self, workset: Workset) -> Workset:
        """
        Store a new workset and return it under its first version.

        Raises:
            AlreadyExistsError: There is one of that id; it is left as it is. If it may be what this
                very call has stored, and others have changed since, PerhapsOursError.
        """

    def get(self, workset_id: str) -> Workset:
        """
        Return a workset as it is stored.

        Raises:
            NotFoundError: There is none of that id.
        """

    def save(self, workset: Workset) -> Workset:
        """
        Replace the stored workset and return it under its new version.

        Raises:
            ConcurrentUpdateError: The stored version is not ``workset.version``; nothing is changed.
            NotFoundError: There is nothing to replace.
        """

    def history(
        self, workset_id: str, *, cursor: str | None = None, limit: int = 100
    ) -> Page[Transition]:
        """
        Return a page of all transitions that a workset has ever made, latest first, each in full.

        ``Workset.history`` may have lost the older ones: a store keeps few of them at hand.

        Raises:
            NotFoundError: There is none of that id.
            InvalidInputError: The cursor is none of this store's.
        """

    def list(self, where: Filter, *, cursor: str | None = None, limit: int = 100) -> Page[Workset]:
        """
        Return a page of worksets, in order of their creation; each that stays put is listed once.

        A page looks at ``LOOKED_AT`` worksets at most, and so may have fewer items than *limit*, even
        none, though more pages follow. A cursor belongs to its filter, and so to its customer: with
        another one it is refused.

        Raises:
            CursorError: The cursor is none of this listing's.
        """

    def queue(self, *, cursor: str | None = None, limit: int = 100) -> Page[Workset]:
        """Return worksets in state ``ready``, in the order of ``queue_rank``: the next to run first."""

    def due(self, at: datetime, *, cursor: str | None = None, limit: int = 100) -> Page[Workset]:
        """Return worksets whose ``due_at`` is not after *at*, longest due first."""

    def count(self, states: Collection[State]) -> int:
        """Return how many worksets are in any of *states*."""

    def known(self, workset_ids: Collection[str]) -> frozenset[str]:
        """Return those of the ids under which a workset is stored."""

    def scan(self, *, cursor: str | None = None, limit: int = 1000) -> Page[Workset | Unreadable]:
        """
        Return a page of everything that is stored, in no order, by as few remote calls as can be.

        What stays put is returned exactly once, as its last write left it. A page may have fewer items
        than *limit* though more pages follow.

        Raises:
            InvalidInputError: The cursor is none of this store's.
        """
