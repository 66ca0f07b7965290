"""Find the worksets that people and other systems dropped into the object store."""

from typing import Final

from attrs import define, evolve, field, frozen

from daylily.application.ledger import Ledger
from daylily.domain.debts import SendNotice
from daylily.domain.errors import ConflictError, InvalidInputError, UnavailableError
from daylily.domain.lifecycle import State
from daylily.domain.sentinels import state_shown
from daylily.domain.workset import Workset
from daylily.ports.clock import Clock
from daylily.ports.paging import every
from daylily.ports.sentinel_store import SentinelStore
from daylily.ports.state_store import StateStore

OUTAGES: Final = 3
"""How many directories of a look may meet an outage before it ends."""

_BATCH: Final = 500


@frozen
class Damaged:
    """A directory that shows ``daylily.ready`` and yet cannot be taken."""

    workset_id: str
    error: InvalidInputError


@frozen(kw_only=True)
class Discovered:
    """What a look at the directories brought to light."""

    registered: tuple[Workset, ...] = ()
    damaged: tuple[Damaged, ...] = ()
    outages: tuple[UnavailableError, ...] = ()
    """What kept directories from being looked at; they are looked at again next time."""


@define(kw_only=True)
class DiscoverWorksets:
    """
    Register directories that no workset is known for.

    Remembers, for speed alone, which directories it has seen: while none has come, a look costs one
    question, and what is remembered never decides anything.
    """

    ledger: Ledger
    store: StateStore
    sentinels: SentinelStore
    clock: Clock
    customer_id: str
    """Whose the dropped worksets are."""
    actor: str
    _mark: str | None = field(init=False, default=None)
    _known: set[str] = field(init=False, factory=set)
    _waiting: set[str] = field(init=False, factory=set)
    _troubled: set[str] = field(init=False, factory=set)
    """Those that met an outage; they come last, so that they cannot keep the others from being seen."""

    def __call__(self) -> Discovered:
        """
        Look for new directories and register those that are ready, running or done.

        Raises:
            UnavailableError: Directories cannot be listed.
        """
        mark = self.sentinels.changed(self._mark)
        if mark is not None:
            self._look_around()
            self._mark = mark
        registered: list[Workset] = []
        damaged: list[Damaged] = []
        outages: list[UnavailableError] = []
        for workset_id in sorted(self._waiting, key=lambda each: (each in self._troubled, each)):
            try:
                workset = self.take(workset_id)
            except InvalidInputError as error:
                damaged.append(Damaged(workset_id, error))
            except UnavailableError as error:
                # It may be this one directory. Where nothing answers, each takes long to fail.
                outages.append(error)
                self._troubled.add(workset_id)
                if len(outages) == OUTAGES:
                    break
            except ConflictError:
                self._settle(workset_id)  # another monitor took it first
            else:
                if workset is not None:
                    registered.append(workset)
                    self._settle(workset_id)
        return Discovered(registered=tuple(registered), damaged=tuple(damaged), outages=tuple(outages))

    def _look_around(self) -> None:
        there = set(every(lambda cursor: self.sentinels.directories(cursor=cursor)))
        self._known &= there
        self._waiting &= there
        self._troubled &= there
        new = sorted(there - self._known - self._waiting)
        for start in range(0, len(new), _BATCH):
            batch = new[start : start + _BATCH]
            known = self.store.known(batch)
            self._known |= known
            self._waiting |= set(batch) - known

    def _settle(self, workset_id: str) -> None:
        self._waiting.discard(workset_id)
        self._troubled.discard(workset_id)
        self._known.add(workset_id)

    def take(self, workset_id: str) -> Workset | None:
        """
        Register one directory as the workset that it shows; None where it is not to be touched now.

        Raises:
            AlreadyExistsError: There is a workset of that id.
            InvalidInputError: It cannot be taken; every fault is listed.
            UnavailableError: A store does not answer.
        """
        shown = state_shown(self.sentinels.look(workset_id).sentinels)
        # Not ready yet, in somebody's hands at this moment, or not to be touched.
        if shown is None or shown in {State.LOCKED, State.IGNORED}:
            return None
        dropped = self.sentinels.read(workset_id)
        workset = Workset.register(
            workset_id=workset_id,
            customer_id=self.customer_id,
            name=dropped.name,
            manifest=dropped.manifest,
            at=self.clock(),
            actor=self.actor,
            priority=dropped.priority,
        )
        if shown is not State.READY:
            reason = "found so in its directory"
            adopted = workset.adopt(shown, at=self.clock(), reason=reason, actor=self.actor)
            # It was under way before we knew of it: that is no news.
            quiet = tuple(debt for debt in adopted.debts if not isinstance(debt, SendNotice))
            workset = evolve(adopted, debts=quiet)
        return self.ledger.register(workset)
