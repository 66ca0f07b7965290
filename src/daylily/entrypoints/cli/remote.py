"""A server as the place where worksets live: ``daylily.client`` in the words of the command line."""

from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, Self

import httpx
from attrs import define

from daylily.application.submit_workset import Submission
from daylily.client import Client as Server
from daylily.domain.errors import Fault, InvalidInputError, UnavailableError
from daylily.domain.manifest import Manifest
from daylily.entrypoints.cli.client import Query, Question
from daylily.entrypoints.views import (
    EstimateView,
    FilePage,
    FileView,
    HistoryPage,
    LogView,
    WhyView,
    WorksetPage,
    WorksetView,
)


@define
class RemoteClient:
    """A Client of a daylily server."""

    _server: Server

    @classmethod
    def to(
        cls,
        url: str,
        token: str | None,
        customer: str,
        *,
        transport: httpx.BaseTransport | None = None,
    ) -> Self:
        """
        Return a client of the server at *url*; nothing is asked of it yet.

        Args:
            transport: How to reach it, if not over the network.
        """
        return cls(Server.to(url, token, customer, transport=transport))

    def faults(self, submission: Submission) -> Sequence[Fault]:
        """See Client.faults; the server is asked, since it is the server that would refuse."""
        try:
            self._server.check(submission)
        except InvalidInputError as error:
            # What is wrong with samples has been told already, at the places of the source.
            manifest = Manifest(samples=submission.samples, pipeline=submission.pipeline)
            told = any(True for _ in manifest.faults())
            return [each for each in error.faults if not (told and each.place.startswith("samples"))]
        return ()

    def submit(self, submission: Submission) -> WorksetView:
        """See Client.submit."""
        try:
            return self._server.submit(submission)
        except UnavailableError as error:
            raise UnavailableError(
                f"{error}. Whether the workset was taken in is not known: look with "
                f"'daylily list --name', before you submit it again"
            ) from error

    def get(self, workset_id: str) -> WorksetView:
        """See Client.get."""
        return self._server.get(workset_id)

    def why(self, workset_id: str) -> WhyView:
        """See Client.why."""
        return self._server.why(workset_id)

    def history(self, workset_id: str, *, cursor: str | None, limit: int) -> HistoryPage:
        """See Client.history."""
        return self._server.history(workset_id, cursor=cursor, limit=limit)

    def list(self, query: Query) -> WorksetPage:
        """See Client.list."""
        return self._server.list(
            everybody=query.all_customers,
            states=query.states,
            priority=query.priority,
            name=query.name,
            limit=query.limit,
            cursor=query.cursor,
        )

    def cancel(self, workset_id: str, reason: str) -> WorksetView:
        """See Client.cancel."""
        return self._server.cancel(workset_id, reason)

    def retry(self, workset_id: str, reason: str, *, failed_samples: bool = False) -> WorksetView:
        """See Client.retry."""
        return self._server.retry(workset_id, reason, failed_samples=failed_samples)

    def log(self, workset_id: str, *, attempt: int | None, offset: int) -> LogView:
        """See Client.log."""
        return self._server.log(workset_id, attempt=attempt, offset=offset)

    def results(self, workset_id: str, *, attempt: int | None, cursor: str | None) -> FilePage:
        """See Client.results."""
        return self._server.results(workset_id, attempt=attempt, cursor=cursor)

    def open_result(self, workset_id: str, key: str, *, attempt: int | None) -> BinaryIO:
        """See Client.open_result."""
        return self._server.open_result(workset_id, key, attempt=attempt)

    def put_file(self, key: str, source: BinaryIO, size: int) -> FileView:
        """See Client.put_file."""
        return self._server.put_file(key, source, size)

    def delete_file(self, key: str) -> bool:
        """See Client.delete_file."""
        return self._server.delete_file(key)

    def estimate(self, question: Question) -> EstimateView:
        """See Client.estimate."""
        return self._server.estimate(
            question.pipeline,
            sample_count=question.sample_count,
            coverage=question.coverage,
            priority=question.priority,
            data_size_gb=question.data_gb,
        )

    def ready(self) -> Mapping[str, Any]:
        """
        Return what the server says of its own health.

        Raises:
            UnavailableError: It does not answer, or is not well.
        """
        return self._server.ready()

    def close(self) -> None:
        """See Client.close."""
        self._server.close()
