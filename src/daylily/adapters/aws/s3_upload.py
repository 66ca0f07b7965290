"""Large objects in parts, one part in memory at a time."""

from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any, BinaryIO, Final, Protocol, Self

from attrs import define, field

from daylily.domain.errors import DaylilyError

_GROWS_AFTER: Final = 1000
"""Parts of one size; S3 takes 10,000 parts, so that a long stream needs larger ones."""
_GROWN: Final = 8
"""How many times its first size a part may become."""


class Ask(Protocol):
    """Calls S3, for one object."""

    def __call__(self, action: str, **arguments: Any) -> Any:
        """Return S3's answer."""


@define
class Upload:
    """An upload in parts, which leaves nothing behind unless it is completed."""

    _ask: Ask
    _part_size: int
    _more: dict[str, Any]
    _id: str = field(init=False, default="")
    _parts: list[dict[str, Any]] = field(init=False, factory=list)
    _complete: bool = field(init=False, default=False)

    def __enter__(self) -> Self:
        self._id = self._ask("CreateMultipartUpload", **self._more)["UploadId"]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._complete:
            # What went wrong is the error to tell of; parts left over go by a rule of the bucket.
            with suppress(DaylilyError):
                self._ask("AbortMultipartUpload", UploadId=self._id)

    def send_all(self, start: bytes, source: BinaryIO) -> int:
        """Send *start* and all that *source* still has; return how many bytes that was."""
        size = 0
        for number, part in enumerate(_parts(start, source, self._part_size), 1):
            answer = self._ask("UploadPart", UploadId=self._id, PartNumber=number, Body=part)
            self._parts.append({"PartNumber": number, "ETag": answer["ETag"]})
            size += len(part)
        return size

    def copy_all(self, size: int, part_size: int, origin: dict[str, Any]) -> None:
        """Have S3 copy *size* bytes from elsewhere."""
        for number, start in enumerate(range(0, size, part_size), 1):
            end = min(start + part_size, size) - 1
            answer = self._ask(
                "UploadPartCopy",
                UploadId=self._id,
                PartNumber=number,
                CopySourceRange=f"bytes={start}-{end}",
                **origin,
            )
            result = answer["CopyPartResult"]
            self._parts.append({"PartNumber": number, "ETag": result["ETag"]})

    def complete(self, **condition: Any) -> Any:
        """Make the object appear; return S3's answer."""
        answer = self._ask(
            "CompleteMultipartUpload",
            UploadId=self._id,
            MultipartUpload={"Parts": self._parts},
            **condition,
        )
        self._complete = True
        return answer


def first_part(source: BinaryIO, size: int) -> bytes:
    """Read *size* bytes; fewer only where the source has no more, however little it gives at a time."""
    pieces: list[bytes] = []
    missing = size
    while missing and (piece := source.read(missing)):
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)


def _parts(start: bytes, source: BinaryIO, size: int) -> Iterator[bytes]:
    part, number = start, 0
    while part:
        yield part
        number += 1
        part = first_part(source, size * min(_GROWN, 1 << number // _GROWS_AFTER))
