"""Upload a customer's large file bit by bit, and fetch it without a token for a while."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import BinaryIO, Final

from attrs import evolve, frozen

from daylily.application.customer_files import CustomerFiles
from daylily.application.stored_file import StoredFile
from daylily.domain.customer_keys import writable_key
from daylily.domain.customers import Principal
from daylily.domain.errors import AlreadyExistsError, InvalidInputError, NotFoundError
from daylily.ports.clock import Chance, Clock
from daylily.ports.documents import Document, DocumentStore
from daylily.ports.object_store import ObjectInfo
from daylily.ports.transfers import Part, Transfers, Upload

LARGEST: Final = 5 << 40
"""Bytes; S3 takes no larger object."""
LASTING: Final = timedelta(hours=1)
"""How long an address that is signed can be used."""
MOST_URLS: Final = 100
"""Addresses of parts that are given out at once."""


@frozen(kw_only=True)
class UploadInParts:
    """
    Uploads that survive a broken connection.

    An upload is known to its client by a text that says its key, its size and what the store calls it:
    in another customer's space it is none.
    """

    files: CustomerFiles
    transfers: Transfers

    def begin(self, who: Principal, customer_id: str, key: str, size: int) -> tuple[str, Upload]:
        """
        Begin with a file, and return what its upload is known by.

        Raises:
            NotFoundError: There is no such customer for the caller.
            InvalidInputError: The key or the size is none that can be.
        """
        self.files.check(who, customer_id)
        if not 1 <= size <= LARGEST:
            raise InvalidInputError.of("size", f"{size} is not from 1 byte to 5 TiB")
        key = writable_key(key)
        self.files.quota.take(customer_id, size)
        upload = self.transfers.begin(self.files.places.file(customer_id, key), size)
        return _named(evolve(upload, key=key)), evolve(upload, key=key)

    def elsewhere(self) -> str | None:
        """Return an address such as parts are sent to; None where we take all bytes ourselves."""
        example = Upload(key="example", size=1, token="example", part_size=1)  # noqa: S106
        try:
            return self.transfers.part_url(example, 1, lasting=LASTING)
        except InvalidInputError:
            return None

    def look(self, who: Principal, customer_id: str, upload_id: str) -> tuple[Upload, int]:
        """
        Return an upload, and how many bytes have been appended to it.

        Raises:
            NotFoundError: There is no such upload for the caller.
        """
        upload = self._known(who, customer_id, upload_id)
        return _said(upload_id), self.transfers.offset(upload)

    def urls(
        self, who: Principal, customer_id: str, upload_id: str, first: int = 1
    ) -> Iterator[tuple[int, str]]:
        """
        Yield the numbers of parts and where to send each, from *first* on; none where we take bytes.

        Raises:
            NotFoundError: There is no such upload for the caller.
        """
        upload = self._known(who, customer_id, upload_id)
        for number in range(first, min(first + MOST_URLS, upload.parts + 1)):
            yield number, self.transfers.part_url(upload, number, lasting=LASTING)

    def append(
        self, who: Principal, customer_id: str, upload_id: str, offset: int, source: BinaryIO
    ) -> int:
        """
        Append bytes; return how many there are now.

        Raises:
            NotFoundError: There is no such upload for the caller.
            ConflictError: It does not end at *offset*.
        """
        return self.transfers.append(self._known(who, customer_id, upload_id), offset, source)

    def complete(
        self, who: Principal, customer_id: str, upload_id: str, parts: Sequence[Part]
    ) -> ObjectInfo:
        """
        Let the file appear among the customer's own.

        Raises:
            NotFoundError: There is no such upload for the caller.
            ConflictError: Not all of it is there.
        """
        stored = self.transfers.complete(self._known(who, customer_id, upload_id), parts)
        return evolve(stored, key=_said(upload_id).key)

    def abort(self, who: Principal, customer_id: str, upload_id: str) -> None:
        """
        Forget an upload, and what has come of it.

        Raises:
            NotFoundError: There is no such customer for the caller, or the name is none.
        """
        self.transfers.abort(self._known(who, customer_id, upload_id))

    def _known(self, who: Principal, customer_id: str, upload_id: str) -> Upload:
        self.files.check(who, customer_id)
        said = _said(upload_id)
        return evolve(said, key=self.files.places.file(customer_id, said.key))


@frozen(kw_only=True)
class SignLinks:
    """Addresses from which one file can be fetched for a while, by whoever has them."""

    files: CustomerFiles
    transfers: Transfers
    documents: DocumentStore
    clock: Clock
    chance: Chance

    def __call__(self, who: Principal, customer_id: str, key: str, disposition: str) -> str:
        """
        Return an address of the store, or a path at our own server.

        Raises:
            NotFoundError: There is no such file for the caller.
        """
        key = self.files.look(who, customer_id, key).info.key
        place = self.files.places.file(customer_id, key)
        url = self.transfers.download_url(place, disposition=disposition, lasting=LASTING)
        if url is not None:
            return url
        until = int((self.clock() + LASTING).timestamp())
        return f"/signed/{until}-{self._signature(until, customer_id, key)}/{customer_id}/{key}"

    def open(self, token: str, customer_id: str, key: str) -> StoredFile:
        """
        Return the file that a path of ours is for.

        Raises:
            NotFoundError: The path is none, has run out, or there is no such file any more.
        """
        until, _, signature = token.partition("-")
        if not (until.isascii() and until.isdigit() and len(until) < 12):
            raise NotFoundError("this address is none")
        expected = self._signature(int(until), customer_id, key)
        if not hmac.compare_digest(signature.encode(), expected.encode()):
            raise NotFoundError("this address is none")
        if self.clock() >= datetime.fromtimestamp(int(until), UTC):
            raise NotFoundError("this address has run out: ask for another")
        whoever = Principal(name="signed", customer_id=customer_id)
        return self.files.look(whoever, customer_id, key)

    def _signature(self, until: int, customer_id: str, key: str) -> str:
        text = f"{until}\n{customer_id}\n{key}".encode()
        return hmac.new(self._secret(), text, hashlib.sha256).hexdigest()

    def _secret(self) -> bytes:
        """Return what addresses are signed with: drawn once, and the same for all servers."""
        place = ("secret", "server", "links")
        try:
            return self.documents.get(*place).body.encode()
        except NotFoundError:
            pass
        drawn = "".join(self.chance.token() for _ in range(6))
        kind, partition, key = place
        try:
            self.documents.add(Document(kind=kind, partition=partition, key=key, body=drawn))
        except AlreadyExistsError:
            drawn = self.documents.get(*place).body
        return drawn.encode()


def _named(upload: Upload) -> str:
    said = [upload.key, upload.size, upload.token, upload.part_size]
    text = json.dumps(said, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _said(upload_id: str) -> Upload:
    try:
        padded = upload_id.encode("ascii") + b"=" * (-len(upload_id) % 4)
        key, size, token, part_size = json.loads(base64.b64decode(padded, b"-_", validate=True))
        sound = (
            isinstance(key, str)
            and isinstance(token, str)
            and isinstance(size, int)
            and 1 <= size <= LARGEST
            and (part_size is None or (isinstance(part_size, int) and part_size >= 1))
        )
        if not sound or writable_key(key) != key:
            raise ValueError(upload_id)
    except (ValueError, TypeError, RecursionError, binascii.Error, InvalidInputError):
        raise NotFoundError("there is no such upload") from None
    return Upload(key=key, size=size, token=token, part_size=part_size)
