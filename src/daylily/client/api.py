"""The client: a method for what a server does, typed views for what it answers."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, BinaryIO, Final, Self, TypedDict, Unpack
from urllib.parse import quote

import httpx
from attrs import define, frozen

from daylily.application.submit_workset import Submission
from daylily.client.connection import Connection, chunks, given, opened
from daylily.client.submissions import body_of
from daylily.domain.errors import InvalidInputError, NotFoundError
from daylily.domain.names import check_id, check_key
from daylily.entrypoints.views import (
    CheckedView,
    EstimateView,
    FilePage,
    FileView,
    HistoryPage,
    LogView,
    UsageView,
    WhyView,
    WorksetPage,
    WorksetView,
)

EVERYBODY: Final = "-"
"""Stands for all customers whom the token may see."""


@frozen
class WorksetEvent:
    """What has become of a workset: ``state``, ``progress``, ``log`` or ``end``."""

    kind: str
    data: Mapping[str, Any]
    event_id: str
    """Give it to ``events`` as *after* to go on from here."""


class Which(TypedDict, total=False):
    """Which worksets to yield: see ``Client.list``."""

    everybody: bool
    states: Sequence[str]
    priority: str | None
    name: str | None
    pipeline: str | None
    tag: str | None
    created_from: datetime | None
    created_before: datetime | None
    oldest_first: bool
    limit: int
    cursor: str | None


@define
class Client:
    """
    A daylily server.

    Requests that the server is not ready for are sent again, for some twenty seconds; those that change
    something carry a key by which it knows one that it has had before. Every method raises what the
    server says: NotFoundError, ConflictError, InvalidInputError with every fault, NotAllowedError,
    UnauthenticatedError, and UnavailableError when nobody answers.

    A change may name the *version* of the workset that it is meant for (``WorksetView.version``): if
    the workset has moved on since, StaleVersionError is raised and nothing is done.
    """

    _connection: Connection
    _customer: str

    @classmethod
    def to(
        cls,
        url: str,
        token: str | None,
        customer: str = "local",
        *,
        transport: httpx.BaseTransport | None = None,
    ) -> Self:
        """
        Return a client of the server at *url*; nothing is asked of it yet.

        Args:
            customer: Whose files and submissions it is about.
            transport: How to reach it, if not over the network.

        Raises:
            InvalidInputError: *url* is no address, or *customer* no id.
        """
        who = customer if customer == EVERYBODY else check_id(customer, "customer")
        return cls(Connection.to(url, token, transport=transport), who)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of connections."""
        self._connection.http.close()

    # Worksets

    def check(self, submission: Submission) -> CheckedView:
        """Return what the server makes of a submission, which it does not store."""
        answer = self._connection.post(self._path("worksets/validate"), body_of(submission))
        return self._connection.view(answer, CheckedView)

    def submit(self, submission: Submission) -> WorksetView:
        """Submit a workset whose files have been put before; return it, ready to run."""
        answer = self._connection.post(self._path("worksets"), body_of(submission))
        return self._connection.view(answer, WorksetView)

    def get(self, workset_id: str) -> WorksetView:
        """Return a workset."""
        return self._connection.view(self._connection.ask(self._workset(workset_id)), WorksetView)

    def list(
        self,
        *,
        everybody: bool = False,
        states: Sequence[str] = (),
        priority: str | None = None,
        name: str | None = None,
        pipeline: str | None = None,
        tag: str | None = None,
        created_from: datetime | None = None,
        created_before: datetime | None = None,
        oldest_first: bool = False,
        limit: int = 100,
        cursor: str | None = None,
    ) -> WorksetPage:
        """
        Return a page of worksets; it can be short, even empty, though more follow.

        Args:
            everybody: Those of every customer whom the token may see.
        """
        params = {
            "state": [*states],
            "priority": priority,
            "name": name,
            "pipeline": pipeline,
            "tag": tag,
            "created_from": created_from.isoformat() if created_from else None,
            "created_before": created_before.isoformat() if created_before else None,
            "sort": "created_at" if oldest_first else None,
            "limit": limit,
            "cursor": cursor,
        }
        customer = EVERYBODY if everybody else self._customer
        answer = self._connection.ask(f"/v1/api/customers/{customer}/worksets", params)
        return self._connection.view(answer, WorksetPage)

    def worksets(self, **which: Unpack[Which]) -> Iterator[WorksetView]:
        """Yield all worksets that ``list`` would return, page after page."""
        page = self.list(**which)
        yield from page.worksets
        while page.cursor is not None:
            page = self.list(**which | {"cursor": page.cursor})
            yield from page.worksets

    def why(self, workset_id: str) -> WhyView:
        """Say why a workset is where it is."""
        answer = self._connection.ask(f"{self._workset(workset_id)}/why")
        return self._connection.view(answer, WhyView)

    def history(self, workset_id: str, *, cursor: str | None = None, limit: int = 100) -> HistoryPage:
        """Return a page of all that a workset has been through, latest first."""
        params = {"cursor": cursor, "limit": limit}
        answer = self._connection.ask(f"{self._workset(workset_id)}/history", params)
        return self._connection.view(answer, HistoryPage)

    def events(self, workset_id: str, *, after: str | None = None) -> Iterator[WorksetEvent]:
        """
        Yield what becomes of a workset, as it happens, until it is over or the connection ends.

        Args:
            after: The id of the last event that is known already.
        """
        headers = {"accept": "text/event-stream"} | ({} if after is None else {"last-event-id": after})
        answer = self._connection.stream(f"{self._workset(workset_id)}/events", headers=headers)
        try:
            yield from _events(answer.iter_lines())
        finally:
            answer.close()

    # Changes

    def cancel(self, workset_id: str, reason: str = "", *, version: int | None = None) -> WorksetView:
        """Ask for a stop."""
        return self._change(workset_id, "cancel", {"reason": reason}, version)

    def retry(
        self,
        workset_id: str,
        reason: str = "",
        *,
        failed_samples: bool = False,
        version: int | None = None,
    ) -> WorksetView:
        """Put a workset that ended in error back into the queue, or its failed samples alone."""
        asked: dict[str, object] = {"reason": reason}
        if failed_samples:  # what servers of old do not know, they refuse
            asked["failed_samples"] = True
        return self._change(workset_id, "retry", asked, version)

    def prioritise(self, workset_id: str, priority: str, *, version: int | None = None) -> WorksetView:
        """Change how urgent a workset is that waits."""
        answer = self._connection.send(
            "PUT",
            f"{self._workset(workset_id)}/priority",
            json={"priority": priority},
            headers=_if_match(version),
        )
        return self._connection.view(answer, WorksetView)

    def archive(self, workset_id: str, reason: str = "", *, version: int | None = None) -> WorksetView:
        """Put away a workset that is over."""
        return self._change(workset_id, "archive", {"reason": reason}, version)

    def restore(self, workset_id: str, *, version: int | None = None) -> WorksetView:
        """Bring an archived workset back."""
        return self._change(workset_id, "restore", {}, version)

    def delete(
        self, workset_id: str, reason: str = "", *, files: bool = False, version: int | None = None
    ) -> WorksetView:
        """Hide an archived workset for good, and remove its files if so asked."""
        return self._change(workset_id, "delete", {"reason": reason, "hard_delete": files}, version)

    # What it leaves

    def log(self, workset_id: str, *, attempt: int | None = None, offset: int = 0) -> LogView:
        """Return part of what an attempt (the last one, unless said) has written."""
        params = {"offset": offset, "attempt": attempt}
        answer = self._connection.ask(f"{self._workset(workset_id)}/logs", params)
        return self._connection.view(answer, LogView)

    def results(
        self, workset_id: str, *, attempt: int | None = None, cursor: str | None = None
    ) -> FilePage:
        """Return the files that an attempt has left."""
        params = {"attempt": attempt, "cursor": cursor}
        answer = self._connection.ask(f"{self._workset(workset_id)}/results", params)
        return self._connection.view(answer, FilePage)

    def open_result(self, workset_id: str, key: str, *, attempt: int | None = None) -> BinaryIO:
        """Open a file of the results; the caller closes it."""
        path = f"{self._workset(workset_id)}/results/{quote(check_key(key))}"
        return opened(self._connection.stream(path, params=given({"attempt": attempt})))

    # Files, and the rest

    def put_file(self, key: str, source: BinaryIO, size: int) -> FileView:
        """
        Store one of the customer's own files, whole or not at all.

        Args:
            source: Read from where it is, once; it may be of any size.
            size: How many bytes there are to read.

        Raises:
            InvalidInputError: There are fewer or more; or the key is none.
        """
        answer = self._connection.send(
            "PUT",
            self._path(f"files/{quote(check_key(key))}"),
            content=chunks(source, size, key),
            headers={"content-length": str(size), "content-type": "application/octet-stream"},
        )
        return self._connection.view(answer, FileView)

    def delete_file(self, key: str) -> bool:
        """Remove one of them; return whether it was there."""
        try:
            self._connection.send("DELETE", self._path(f"files/{quote(check_key(key))}"))
        except NotFoundError:
            return False
        return True

    def estimate(
        self,
        pipeline: str,
        *,
        sample_count: int = 1,
        coverage: float = 30.0,
        priority: str = "normal",
        data_size_gb: float = 0.0,
    ) -> EstimateView:
        """Say what a workset will cost."""
        body = {
            "pipeline_type": pipeline,
            "sample_count": sample_count,
            "estimated_coverage": coverage,
            "priority": priority,
            "data_size_gb": data_size_gb,
        }
        answer = self._connection.send("POST", "/v1/api/estimate-cost", json=body)
        return self._connection.view(answer, EstimateView)

    def usage(self, *, months: int = 12) -> UsageView:
        """Tell what the customer uses."""
        answer = self._connection.ask(self._path("usage"), {"months": months})
        return self._connection.view(answer, UsageView)

    def ready(self) -> Mapping[str, Any]:
        """
        Return what the server says of its own health.

        Raises:
            UnavailableError: It does not answer, or is not well.
        """
        found: Mapping[str, Any] = self._connection.ask("/health/ready").json()
        return found

    def _change(
        self, workset_id: str, change: str, body: Mapping[str, object], version: int | None
    ) -> WorksetView:
        path = f"{self._workset(workset_id)}/{change}"
        answer = self._connection.post(path, body, headers=_if_match(version))
        return self._connection.view(answer, WorksetView)

    def _path(self, rest: str) -> str:
        return f"/v1/api/customers/{self._customer}/{rest}"

    def _workset(self, workset_id: str) -> str:
        try:
            # Whose it is, the token decides: an operator's own store has no such walls either.
            return f"/v1/api/customers/{EVERYBODY}/worksets/{check_id(workset_id)}"
        except InvalidInputError:
            # What no workset can be called, no store has: the same answer as from a local one.
            raise NotFoundError(f"there is no workset {workset_id[:80]}") from None


def _if_match(version: int | None) -> dict[str, str]:
    return {} if version is None else {"if-match": f'"{version}"'}


def _events(lines: Iterator[str]) -> Iterator[WorksetEvent]:
    told: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if not line and "event" in told:
            yield WorksetEvent(told["event"], json.loads(told.get("data", "{}")), told.get("id", ""))
            told = {}
        elif name in {"event", "id", "data"}:
            told[name] = value
