"""When a write is refused, and what that means."""

from collections.abc import Iterator

from daylily.adapters.aws import items
from daylily.adapters.aws.rows import KeptWorkset, Row
from daylily.adapters.aws.schema import KEY
from daylily.adapters.aws.table import Refused, Terms
from daylily.domain.errors import ConcurrentUpdateError, DaylilyError, NotFoundError
from daylily.domain.workset import Workset


def removable(workset: Workset) -> Iterator[str]:
    """Yield the attributes that a save removes where it does not set them."""
    yield from items.OURS
    yield from ("manifest", "manifest_key")
    if not isinstance(workset, KeptWorkset):
        yield from items.HISTORIC


def unchanged(workset: Workset, terms: Terms) -> str:
    """Return the condition that nobody has written the row since *workset* was read."""
    if isinstance(workset, KeptWorkset):
        row = workset.kept.row
        seen = [
            f"{terms.name(name)} = {terms.value(row[name])}"
            if name in row
            else f"attribute_not_exists({terms.name(name)})"
            for name in ("version", "state", "updated_at", "lock_owner")
        ]
        return " AND ".join([f"attribute_exists({terms.name(KEY)})", *seen])
    state, at, lock = terms.name("state"), terms.name("updated_at"), terms.name("lock_owner")
    written = terms.name("written_lock")
    return (
        f"{terms.name('version')} = {terms.value(workset.version)}"
        f" AND {state} = {terms.name('written_state')} AND {at} = {terms.name('written_at')}"
        f" AND ({lock} = {written}"
        f" OR (attribute_not_exists({lock}) AND attribute_not_exists({written})))"
    )


def is_ours(refused: Refused, written: Row) -> bool:
    """Tell whether what stands in the way of a write is that very write: its answer was lost."""
    return refused.row is not None and refused.row.get("write_id") == written["write_id"]


def loss(workset: Workset, refused: Refused) -> DaylilyError:
    """Return the error of a save that was refused."""
    if refused.row is None:
        return NotFoundError(f"there is no workset {workset.workset_id}")
    return ConcurrentUpdateError(
        f"{workset.workset_id} is at version {refused.row.get('version', 0)} and was last written"
        f" {refused.row.get('updated_at')}: what was read, version {workset.version}, is out of date"
    )
