"""Where worksets live."""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from attrs import frozen

from daylily.domain.lifecycle import Priority, State
from daylily.domain.workset import Transition, Workset
from daylily.ports.paging import Page


@frozen(kw_only=True)
class Filter:
    """Which worksets to list; what is None does not narrow."""

    customer_id: str | None = None
    states: frozenset[State] | None = None
    priority: Priority | None = None
    name_contains: str | None = None
    """Part of the name, whatever the case."""


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
            AlreadyExistsError: There is one of that id; it is left as it is.
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
        Return a page of worksets, newest first; every one that stays put is listed exactly once.

        Raises:
            InvalidInputError: The cursor is none of this store's.
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
