"""What a stored change still owes the world: each can be paid twice without harm (design idea 1)."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final

from attrs import frozen

from daylily.domain.events import Event
from daylily.domain.sentinels import Sentinel, SentinelBody


@frozen
class CopyFiles:
    """
    Copy the customer's files to their places in the workset's directory.

    Owed only by a workset that was taken in while the object store was away: otherwise the files are
    there before the workset is.
    """

    sources: tuple[str, ...]
    """Keys in the object store, in the order of the manifest's files."""


@frozen
class PublishFiles:
    """Write the workset's own files (``daylily_work.yaml`` and its like) into its directory."""


@frozen
class PostSentinel:
    """Create a sentinel, unless one of that name stands there already."""

    sentinel: Sentinel
    body: SentinelBody


@frozen
class WithdrawSentinel:
    """Remove our own sentinel of that name, unless it shows a later transition than this."""

    sentinel: Sentinel
    sequence: int


@frozen
class SendNotice:
    """Tell people of an event."""

    event: Event


Debt = CopyFiles | PublishFiles | PostSentinel | WithdrawSentinel | SendNotice


def in_order(debts: Iterable[Debt]) -> tuple[Debt, ...]:
    """
    Return *debts* in the order in which they are to be paid, without those that others make idle.

    Whoever pays may die after any of them, and what stands in the directory then, an old monitor
    believes. So at no point may ``ready`` stand alone unless the workset is ready:

    1. the files, since ``ready`` says that they are there;
    2. new sentinels, first in precedence first;
    3. ``ready`` is withdrawn, or posted afresh, before anything that has covered it goes;
    4. sentinels that stand there in an old form are replaced;
    5. the others are withdrawn, last in precedence first: the one shown goes last;
    6. notices, since a channel that is down must not hold up the directory.
    """
    debts = tuple(debts)
    posts = {debt.sentinel: debt for debt in debts if isinstance(debt, PostSentinel)}
    withdrawals: dict[Sentinel, WithdrawSentinel] = {}
    for debt in debts:
        # One that takes away later transitions takes away earlier ones too.
        if isinstance(debt, WithdrawSentinel):
            known = withdrawals.get(debt.sentinel, debt)
            withdrawals[debt.sentinel] = max(known, debt, key=lambda one: one.sequence)
    ordered: list[Debt] = [debt for debt in debts if isinstance(debt, CopyFiles)]
    ordered += [debt for debt in debts if isinstance(debt, PublishFiles)]
    ordered += [posts[sentinel] for sentinel in Sentinel if sentinel in posts.keys() - withdrawals]
    upwards = [sentinel for sentinel in reversed(Sentinel) if sentinel in withdrawals]
    for sentinel in sorted(upwards, key=lambda one: (one is not Sentinel.READY, one not in posts)):
        ordered.append(withdrawals[sentinel])
        if sentinel in posts:
            ordered.append(posts[sentinel])
    ordered += [debt for debt in debts if isinstance(debt, SendNotice)]
    return tuple(ordered)


_COVERS: Final = frozenset({Sentinel.IGNORE, Sentinel.COMPLETE, Sentinel.ERROR})
"""What keeps monitors of old from a workset whatever else stands there."""


def together(debts: Iterable[Debt]) -> Iterator[tuple[Debt, ...]]:
    """
    Yield *debts* in their order, those withdrawals at once whose order among them says nothing.

    Whoever withdraws several at once may come to an end with any of them left. So ``ready`` goes first
    and alone, unless what is posted before covers it.
    """
    covered = False
    for is_withdrawal, group in groupby(debts, lambda debt: isinstance(debt, WithdrawSentinel)):
        if not is_withdrawal:
            for debt in group:
                covered = covered or (isinstance(debt, PostSentinel) and debt.sentinel in _COVERS)
                yield (debt,)
            continue
        withdrawals = tuple(group)
        if not covered:
            first = tuple(debt for debt in withdrawals if _is_of_ready(debt))
            if first:
                yield first
            withdrawals = tuple(debt for debt in withdrawals if not _is_of_ready(debt))
        if withdrawals:
            yield withdrawals


def _is_of_ready(debt: Debt) -> bool:
    return isinstance(debt, WithdrawSentinel) and debt.sentinel is Sentinel.READY
