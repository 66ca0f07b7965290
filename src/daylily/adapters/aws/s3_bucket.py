"""One bucket of S3: calls whose errors are explained, and tried again where writes have met."""

import random
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from attrs import define, field
from botocore import xform_name
from botocore.exceptions import ClientError

from daylily.adapters.aws.errors import code, reported, retried
from daylily.domain.errors import InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

TRIES: Final = 8
ABSENT: Final = frozenset({"404", "NoSuchKey", "NotFound"})
UNMET: Final = frozenset({"412", "PreconditionFailed"})
_BEYOND: Final = frozenset({"416", "InvalidRange"})
CONFLICT: Final = frozenset({"409", "ConditionalRequestConflict"})
_PERMISSION: Final = {
    "DeleteObjects": "DeleteObject",
    "HeadObject": "GetObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
    "CompleteMultipartUpload": "PutObject",
}
"""What IAM calls it, where that is not the name of the call."""


class BeyondError(Exception):
    """A range begins beyond the end of its object."""


class UnmetError(Exception):
    """A condition of a call does not hold; *repeated*: the call's own first attempt may have met it."""

    def __init__(self, repeated: bool) -> None:
        self.repeated = repeated
        super().__init__(repeated)


@define(eq=False)
class Bucket:
    """A bucket; *client* is a low-level one, which threads may share."""

    client: "S3Client"
    name: str
    pause: float = 0.05
    """Seconds within which a write that met another is tried again at first; then twice as many ..."""
    _seen: bool = field(init=False, default=False)
    """Whether the bucket is known to be there."""
    heeds_batches: bool | None = field(init=False, default=None)
    """Whether etags count in a batch of deletes; None: nobody has tried."""

    def ask(self, action: str, key: str, **arguments: Any) -> Any:
        """
        Call S3 about an object.

        Raises:
            NotFoundError: There is no such object.
            UnavailableError: S3 does not answer, or not us; or there is no such bucket.
            UnmetError: A condition does not hold.
            BeyondError: A range begins beyond the object's end.
        """
        method = getattr(self.client, xform_name(action))
        for attempt in range(TRIES):
            with self._reported(action):
                try:
                    answer = method(Bucket=self.name, **arguments)
                except ClientError as error:
                    word = code(error)
                    if word in ABSENT:
                        self._check()
                        raise NotFoundError(f"there is no {key} in bucket {self.name}") from error
                    if word in UNMET:
                        raise UnmetError(attempt > 0 or retried(error)) from error
                    if word in _BEYOND:
                        raise BeyondError from error
                    if word not in CONFLICT or attempt == TRIES - 1:
                        raise
                else:
                    self._seen = True
                    return answer
            # Two conditional writes have met. Apart by chance, one will come through.
            time.sleep(random.uniform(0, self.pause * 2**attempt))  # noqa: S311
        raise AssertionError("the last attempt returns or raises")

    def delete_batch(self, objects: Sequence[Any]) -> dict[str, str]:
        """
        Delete what still has its etag; return the codes of S3 by the names of those that have not.

        Raises:
            UnavailableError: S3 does not answer, or not us; or it removes one for no such reason.
        """
        with self._reported("DeleteObjects"):
            answer = self.client.delete_objects(
                Bucket=self.name, Delete={"Objects": objects, "Quiet": True}
            )
            kept = {}
            for each in answer.get("Errors", ()):
                if each["Code"] not in UNMET | ABSENT | CONFLICT:
                    told = f"{each['Key']}: {each.get('Message', '')}"
                    raise ClientError(
                        {"Error": {"Code": each["Code"], "Message": told}}, "DeleteObjects"
                    )
                kept[each["Key"]] = each["Code"]
        return kept

    def listed(self, **arguments: Any) -> Any:
        """
        Return one page of a listing.

        Raises:
            InvalidInputError: The token is none of S3's.
            UnavailableError: S3 does not answer, or not us; or there is no such bucket.
        """
        with self._reported("ListBucket"):
            try:
                answer = self.client.list_objects_v2(Bucket=self.name, **arguments)
            except ClientError as error:
                if "ContinuationToken" in arguments and code(error) == "InvalidArgument":
                    raise InvalidInputError.of("cursor", "is not one of this listing's") from error
                raise
        self._seen = True
        return answer

    def _check(self) -> None:
        # A HEAD says 404 of a missing bucket too, which must not read as "no such object".
        if not self._seen:
            self.listed(MaxKeys=1)

    def _reported(self, action: str) -> Any:
        return reported("s3", _PERMISSION.get(action, action), f"bucket {self.name}")
