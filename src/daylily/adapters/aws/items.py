"""Worksets of ours as rows: attributes as old readers know them, and our record beside them."""

from collections.abc import Callable
from typing import Any, Final

from attrs import evolve, frozen

from daylily.adapters.aws import historic
from daylily.adapters.aws.rows import (
    NUMBER,
    Kept,
    KeptWorkset,
    Row,
    bare,
    instant,
    numbered,
    pack,
    present,
    stamp,
    unpack,
    values_of,
    whole_number,
)
from daylily.adapters.paging import time_key
from daylily.adapters.records import damaged, from_plain, to_plain
from daylily.domain.lifecycle import State
from daylily.domain.manifest import Manifest
from daylily.domain.names import is_id
from daylily.domain.scheduling import queue_rank
from daylily.domain.workset import Transition, Workset

TEXT: Final = 2000
"""Characters of any text in a row, the manifest's apart; what is longer is kept whole elsewhere."""
_OLD_TEXT: Final = 200
_RECENT_ATTEMPTS: Final = 3
_LISTED_SAMPLES: Final = 50
_NO_MANIFEST: Final = Manifest(samples=(), pipeline="")

HISTORIC: Final = (
    "state",
    "priority",
    "customer_id",
    "bucket",
    "prefix",
    "created_at",
    "updated_at",
    "lock_owner",
    "lock_acquired_at",
    "lock_expires_at",
    "error_details",
    "error_category",
    "retry_count",
    "max_retries",
    "preferred_cluster",
    "cluster_name",
    "retry_after",
    "original_state",
    "archived_at",
    "archived_by",
    "archive_reason",
    "restored_at",
    "restored_by",
    "deleted_at",
    "deleted_by",
    "delete_reason",
    "progress_message",
    "started_at",
    "finished_at",
    "total_compute_cost_usd",
)
"""Attributes of old that follow the workset. ``metadata`` is written once: it does not change."""

OURS: Final = (
    "version",
    "record",
    "written_state",
    "written_at",
    "written_lock",
    "queue",
    "queue_rank",
    "due",
    "due_at",
)
_CONTESTED: Final = frozenset({"state", "lock_owner", "lock_acquired_at", "lock_expires_at"})


@frozen
class Layout:
    """Where the directories of worksets are, for readers of the row."""

    bucket: str | None = None
    prefix: str = "worksets/"


def fitted(workset: Workset) -> Workset:
    """Return a workset whose texts fit into a row; equal to *workset* where they did already."""
    plain = to_plain(evolve(bare(workset), history=(), manifest=_NO_MANIFEST))
    plain["history"] = to_plain(workset.history)
    cut = {name: _cut(value, TEXT) for name, value in plain.items()}
    for attempt in cut["attempts"][:-_RECENT_ATTEMPTS]:
        if attempt["failure"]:
            attempt["failure"]["message"] = _cut(attempt["failure"]["message"], _OLD_TEXT)
        # By now it is but a story what it was for.
        attempt["only"] = attempt["only"][:_LISTED_SAMPLES]
    if cut == plain:
        return workset
    cut["manifest"] = to_plain(workset.manifest)
    fit = from_plain(Workset, cut, workset.workset_id)
    if isinstance(workset, KeptWorkset):
        return KeptWorkset(**{**values_of(fit), "kept": workset.kept})
    return fit


def historic_attributes(workset: Workset, layout: Layout) -> Row:
    """Return the attributes that old readers know, but for history and metadata."""
    cost = workset.recorded_usd
    lock, failure, last = workset.lock, workset.failure, (workset.attempts or (None,))[-1]
    found = {
        "state": str(workset.state),
        "priority": str(workset.priority),
        "customer_id": workset.customer_id,
        "bucket": layout.bucket,
        "prefix": f"{layout.prefix}{workset.workset_id}/",
        "created_at": time_key(workset.created_at),
        "updated_at": time_key(workset.updated_at),
        "lock_owner": lock.owner if lock else None,
        "lock_acquired_at": stamp(lock.acquired_at) if lock else None,
        "lock_expires_at": stamp(lock.expires_at) if lock else None,
        "error_details": failure.message if failure else None,
        "error_category": str(failure.category) if failure else None,
        "retry_count": workset.retries_used,
        "max_retries": workset.max_retries,
        "preferred_cluster": workset.requirements.cluster,
        "cluster_name": last.cluster if last else None,
        "retry_after": stamp(workset.retry_at),
        "original_state": str(workset.archived_from) if workset.archived_from else None,
        "progress_message": workset.progress.message if workset.progress else None,
        "started_at": stamp(last.started_at) if last else None,
        "finished_at": stamp(last.ended_at) if last else None,
        "total_compute_cost_usd": None if cost is None else str(cost),
        **_put_away(workset),
    }
    return present(found)


def _put_away(workset: Workset) -> Row:
    """Return who put it away, brought it back and removed it, as far as history has it at hand."""
    found: Row = {}
    archived: Transition | None = None
    for step in workset.history:
        if step.state is State.ARCHIVED:
            archived = step
            found |= {"restored_at": None, "restored_by": None}
            found |= {"archived_at": stamp(step.at), "archived_by": step.actor}
            found["archive_reason"] = step.reason
        elif step.state is State.DELETED:
            found |= {"deleted_at": stamp(step.at), "deleted_by": step.actor}
            found["delete_reason"] = step.reason
        elif archived is not None:
            archived = None
            found |= {"restored_at": stamp(step.at), "restored_by": step.actor}
    return found


def changes(workset: KeptWorkset, layout: Layout) -> Row:
    """
    Return the historic attributes that a save has to set, or to remove (None).

    What the workset's life since it was read has not changed is left as it was found, in the words
    of whoever wrote it.
    """
    row, now = workset.kept.row, historic_attributes(workset, layout)
    before = historic_attributes(workset.kept.base, layout)
    # Where ours is the truth, it has to be written over what others say.
    contested = _CONTESTED if "version" in row else frozenset()
    changed: Row = {}
    for name in HISTORIC:
        value, found = now.get(name), row.get(name)
        if name == "customer_id":
            found = found or None  # no index takes an empty one
        same = value == before.get(name) and (value is None or found is not None)
        if same and (name not in contested or value is None or _reads_as(name, found, value)):
            continue
        if value is not None or name in row:
            changed[name] = value
    return changed


def _reads_as(name: str, found: Any, value: str) -> bool:
    if name == "state":
        return historic.state_of({"state": found}) == value
    if name == "lock_owner":
        return str(found) == value
    return instant(found) == instant(value)


def own_attributes(workset: Workset, written: Row) -> Row:
    """
    Return the attributes that are ours.

    Args:
        written: What the historic attributes will be, by which a later reader tells whether another
            system has changed them.
    """
    record = to_plain(evolve(bare(workset), history=(), manifest=_NO_MANIFEST))
    del record["history"], record["manifest"]
    found = {
        "version": workset.version,
        "record": pack(record),
        "written_state": written.get("state"),
        "written_at": written.get("updated_at"),
        "written_lock": written.get("lock_owner"),
    }
    # Who cannot have a directory of that name cannot be run by us: no monitor is to find it.
    if is_id(workset.workset_id):
        if workset.state is State.READY:
            rank = queue_rank(workset.priority, workset.created_at)
            found |= {"queue": "ready", "queue_rank": f"{rank}#{workset.workset_id}"}
        if workset.due_at is not None:
            found |= {"due": "due", "due_at": f"{time_key(workset.due_at)}#{workset.workset_id}"}
    return present(found)


def metadata(workset: Workset) -> Row:
    """Return what portals of old show of a workset."""
    manifest = workset.manifest
    found: Row = {
        "workset_name": workset.name,
        "pipeline_type": manifest.pipeline,
        "reference_genome": manifest.reference_genome,
        "submitted_by": workset.submitted_by,
        "priority": str(workset.priority),
        "sample_count": len(manifest.samples),
        "samples": [
            {"sample_id": sample.sample_id, "r1_file": pair.r1, "r2_file": pair.r2 or ""}
            for sample in manifest.samples[:_LISTED_SAMPLES]
            for pair in sample.pairs[:1]
        ],
    }
    if workset.estimate is not None:
        # Schedulers of old sort by it.
        found["estimated_cost_usd"] = workset.estimate.total_usd
    if workset.tags:
        found["tags"] = list(workset.tags)
    if workset.notification_email:
        found["notification_email"] = workset.notification_email
    return found


def entry(step: Transition, number: int) -> Row:
    """Return a history entry in the shape of old, with our two keys beside."""
    return {
        "state": str(step.state),
        "timestamp": time_key(step.at),
        "reason": step.reason,
        "actor": step.actor,
        NUMBER: number,
    }


def entries(workset: Workset) -> list[Row]:
    """Return all history of a workset in hand; entries of others as they were found."""
    first = workset.sequence - len(workset.history) + 1
    found = [entry(step, number) for number, step in enumerate(workset.history, first)]
    if isinstance(workset, KeptWorkset):
        kept = _kept_entries(workset.kept)
        found = [{**kept.get(each[NUMBER], each), NUMBER: each[NUMBER]} for each in found]
    return found


def cut_entries(row: Row) -> dict[int, Row]:
    """Return the entries of a row of ours that refer to their whole text, by their numbers."""
    listed = row.get("state_history")
    return {
        int(each[NUMBER]): each
        for each in (listed if isinstance(listed, list) else [])
        if numbered(each) and "whole" in each
    }


def _kept_entries(kept: Kept) -> dict[int, Row]:
    """Return the entries of a row under the numbers that they have in the workset."""
    stored = kept.row.get("state_history")
    listed = stored if isinstance(stored, list) else []
    ours = [each for each in listed if numbered(each)]
    theirs = [each for each in listed if not numbered(each)]
    last = int(ours[-1][NUMBER]) if ours else 0
    found = {int(each[NUMBER]): each for each in ours}
    for number, each in enumerate(theirs, last + 1):
        found[number] = each if isinstance(each, dict) else {"found": each}
    return found


def decoded(row: Row, layout: Layout, manifest: Callable[[Row], Any]) -> Workset:
    """
    Return the workset that a row holds.

    Args:
        manifest: Finds the manifest of a row as plain values.

    Raises:
        UnavailableError: The record is damaged, or a newer version's.
    """
    if "version" not in row or "record" not in row:
        return KeptWorkset.of(historic.read(row), row)
    name = str(row["workset_id"])
    history = row.get("state_history", [])
    version = whole_number(row["version"])
    if not isinstance(history, list) or version is None:
        what = "state_history is no list" if version is not None else "version is no number of ours"
        raise damaged(name, TypeError(what))
    try:
        plain = unpack(row["record"])
        plain["manifest"] = manifest(row)
        plain["history"] = []
        plain["version"] = version
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise damaged(name, error) from error
    ours = tuple(historic.transition(each) for each in history if numbered(each))
    workset = evolve(from_plain(Workset, plain, name), history=ours)
    if historic.touched(row):
        return KeptWorkset.of(historic.overlay(workset, row), row)
    if _strange(row, workset, layout):
        return KeptWorkset.of(workset, row)
    return workset


def _strange(row: Row, workset: Workset, layout: Layout) -> bool:
    """Tell whether a row of ours holds words or entries of others that a rewrite would lose."""
    told = historic_attributes(workset, layout)
    return any(row.get(name) != told.get(name) for name in HISTORIC) or (
        row.get("state_history") != entries(workset)
    )


def _cut(value: Any, most: int) -> Any:
    """Return a JSON value whose texts are at most so long, and can be written as UTF-8."""
    if isinstance(value, str):
        sound = value.encode(errors="replace").decode()
        return sound if len(sound) <= most else f"{sound[: most - 1]}…"
    if isinstance(value, list):
        return [_cut(each, most) for each in value]
    if isinstance(value, dict):
        return {name: _cut(each, most) for name, each in value.items()}
    return value
