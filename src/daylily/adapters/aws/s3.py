"""Files in a bucket of S3."""

import io
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TypeVar, cast

from attrs import evolve, field, frozen

from daylily.adapters.aws.s3_bucket import (
    CONFLICT,
    TRIES,
    BeyondError,
    Bucket,
    UnmetError,
)
from daylily.adapters.aws.s3_reader import ObjectReader
from daylily.adapters.aws.s3_upload import Upload, first_part
from daylily.adapters.keys import check_folder, check_prefix
from daylily.adapters.objects import replaced, streamed
from daylily.adapters.paging import check_limit, decode_cursor, encode_cursor
from daylily.domain.errors import (
    AlreadyExistsError,
    InvalidInputError,
    NotFoundError,
    PerhapsOursError,
    UnavailableError,
)
from daylily.domain.names import KEY_BYTES, check_key, key_fault
from daylily.ports.object_store import ObjectInfo, ObjectStore, Peek
from daylily.ports.paging import Page

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")

_MOST: Final = 1000
_LAST: Final = "\U0010ffff"
"""Sorts behind all that a key may go on with."""
_WRITER: Final = "daylily-writer"
"""Metadata that tells whose write it was that stands there."""
_GIB: Final = 1 << 30


def _token(answer: Any) -> str:
    return str(answer.get("NextContinuationToken", ""))


def _last_name(answer: Any) -> str:
    if not answer["IsTruncated"]:
        return ""
    names = [each["Key"] for each in answer.get("Contents", ())]
    names += [each["Prefix"] + _LAST for each in answer.get("CommonPrefixes", ())]
    return str(max(names))


_Further = tuple[str, Callable[[Any], str]]
"""What S3 takes for where the next page begins, and how an answer tells it; nothing at the end."""

# S3's own token also holds for stores with an order of their own.
_BY_TOKEN: Final[_Further] = ("ContinuationToken", _token)
# Behind a token that stands for a prefix SeaweedFS leaves out what stands beside it.
_BY_NAME: Final[_Further] = ("StartAfter", _last_name)


@frozen(eq=False)
class S3ObjectStore:
    """
    An ObjectStore in a bucket, or below a prefix of one.

    - Objects that no key can name (folder markers, ``a//b``) are left out of listings.
    - ``modified_at`` is in whole seconds; that of ``put`` is the time of S3's answer, and S3 may have
      stamped the object some moments before.
    - A conditional write that meets another one (409) is tried again for some seconds.

    Args:
        client: A low-level client, which threads may share.
        prefix: Empty, or a folder with its ``/``: keys are relative to it.
        part_size: Bytes; larger objects are sent in parts, and one part is held in memory at a time.
        copy_part_size: Bytes; larger objects are copied in parts (S3 takes 5 GiB at most at once).
    """

    client: "S3Client"
    bucket: str
    prefix: str = field(default="", converter=check_folder)
    part_size: int = 8 << 20
    copy_part_size: int = 5 * _GIB
    _bucket: Bucket = field(init=False)

    @_bucket.default
    def _new_bucket(self) -> Bucket:
        return Bucket(self.client, self.bucket)

    def put(self, key: str, source: BinaryIO | bytes, *, if_absent: bool = False) -> ObjectInfo:
        """See ObjectStore.put."""
        name = self._name(key)
        source = io.BytesIO(source) if isinstance(source, bytes) else source
        start = first_part(source, self.part_size)
        if len(start) < self.part_size:
            return self._put_at_once(key, name, start, if_absent)
        return self._put_in_parts(key, name, start, source, if_absent)

    def replace(self, key: str, content: bytes, *, if_etag: str) -> bool:
        """See ObjectStore.replace."""
        name, writer = self._name(key), uuid.uuid4().hex
        try:
            self._bucket.ask(
                "PutObject",
                key,
                Key=name,
                Body=content,
                IfMatch=f'"{if_etag}"',
                Metadata={_WRITER: writer},
            )
        except NotFoundError:
            return False
        except UnmetError as error:
            return error.repeated and self._is_by(key, writer)
        return True

    def open(
        self, key: str, *, start: int = 0, stop: int | None = None, if_etag: str | None = None
    ) -> BinaryIO:
        """See ObjectStore.open."""
        if stop is not None and stop <= start:
            return self._nothing(key, if_etag)
        try:
            return self._got(key, start, stop, if_etag)[1]
        except UnmetError as error:
            raise replaced(key) from error
        except BeyondError:
            return self._nothing(key, if_etag)

    def _got(
        self, key: str, start: int, stop: int | None, if_etag: str | None = None
    ) -> tuple[Any, BinaryIO]:
        """Ask for an object, or a part of it; return the answer, and what reads it to its end."""
        name = self._name(key)
        last = "" if stop is None else str(stop - 1)
        wanted: dict[str, Any] = {"Range": f"bytes={start}-{last}"} if start or last else {}
        if if_etag is not None:
            wanted["IfMatch"] = f'"{if_etag}"'
        found = self._bucket.ask("GetObject", key, Key=name, **wanted)

        def resume(position: int) -> Any:
            part = f"bytes={start + position}-{last}"
            return self._bucket.ask("GetObject", key, Key=name, Range=part, IfMatch=found["ETag"])[
                "Body"
            ]

        reader = ObjectReader(key, found["Body"], found["ContentLength"], resume)
        return found, cast("BinaryIO", reader)

    def info(self, key: str) -> ObjectInfo:
        """See ObjectStore.info."""
        return _info(key, self._head(key))

    def peek(self, key: str, size: int) -> Peek:
        """See ObjectStore.peek."""
        try:
            found, stream = self._got(key, 0, size)
        except BeyondError:
            return Peek(b"", self.info(key))  # there is no byte in it
        with stream:
            _, _, whole = found.get("ContentRange", "").rpartition("/")
            found = {**found, "ContentLength": int(whole or found["ContentLength"])}
            return Peek(stream.read(), _info(key, found))

    def copy(self, source: str, target: str, *, known: ObjectInfo | None = None) -> ObjectInfo:
        """See ObjectStore.copy."""
        return self._copy(self, source, target, known)

    def take(
        self, other: ObjectStore, source: str, target: str, *, known: ObjectInfo | None = None
    ) -> ObjectInfo:
        """See ObjectStore.take."""
        if isinstance(other, S3ObjectStore):
            return self._copy(other, source, target, known)
        return streamed(self, other, source, target)

    def _copy(
        self, other: "S3ObjectStore", source: str, target: str, known: ObjectInfo | None
    ) -> ObjectInfo:
        name = self._name(target)
        for _ in range(TRIES):
            found, known = known or other.info(source), None
            place = {"Bucket": other.bucket, "Key": other._name(source)}
            if place == {"Bucket": self.bucket, "Key": name}:
                return evolve(found, key=target)  # S3 would refuse, as it would change nothing
            origin = {
                "CopySource": place,
                "CopySourceIfMatch": f'"{found.etag}"',
            }
            try:
                if found.size > self.copy_part_size:
                    return self._copy_in_parts(target, name, found.size, origin)
                copied = self._bucket.ask("CopyObject", target, Key=name, **origin)
            except UnmetError:
                continue  # the source was replaced meanwhile
            result = copied["CopyObjectResult"]
            return ObjectInfo(
                key=target,
                size=found.size,
                etag=_bare(result["ETag"]),
                modified_at=_seconds(result["LastModified"]),
            )
        raise UnavailableError(f"{source} is replaced faster than it can be copied")

    def delete(self, key: str, *, if_etag: str | None = None) -> bool:
        """See ObjectStore.delete."""
        name = self._name(key)
        for _ in range(TRIES):
            try:
                # Without an etag S3 does not tell whether there was anything to remove.
                etag = if_etag or _bare(self._head(key)["ETag"])
                self._bucket.ask("DeleteObject", key, Key=name, IfMatch=f'"{etag}"')
            except NotFoundError:
                return False
            except UnmetError:
                if if_etag is not None:
                    return False
            else:
                return True
        raise UnavailableError(f"{key} is replaced faster than it can be removed")

    def delete_all(self, etags: Mapping[str, str]) -> Collection[str]:
        """See ObjectStore.delete_all."""
        if len(etags) > 1 and self._bucket.heeds_batches is None:
            self._bucket.heeds_batches = self._try_batch(next(iter(etags)))
        if len(etags) < 2 or not self._bucket.heeds_batches:
            return [key for key, etag in etags.items() if self.delete(key, if_etag=etag)]
        refused = self._delete_batch(etags)
        for key, word in refused.items():
            # Where two deletes have met, one alone decides.
            if word in CONFLICT and self.delete(key, if_etag=etags[key]):
                refused = {other: each for other, each in refused.items() if other != key}
        return etags.keys() - refused.keys()

    def list(
        self, prefix: str, *, cursor: str | None = None, limit: int = 1000, without: str = ""
    ) -> Page[ObjectInfo]:
        """See ObjectStore.list."""
        check_prefix(prefix)
        if not without:
            return self._page("list", prefix, cursor, limit, {}, _objects)
        # What is not wanted S3 rolls up, each roll to a prefix.
        how = {"Delimiter": without}
        return self._page("list without", prefix, cursor, limit, how, _objects, _BY_NAME)

    def entries(self, prefix: str, *, cursor: str | None = None, limit: int = 1000) -> Page[str]:
        """See ObjectStore.entries."""
        check_folder(prefix)
        return self._page("entries", prefix, cursor, limit, {"Delimiter": "/"}, _entries)

    def browse(
        self, prefix: str, *, cursor: str | None = None, limit: int = 1000
    ) -> Page[ObjectInfo | str]:
        """See ObjectStore.browse."""
        check_folder(prefix)
        return self._page("browse", prefix, cursor, limit, {"Delimiter": "/"}, _level)

    def changed(self, prefix: str, mark: str | None) -> str | None:
        """Return a new mark every time: only a listing could tell."""
        check_folder(prefix)
        return uuid.uuid4().hex

    def location(self, key: str) -> str:
        """Return ``s3://bucket/key``."""
        return f"s3://{self.bucket}/{self.prefix}{check_prefix(key)}".removesuffix("/")

    # Writing

    def _put_at_once(self, key: str, name: str, content: bytes, if_absent: bool) -> ObjectInfo:
        writer = uuid.uuid4().hex
        condition: dict[str, Any] = {}
        if if_absent:
            condition = {"IfNoneMatch": "*", "Metadata": {_WRITER: writer}}
        try:
            answer = self._bucket.ask("PutObject", key, Key=name, Body=content, **condition)
        except UnmetError as error:
            if not (error.repeated and self._is_by(key, writer)):
                raise _taken(key, perhaps_by_us=error.repeated) from error
            return self.info(key)
        return self._written(key, len(content), answer)

    def _put_in_parts(
        self, key: str, name: str, start: bytes, source: BinaryIO, if_absent: bool
    ) -> ObjectInfo:
        if if_absent and self._is_there(key):
            raise _taken(key)  # rather now than after the last byte
        condition: dict[str, Any] = {"IfNoneMatch": "*"} if if_absent else {}
        writer = uuid.uuid4().hex
        with self._upload(key, name, Metadata={_WRITER: writer}) as upload:
            size = upload.send_all(start, source)
            try:
                answer = upload.complete(**condition)
            except UnmetError as error:
                if not (error.repeated and self._is_by(key, writer)):
                    raise _taken(key, perhaps_by_us=error.repeated) from error
                return self.info(key)
        return self._written(key, size, answer)

    def _copy_in_parts(self, key: str, name: str, size: int, origin: dict[str, Any]) -> ObjectInfo:
        with self._upload(key, name) as upload:
            upload.copy_all(size, self.copy_part_size, origin)
            upload.complete()
        return self.info(key)

    def _upload(self, key: str, name: str, **more: Any) -> Upload:
        def ask(action: str, **arguments: Any) -> Any:
            return self._bucket.ask(action, key, Key=name, **arguments)

        return Upload(ask, self.part_size, more)

    def _is_by(self, key: str, writer: str) -> bool:
        """Tell whether it was that writer's object that stood in its own way: the answer was lost."""
        try:
            return bool(self._head(key)["Metadata"].get(_WRITER) == writer)
        except NotFoundError:
            return False

    def _written(self, key: str, size: int, answer: Any) -> ObjectInfo:
        told = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
        # Only an imitation of S3 gives no time with its answer.
        at = parsedate_to_datetime(told) if told else self._head(key)["LastModified"]
        return ObjectInfo(key=key, size=size, etag=_bare(answer["ETag"]), modified_at=_seconds(at))

    # Removing

    def _delete_batch(self, etags: Mapping[str, str]) -> dict[str, str]:
        """Return the codes of the errors by keys: of those that are not there, or not any more so."""
        named = {self._name(key): key for key in etags}
        objects = [{"Key": name, "ETag": f'"{etags[key]}"'} for name, key in named.items()]
        return {named[name]: word for name, word in self._bucket.delete_batch(objects).items()}

    def _try_batch(self, beside: str) -> bool:
        """
        Tell whether this store heeds etags in a batch, by an object of our own.

        AWS does. Others may pass over them, and would remove what somebody else has put there.
        """
        folder, slash, _ = beside.rpartition("/")
        probe = f"{folder}{slash}.daylily-probe-{uuid.uuid4().hex}"
        etag = self.put(probe, b"").etag
        other = "0" * len(etag)
        heeds = bool(self._delete_batch({probe: other})) and self._is_there(probe)
        self.delete(probe, if_etag=etag)
        return heeds

    # Asking

    def ask(self, action: str, key: str, **arguments: Any) -> Any:
        """
        Call S3 about an object in a way that this store itself has no use for.

        Raises:
            NotFoundError: There is no such object.
            UnavailableError: S3 does not answer, or not us; or there is no such bucket.
        """
        return self._bucket.ask(action, key, Key=self._name(key), **arguments)

    def name_of(self, key: str) -> str:
        """Return what an object is called in the bucket."""
        return self._name(key)

    def _name(self, key: str) -> str:
        name = self.prefix + check_key(key)
        if len(name.encode()) > KEY_BYTES:
            raise InvalidInputError.of("key", f"{key[:80]!r} is too long below {self.prefix}")
        return name

    def _head(self, key: str) -> Any:
        return self._bucket.ask("HeadObject", key, Key=self._name(key))

    def _nothing(self, key: str, if_etag: str | None) -> BinaryIO:
        """Return what stands beyond the end of an object, which has to be there."""
        if if_etag not in {None, self.info(key).etag}:
            raise replaced(key)
        return io.BytesIO()

    def _is_there(self, key: str) -> bool:
        try:
            self._head(key)
        except NotFoundError:
            return False
        return True

    # Listing

    def _page(
        self,
        kind: str,
        prefix: str,
        cursor: str | None,
        limit: int,
        how: dict[str, Any],
        read: Callable[[Any, str], Iterator[T]],
        further: _Further = _BY_TOKEN,
    ) -> Page[T]:
        check_limit(limit)
        argument, place_of = further
        (place,) = decode_cursor(kind, cursor, 1) if cursor is not None else ("",)
        found: Any = []
        while len(found) < limit:
            more = {argument: place} if place else {}
            answer = self._bucket.listed(
                Prefix=self.prefix + prefix, MaxKeys=min(limit - len(found), _MOST), **how, **more
            )
            found += read(answer, self.prefix)
            place = place_of(answer)
            if not place:
                return Page(tuple(found))
        return Page(tuple(found), encode_cursor(kind, place))


def _taken(key: str, *, perhaps_by_us: bool = False) -> AlreadyExistsError:
    kind = PerhapsOursError if perhaps_by_us else AlreadyExistsError
    return kind(f"{key} is there already")


def _info(key: str, found: Any) -> ObjectInfo:
    return ObjectInfo(
        key=key,
        size=found["ContentLength"],
        etag=_bare(found["ETag"]),
        modified_at=_seconds(found["LastModified"]),
    )


def _seconds(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(microsecond=0)


def _bare(etag: str) -> str:
    return etag.strip('"')


def _objects(answer: Any, prefix: str) -> Iterator[ObjectInfo]:
    for each in answer.get("Contents", ()):
        key = _key(each["Key"], prefix)
        if key and not key.endswith("/"):
            yield ObjectInfo(
                key=key,
                size=each["Size"],
                etag=_bare(each["ETag"]),
                modified_at=_seconds(each["LastModified"]),
            )


def _level(answer: Any, prefix: str) -> Iterator[ObjectInfo | str]:
    found: list[ObjectInfo | str] = list(_objects(answer, prefix))
    folders = [_key(each["Prefix"], prefix) for each in answer.get("CommonPrefixes", ())]
    found += filter(None, folders)
    yield from sorted(found, key=lambda each: each if isinstance(each, str) else each.key)


def _entries(answer: Any, prefix: str) -> Iterator[str]:
    names = [each["Key"] for each in answer.get("Contents", ())]
    # A folder's own marker is no entry of it; what else ends so is a folder by its prefix.
    names = [name for name in names if not name.endswith("/")]
    names += [each["Prefix"] for each in answer.get("CommonPrefixes", ())]
    # In the order of their bytes of UTF-8, which is that of code points.
    yield from sorted(key for name in names if (key := _key(name, prefix)))


def _key(name: str, prefix: str) -> str:
    """Return the key of an object or a folder, or nothing if no key can name it."""
    key = name.removeprefix(prefix)
    return "" if key_fault(key.removesuffix("/"), "") else key
