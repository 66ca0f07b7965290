"""Does S3 let us do what we have to, and does it keep its promises?"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Final

from attrs import frozen

from daylily.adapters.aws.check_tables import trouble, unseen
from daylily.adapters.aws.errors import NotOfferedError, NotPermittedError
from daylily.adapters.aws.s3 import S3ObjectStore
from daylily.adapters.aws.setup_bucket import BucketSetup
from daylily.adapters.sentinel_store import ObjectSentinelStore
from daylily.domain.errors import AlreadyExistsError, DaylilyError, NotFoundError, UnavailableError
from daylily.domain.names import is_id
from daylily.ports.installation import Finding
from daylily.ports.paging import every

_LOOKS: Final = 20
"""Directories whose sentinels are read."""
_ANOTHER: Final = "0" * 32
"""The etag of something else."""
_TAKE_ANOTHER: Final = (
    "take a store that heeds conditions: monitors that share this one would run a workset twice"
)
_INIT: Final = "`daylily init` sees to it"


@frozen(kw_only=True, eq=False)
class BucketChecks:
    """
    Tries a bucket, and removes what it has written for it.

    Args:
        bucket: The bucket.
        objects: The object store in it.
        prefix: The folder in which each workset has its directory.
        official: Whether the bucket is in AWS itself, so that its region matters.
    """

    bucket: BucketSetup
    objects: S3ObjectStore
    prefix: str
    official: bool

    def __call__(self) -> Iterator[Finding]:
        """Yield what was found; a bucket that cannot be listed is not tried further."""
        try:
            yield self._there()
        except UnavailableError as error:
            yield trouble("bucket", error)
            return
        checks: tuple[tuple[str, Callable[[str], Finding]], ...] = (
            ("objects", self._objects),
            ("versions", self._versions),
            ("public", self._public),
            ("lifecycle", self._lifecycle),
            ("sentinels", self._sentinels),
        )
        for check, find in checks:
            try:
                yield find(check)
            except UnavailableError as error:
                yield trouble(check, error)

    def _there(self) -> Finding:
        name, wanted = self.bucket.name, self.bucket.region
        self.objects.list(self.prefix, limit=1)
        region = self.bucket.where() if self.official else None
        if region and region != wanted:
            advice = "work in one region (AWS_REGION): between two, each byte costs time and money"
            return Finding("bucket", "warn", f"{name} is in {region}, the tables in {wanted}", advice)
        return Finding("bucket", "ok", f"{name} is there" + (f", in {region}" if region else ""))

    def _objects(self, check: str) -> Finding:
        key = f"{self.prefix}daylily-doctor-{uuid.uuid4().hex}"
        try:
            fault = self._fault_of(key)
        finally:
            with suppress(DaylilyError):
                self.objects.delete(key)
        if fault is not None:
            return Finding(check, "FAIL", fault, _TAKE_ANOTHER)
        text = "can be put, read and removed, and are left alone where a condition does not hold"
        return Finding(check, "ok", text)

    def _fault_of(self, key: str) -> str | None:
        """Return which promise S3 breaks with an object that is put, replaced and removed."""
        objects = self.objects
        objects.put(key, b"one", if_absent=True)
        with suppress(AlreadyExistsError):
            objects.put(key, b"two", if_absent=True)
            return "a put with If-None-Match has replaced what was there"
        if objects.replace(key, b"three", if_etag=_ANOTHER):
            return "a put with If-Match has replaced something else"
        if objects.delete(key, if_etag=_ANOTHER):
            return "a delete with If-Match has removed something else"
        with objects.open(key) as stream:
            if stream.read() != b"one":
                return "what is read is not what was put"
        objects.delete(key)
        with suppress(NotFoundError):
            objects.info(key)
            return "what was removed is still there"
        return None

    def _versions(self, check: str) -> Finding:
        try:
            if self.bucket.versioned():
                return Finding(check, "ok", "what is replaced or removed is kept for a while")
        except (NotPermittedError, NotOfferedError) as error:
            return unseen(check, error)
        return Finding(check, "warn", "what is replaced or removed is gone at once", _INIT)

    def _public(self, check: str) -> Finding:
        try:
            if self.bucket.blocked():
                return Finding(check, "ok", "public access is blocked")
        except (NotPermittedError, NotOfferedError) as error:
            return unseen(check, error)
        return Finding(check, "warn", "public access is not blocked", _INIT)

    def _lifecycle(self, check: str) -> Finding:
        try:
            missing = self.bucket.missing_rules()
        except (NotPermittedError, NotOfferedError) as error:
            return unseen(check, error)
        if not missing:
            return Finding(check, "ok", "parts of broken uploads and old versions go by themselves")
        text = f"the bucket lacks {len(missing)} rules of ours: what nobody needs is paid for"
        return Finding(check, "warn", text, _INIT)

    def _sentinels(self, check: str) -> Finding:
        store = ObjectSentinelStore(self.objects, self.prefix)
        names = filter(is_id, every(lambda cursor: store.directories(cursor=cursor)))
        seen = [len(store.look(name).sentinels) for name in islice(names, _LOOKS)]
        if not seen:
            return Finding(check, "ok", f"none yet below {self.prefix}")
        return Finding(check, "ok", f"read {sum(seen)} in {len(seen)} directories of {self.prefix}")
