"""Uploads and downloads between clients and S3, at addresses that are signed for a while."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any, Final

from attrs import frozen
from botocore.exceptions import ClientError

from daylily.adapters.aws.errors import NotPermittedError, code
from daylily.adapters.aws.s3 import S3ObjectStore
from daylily.domain.errors import ConflictError, InvalidInputError, NotFoundError, UnavailableError
from daylily.ports.object_store import ObjectInfo
from daylily.ports.transfers import Part, Upload

SMALLEST: Final = 16 << 20
"""Bytes of a part; S3 takes none below 5 MiB but the last."""
MOST_PARTS: Final = 10_000
_MIB: Final = 1 << 20
_GONE: Final = frozenset({"NoSuchUpload", "404"})
_WRONG: Final = frozenset({"InvalidPart", "InvalidPartOrder", "EntityTooSmall", "MalformedXML"})


@frozen(eq=False)
class S3Transfers:
    """
    Transfers in S3's own way.

    Which parts have come, their sender knows: to ask S3 would take a right that nothing else here
    needs. A part that is sent again replaces the one of its number.
    """

    objects: S3ObjectStore
    smallest: int = SMALLEST

    def download_url(self, key: str, *, disposition: str, lasting: timedelta) -> str | None:
        """See Transfers.download_url."""
        return self._signed(
            "get_object",
            lasting,
            Key=self.objects.name_of(key),
            ResponseContentDisposition=disposition,
            ResponseContentType="application/octet-stream",
            ResponseCacheControl="no-store",
        )

    def begin(self, key: str, size: int) -> Upload:
        """See Transfers.begin."""
        answer = self.objects.ask("CreateMultipartUpload", key)
        least = -(-size // MOST_PARTS)
        part_size = max(self.smallest, -(-least // _MIB) * _MIB)
        return Upload(key=key, size=size, token=answer["UploadId"], part_size=part_size)

    def part_url(self, upload: Upload, number: int, *, lasting: timedelta) -> str:
        """See Transfers.part_url."""
        return self._signed(
            "upload_part",
            lasting,
            Key=self.objects.name_of(upload.key),
            UploadId=upload.token,
            PartNumber=number,
        )

    def offset(self, upload: Upload) -> int:
        """Return 0: nothing is appended."""
        return 0

    def append(self, upload: Upload, offset: int, source: Any) -> int:
        """Refuse: parts are sent to S3."""
        raise ConflictError("parts of this upload are sent to the store, at the addresses given")

    def complete(self, upload: Upload, parts: Sequence[Part]) -> ObjectInfo:
        """See Transfers.complete."""
        if [part.number for part in parts] != list(range(1, upload.parts + 1)):
            raise ConflictError(f"{upload.parts} parts make this file: name each, in order")
        named = [{"PartNumber": part.number, "ETag": f'"{part.etag.strip(chr(34))}"'} for part in parts]
        with _explained():
            self.objects.ask(
                "CompleteMultipartUpload",
                upload.key,
                UploadId=upload.token,
                MultipartUpload={"Parts": named},
            )
        stored = self.objects.info(upload.key)
        if stored.size != upload.size:
            # Whoever said so may have quotas, or a workset, in mind: it is not the file that was meant.
            self.objects.delete(upload.key, if_etag=stored.etag)
            text = f"{stored.size} bytes were sent, and {upload.size} were said: it was not kept"
            raise InvalidInputError.of("size", text)
        return stored

    def abort(self, upload: Upload) -> None:
        """See Transfers.abort."""
        # Who may not do so leaves parts to the bucket's rule, as the store of objects does.
        with suppress(NotFoundError, NotPermittedError), _explained():
            self.objects.ask("AbortMultipartUpload", upload.key, UploadId=upload.token)

    def _signed(self, call: str, lasting: timedelta, **arguments: Any) -> str:
        return str(
            self.objects.client.generate_presigned_url(
                call,
                Params={"Bucket": self.objects.bucket, **arguments},
                ExpiresIn=int(lasting.total_seconds()),
            )
        )


@contextmanager
def _explained() -> Iterator[None]:
    """Tell an upload that is gone, and parts that are none, from a store that does not answer."""
    try:
        yield
    except UnavailableError as error:
        cause = error.__cause__
        word = code(cause) if isinstance(cause, ClientError) else ""
        if word in _GONE:
            raise NotFoundError("there is no such upload") from error
        if word in _WRONG:
            raise ConflictError(f"these are not the parts of this upload ({word})") from error
        raise
