"""Compare the store, the directories and the engines, and say who is right where they differ."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from typing import Final

from attrs import define, frozen

from daylily.application.engines import Engines
from daylily.application.others import Others
from daylily.domain.divergences import Divergence, DivergenceKind, Remedy, Side
from daylily.domain.errors import NotFoundError, UnavailableError
from daylily.domain.lifecycle import State
from daylily.domain.names import ID_RULE, is_id
from daylily.domain.restoring import behind
from daylily.domain.sentinels import Sentinel, projection
from daylily.domain.workset import DEBT_GRACE, Workset
from daylily.ports.clock import Clock
from daylily.ports.compute import JobStatus
from daylily.ports.paging import every
from daylily.ports.sentinel_store import MANIFEST, Folder, SentinelStore
from daylily.ports.state_store import StateStore, Unreadable

BATCH: Final = 200
"""How many running attempts an engine is asked about at once."""
PENDING: Final = frozenset({State.READY, State.LOCKED, State.IN_PROGRESS, State.RETRYING})
"""States in which an engine may yet need the files of a directory."""

_BIT: Final = {sentinel: 1 << number for number, sentinel in enumerate(Sentinel)}
_WHOLE: Final = 1 << len(_BIT)


@define
class Seen:
    """How far a check has come."""

    directories: int = 0
    worksets: int = 0


Tell = Callable[[Seen], None]


@frozen(kw_only=True)
class CheckLedger:
    """
    Find what differs, without changing anything.

    Cost: the pages of one listing and one scan, a question to each engine for some hundred running
    attempts, and two calls for each workset whose directory does not look as it should. Memory: a
    number for each directory (some 200 bytes with its name), whatever there is in it.
    """

    store: StateStore
    sentinels: SentinelStore
    engines: Engines
    clock: Clock

    def __call__(self, tell: Tell = lambda _: None) -> Iterator[Divergence]:
        """
        Yield what differs, as it is found.

        The world goes on meanwhile: what seems to differ is looked at again, workset by workset, before
        it is told.

        Args:
            tell: Called from time to time with how far it has come.

        Raises:
            UnavailableError: The store does not answer, or directories cannot be listed.
        """
        seen = Seen()
        shown = self._directories(seen, tell)
        running: defaultdict[str | None, list[Workset]] = defaultdict(list)
        for stored in every(lambda cursor: self.store.scan(cursor=cursor)):
            seen.worksets += 1
            if seen.worksets % BATCH == 0:
                tell(seen)
            bits = shown.pop(stored.workset_id, 0)
            if isinstance(stored, Unreadable):
                yield _unreadable(stored)
                continue
            if not _looks_right(stored, bits, self.clock()):
                yield from self.judge(stored.workset_id)
            if _at_engine(stored):
                batch = running[stored.cluster]
                batch.append(stored)
                if len(batch) == BATCH:
                    yield from self._ask(stored.cluster, batch)
                    batch.clear()
        for cluster, batch in running.items():
            yield from self._ask(cluster, batch)
        tell(seen)
        yield from self._strangers(iter(sorted(shown)))

    def judge(self, workset_id: str) -> Iterator[Divergence]:
        """
        Yield what differs between the store and one directory, as they stand now.

        Raises:
            UnavailableError: The store does not answer.
        """
        if not is_id(workset_id):
            yield _nameless(workset_id)
            return
        try:
            workset = self.store.get(workset_id)
            folder = self.sentinels.look(workset_id)
        except NotFoundError:
            return  # gone since
        except UnavailableError as error:
            yield self._unseen(workset_id, error)
            return
        found = _Comparison(workset, folder, self.clock()).divergence()
        if found is not None:
            yield found

    def _unseen(self, workset_id: str, error: UnavailableError) -> Divergence:
        self.store.known([workset_id])  # is it this directory alone? Otherwise this raises.
        return Divergence(
            workset_id=workset_id,
            kind=DivergenceKind.DAMAGED_DIRECTORY,
            store="",
            sentinels=f"cannot be read: {error}",
            wins=Side.NOBODY,
            why="nothing is known of it",
            remedy=Remedy.PERSON,
            advice="See what keeps it from being read.",
        )

    def _directories(self, seen: Seen, tell: Tell) -> dict[str, int]:
        shown: dict[str, int] = {}
        for each in every(lambda cursor: self.sentinels.shown(cursor=cursor)):
            bits = sum(_BIT[sentinel] for sentinel in each.sentinels)
            shown[each.workset_id] = bits | (_WHOLE if each.whole else 0)
            seen.directories += 1
            if seen.directories % BATCH == 0:
                tell(seen)
        return shown

    def _ask(self, cluster: str | None, worksets: list[Workset]) -> Iterator[Divergence]:
        try:
            known = self.engines.of(cluster).status([each.attempt_key for each in worksets])
        except UnavailableError as error:
            for workset in worksets:
                yield _silent(workset, error)
            return
        for workset in worksets:
            status = known.get(workset.attempt_key)
            found = _at_odds(workset, status, self.clock())
            # Word may have come while we looked.
            if found is not None and self._still(workset):
                yield found

    def _still(self, workset: Workset) -> bool:
        try:
            return self.store.get(workset.workset_id).sequence == workset.sequence
        except NotFoundError:
            return False

    def _strangers(self, names: Iterator[str]) -> Iterator[Divergence]:
        """Yield directories of worksets that the store does not have."""
        while batch := list(islice(names, BATCH)):
            for workset_id in sorted(set(batch) - self.store.known(batch)):
                try:
                    folder = self.sentinels.look(workset_id)
                except UnavailableError as error:
                    yield self._unseen(workset_id, error)
                    continue
                if folder.sentinels:
                    yield _stranger(workset_id, folder)


@frozen
class _Comparison:
    """A workset and its directory at one moment."""

    workset: Workset
    folder: Folder
    at: datetime

    def divergence(self) -> Divergence | None:
        """Return what differs, the gravest first."""
        for check in (self._others, self._overdue):
            if found := check():
                return found
        if self.workset.debts or self._others_now.retry_awaits_lock:
            return None  # it is about to be shown, or to be tried again
        checks = (self._none, self._projection, self._files)
        return next((found for check in checks if (found := check())), None)

    @property
    def _others_now(self) -> Others:
        return Others(workset=self.workset, folder=self.folder, at=self.at, actor="")

    def _others(self) -> Divergence | None:
        """Heed what others have done, and what we have done ourselves and then lost."""
        if behind(self.workset, self.folder.sentinels):
            return self._found(
                DivergenceKind.STORE_BEHIND,
                Side.SENTINELS,
                "sentinels of ours show a later step than the store knows of",
                Remedy.TAKE_OVER,
            )
        step = self._others_now.step(hands=True)
        if step is None:
            return None
        return self._found(
            DivergenceKind.SENTINELS,
            Side.SENTINELS,
            f"what others did to a workset that is not ours to run is a fact: it becomes {step.state}",
            Remedy.TAKE_OVER,
        )

    def _overdue(self) -> Divergence | None:
        if not _overdue(self.workset, self.at):
            return None
        owed = ", ".join(type(debt).__name__ for debt in self.workset.debts)
        return self._found(
            DivergenceKind.DEBTS_OVERDUE, Side.STORE, f"it owes the world: {owed}", Remedy.PAY
        )

    def _none(self) -> Divergence | None:
        if self.folder.names:
            return None
        why = "the store is the truth about what we have taken on"
        return self._found(DivergenceKind.NO_DIRECTORY, Side.STORE, why, Remedy.SHOW)

    def _projection(self) -> Divergence | None:
        workset, standing = self.workset, self.folder.sentinels.keys()
        locked_by_others = workset.lock is not None and not workset.lock.token
        if workset.foreign_run or workset.held or locked_by_others:
            return None  # others show it
        theirs = self.folder.foreign(workset.sequence)
        wanted = projection(workset.state, workset.archived_from)
        if standing - theirs == wanted - theirs:
            return None
        why = "the store is the truth about what we did"
        return self._found(DivergenceKind.SENTINELS, Side.STORE, why, Remedy.SHOW)

    def _files(self) -> Divergence | None:
        if self.folder.whole or self.workset.state not in PENDING:
            return None
        why = "the store has what the files say, and an engine needs them"
        return self._found(DivergenceKind.DAMAGED_DIRECTORY, Side.STORE, why, Remedy.SHOW)

    def _found(self, kind: DivergenceKind, wins: Side, why: str, remedy: Remedy) -> Divergence:
        return Divergence(
            workset_id=self.workset.workset_id,
            kind=kind,
            store=str(self.workset.state),
            sentinels=_names(self.folder),
            wins=wins,
            why=why,
            remedy=remedy,
        )


def _looks_right(workset: Workset, bits: int, at: datetime) -> bool:
    """Tell whether a directory looks as it should, by the names in it alone."""
    if _overdue(workset, at):
        return False
    if workset.debts:
        return True  # about to be paid
    standing = {each for each in Sentinel if bits & _BIT[each]}
    wanted = projection(workset.state, workset.archived_from)
    heard = {each.sentinel for each in workset.known} - wanted
    whole = bool(bits & _WHOLE) or workset.state not in PENDING
    return whole and standing - heard == wanted


def _overdue(workset: Workset, at: datetime) -> bool:
    return bool(workset.debts) and not workset.lock and at - workset.updated_at >= DEBT_GRACE


def _at_engine(workset: Workset) -> bool:
    return workset.running is not None or workset.lock is not None


def _at_odds(workset: Workset, status: JobStatus | None, at: datetime) -> Divergence | None:
    """Return how an engine's word differs from the store's."""
    if workset.running is not None:
        if status is None:
            told = "the engine answers, and has no such job"
            return _engine(workset, DivergenceKind.ENGINE_UNKNOWN, "no such job", told, Remedy.RECORD)
        if status.ended:
            told = "the engine knows how its jobs ended"
            return _engine(workset, DivergenceKind.ENGINE_ENDED, status.phase, told, Remedy.RECORD)
    elif status is not None and workset.lock is not None and workset.lock.expired(at):
        told = "the engine knows which jobs it has"
        return _engine(workset, DivergenceKind.ENGINE_RUNNING, status.phase, told, Remedy.LET_GO)
    return None


def _engine(workset: Workset, kind: DivergenceKind, said: str, why: str, remedy: Remedy) -> Divergence:
    return Divergence(
        workset_id=workset.workset_id,
        kind=kind,
        store=str(workset.state),
        sentinels="",
        engine=f"{workset.attempt_key}: {said}",
        wins=Side.ENGINE,
        why=why,
        remedy=remedy,
    )


def _silent(workset: Workset, error: UnavailableError) -> Divergence:
    return Divergence(
        workset_id=workset.workset_id,
        kind=DivergenceKind.ENGINE_SILENT,
        store=str(workset.state),
        sentinels="",
        engine=f"does not answer: {error}",
        wins=Side.NOBODY,
        why="silence says nothing about the job",
        remedy=Remedy.PERSON,
        advice="Check again once the engine answers.",
    )


def _unreadable(row: Unreadable) -> Divergence:
    return Divergence(
        workset_id=row.workset_id,
        kind=DivergenceKind.UNREADABLE_ROW,
        store=row.error,
        sentinels="",
        wins=Side.NOBODY,
        why="a newer version may have written it, or somebody has damaged it",
        remedy=Remedy.PERSON,
        advice="Read it with the newest version; if that cannot either, restore the row from a backup.",
    )


def _nameless(workset_id: str) -> Divergence:
    return Divergence(
        workset_id=workset_id,
        kind=DivergenceKind.UNREADABLE_ROW,
        store="a row of another system",
        sentinels="",
        wins=Side.NOBODY,
        why=f"no directory can have its name: ids are {ID_RULE}",
        remedy=Remedy.PERSON,
        advice="Register it under another id, or have the system that wrote it see to it.",
    )


def _stranger(workset_id: str, folder: Folder) -> Divergence:
    if MANIFEST not in folder.names:
        return Divergence(
            workset_id=workset_id,
            kind=DivergenceKind.NOT_IN_STORE,
            store="nothing",
            sentinels=_names(folder),
            wins=Side.NOBODY,
            why=f"without {MANIFEST} nothing says what workset it is",
            remedy=Remedy.PERSON,
            advice=f"Put {MANIFEST} there, or take the sentinels away.",
        )
    ours = any(body.ours for body in folder.sentinels.values())
    lost = "sentinels of ours stand there: the store has lost the workset"
    return Divergence(
        workset_id=workset_id,
        kind=DivergenceKind.NOT_IN_STORE,
        store="nothing",
        sentinels=_names(folder),
        wins=Side.SENTINELS,
        why=lost if ours else "what somebody dropped there is a workset",
        remedy=Remedy.RESTORE if ours else Remedy.REGISTER,
    )


def _names(folder: Folder) -> str:
    if not folder.names:
        return "no directory"
    return " ".join(each.removeprefix("daylily.") for each in folder.sentinels) or "no sentinel"
