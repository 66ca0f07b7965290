"""What does not fit into a row: older history, long texts and long manifests, beside the workset."""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from attrs import field, frozen

from daylily.adapters.aws.rows import Row
from daylily.adapters.keys import check_folder
from daylily.domain.errors import AlreadyExistsError, NotFoundError, UnavailableError
from daylily.domain.names import is_id, key_fault
from daylily.ports.object_store import ObjectStore

MANIFEST_BYTES: Final = 32_000
"""Bytes of a packed manifest up to which it stands in the row."""
_KEY: Final = re.compile(r"(?:^|/)([^/]+)/(?:history|manifests)/[^/]+\.json\Z")


@frozen(eq=False)
class Spill:
    """
    Files that rows refer to, each named after its content and never changed.

    They are written before the row that refers to them. A writer that then dies, or loses, leaves a
    file that nobody refers to, and no row is ever without what it refers to.
    """

    objects: ObjectStore | None
    prefix: str = field(default="worksets/", converter=check_folder)
    _there: set[str] = field(init=False, factory=set)
    """Keys that this process has written or read: nobody need write them again."""

    def history(self, workset_id: str, entries: Sequence[Row], before: str | None) -> str | None:
        """
        Write history entries that leave the row; return the key to refer to them by.

        Args:
            before: The key of those that left before them.
        """
        numbers = f"{entries[0]['n']}-{entries[-1]['n']}"
        return self._put(workset_id, f"history/{numbers}", {"before": before, "entries": list(entries)})

    def manifest(self, workset_id: str, manifest: Any) -> str | None:
        """Write a manifest; return its key."""
        return self._put(workset_id, "manifests/", manifest)

    def chunks(self, workset_id: str, key: Any) -> Iterator[list[Row]]:
        """
        Yield the entries that have left a row, the latest first.

        Raises:
            UnavailableError: A file that the row refers to is gone, not readable, or another's.
        """
        seen = set[str]()
        while key is not None:
            found = self.read(workset_id, key)
            entries = found.get("entries") if isinstance(found, dict) else None
            if not isinstance(entries, list) or not entries or key in seen:
                raise UnavailableError(f"{key} holds no history")
            seen.add(key)
            yield entries
            key = found.get("before")

    def read(self, workset_id: str, key: Any) -> Any:
        """
        Return what a file holds.

        Raises:
            UnavailableError: It is gone, not readable, or not of that workset: whoever can write a row
                must not have us read what is somebody else's.
        """
        if not isinstance(key, str) or not self._is_of(workset_id, key):
            raise UnavailableError(
                f"the row of {workset_id} refers to {key!r:.200}, which is not its own"
            )
        try:
            found = json.loads(self._text(key))
        except (ValueError, RecursionError) as error:
            raise UnavailableError(f"{key} is no JSON: {error}") from error
        self._there.add(key)
        return found

    def _is_of(self, workset_id: str, key: str) -> bool:
        # The folder of all worksets may have been moved since: so only the end of the key counts.
        found = _KEY.search(key)
        return found is not None and found[1] == _folder(workset_id) and key_fault(key, "key") is None

    @lru_cache(maxsize=64)  # noqa: B019 (one store a process, and its files never change)
    def _text(self, key: str) -> str:
        if self.objects is None:
            raise UnavailableError(f"{key} is in an object store, and none is configured")
        try:
            with self.objects.open(key) as stream:
                return stream.read().decode()
        except (NotFoundError, UnicodeDecodeError) as error:
            raise UnavailableError(f"a row refers to {key}, which cannot be read: {error}") from error

    def _put(self, workset_id: str, name: str, value: Any) -> str | None:
        if self.objects is None:
            return None
        content = json.dumps(value, separators=(",", ":"), default=_number).encode()
        digest = hashlib.sha256(content).hexdigest()[:16]
        key = (
            f"{self.prefix}{_folder(workset_id)}/{name}{'' if name.endswith('/') else '-'}{digest}.json"
        )
        if key not in self._there:
            with suppress(AlreadyExistsError):
                self.objects.put(key, content, if_absent=True)
            self._there.add(key)
        return key


def _folder(workset_id: str) -> str:
    # Ids of old may be no key: they get a folder that is one.
    return workset_id if is_id(workset_id) else hashlib.sha256(workset_id.encode()).hexdigest()


def _number(value: Any) -> int | str:
    # DynamoDB's numbers are Decimals.
    if not isinstance(value, Decimal):
        return str(value)
    return int(value) if value == value.to_integral_value() else str(value)
