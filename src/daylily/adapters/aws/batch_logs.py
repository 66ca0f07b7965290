"""
Logs in CloudWatch, read as one text by bytes.

CloudWatch keeps lines, without their ends, and knows no bytes. So the text is its lines with an end
between them, and where a byte is can only be found by reading up to it. Who follows a log need not
read it all each time: where pages end is remembered. That saves time alone, and may be forgotten.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from attrs import define, field, frozen
from botocore.exceptions import ClientError

from daylily.adapters.aws.errors import MissingError, code, reported

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

_LOGS_KEPT: Final = 256
_TAIL_LINES: Final = 20


@frozen(kw_only=True)
class LogStream:
    """What one container has written."""

    group: str
    name: str | None
    """None where it never began to write."""
    prefix: str = ""
    """Leads every line."""
    ended: bool


@frozen
class _Mark:
    """Where a page begins."""

    position: int = 0
    stream: int = 0
    token: str | None = None


@define(eq=False)
class CloudWatchLogs:
    """Reads logs, each of which has a name by which marks of it are remembered."""

    client: "CloudWatchLogsClient"
    _marks: "OrderedDict[str, list[_Mark]]" = field(init=False, factory=OrderedDict)
    _mutex: threading.Lock = field(init=False, factory=threading.Lock)

    def read(
        self, name: str, streams: Iterable[LogStream], offset: int, limit: int
    ) -> tuple[bytes, bool]:
        """
        Return bytes from *offset* on, more than *limit* if there are, and whether the log ends there.

        Args:
            streams: One after the other make up the log; it goes on to the next once one has ended.

        Raises:
            UnavailableError: CloudWatch does not answer.
        """
        try:
            return self._read(name, streams, offset, limit, self._mark(name, offset))
        except _StaleTokenError:
            with self._mutex:
                self._marks.pop(name, None)
            return self._read(name, streams, offset, limit, _Mark())

    def tail(self, stream: LogStream) -> str:
        """
        Return the last lines of a stream.

        Raises:
            UnavailableError: CloudWatch does not answer.
        """
        messages, _ = self._page(stream, None, startFromHead=False, limit=_TAIL_LINES)
        return "\n".join(messages)

    def _read(
        self, name: str, streams: Iterable[LogStream], offset: int, limit: int, mark: _Mark
    ) -> tuple[bytes, bool]:
        data = b""
        position, token = mark.position, mark.token
        for number, stream in enumerate(streams):
            if number < mark.stream:
                continue
            while True:
                messages, following = self._page(stream, token)
                for message in messages:
                    end = b"\n" if position else b""
                    piece = end + f"{stream.prefix}{message}".encode()
                    data += piece[max(offset - position, 0) :]
                    position += len(piece)
                if following == token:
                    break
                token = following
                self._remember(name, _Mark(position, number, token))
                if len(data) > limit:
                    return data, False
            if not stream.ended:
                return data, False
            # Not remembered as read: the last lines may come some seconds after the end.
            token = None
        return data, True

    def _page(
        self, stream: LogStream, token: str | None, **options: Any
    ) -> tuple[list[str], str | None]:
        if stream.name is None:
            return [], token
        where: dict[str, Any] = {"logGroupName": stream.group, "logStreamName": stream.name}
        where |= {"nextToken": token} if token else {}
        try:
            with reported("logs", "GetLogEvents", f"log stream {stream.group} {stream.name}"):
                try:
                    found = self.client.get_log_events(**where, **({"startFromHead": True} | options))
                except ClientError as error:
                    if token and code(error) == "InvalidParameterException":
                        raise _StaleTokenError from error
                    raise
        except MissingError:
            return [], token  # nothing has been written yet
        return [event.get("message", "") for event in found["events"]], found["nextForwardToken"]

    def _mark(self, name: str, offset: int) -> _Mark:
        with self._mutex:
            marks = [mark for mark in self._marks.get(name, ()) if mark.position <= offset]
            return marks[-1] if marks else _Mark()

    def _remember(self, name: str, mark: _Mark) -> None:
        with self._mutex:
            marks = self._marks.setdefault(name, [])
            self._marks.move_to_end(name)
            if not marks or (mark.stream, mark.position) >= (marks[-1].stream, marks[-1].position):
                if marks and marks[-1].position == mark.position:
                    marks.pop()
                marks.append(mark)
            while len(self._marks) > _LOGS_KEPT:
                self._marks.popitem(last=False)


class _StaleTokenError(Exception):
    """CloudWatch has forgotten where a page ends."""
