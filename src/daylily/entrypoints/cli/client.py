"""What commands ask of worksets, of the local store or of a server: the same views either way."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, BinaryIO, Protocol

from attrs import define, frozen

from daylily.application.estimate_cost import EstimateCost
from daylily.application.submit_workset import Submission, faults_of_words
from daylily.config import Settings
from daylily.domain.customers import Principal
from daylily.domain.errors import Fault
from daylily.domain.estimate import RateCard
from daylily.domain.lifecycle import Priority, State
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
from daylily.ports.object_store import ObjectInfo
from daylily.ports.state_store import Filter

if TYPE_CHECKING:
    from daylily.bootstrap import App


@frozen(kw_only=True)
class Query:
    """Which worksets to list."""

    states: tuple[State, ...] = ()
    priority: Priority | None = None
    name: str | None = None
    all_customers: bool = False
    limit: int = 50
    cursor: str | None = None


@frozen(kw_only=True)
class Question:
    """What an estimate is wanted of."""

    pipeline: str
    sample_count: int = 1
    coverage: float = 30.0
    priority: str = "normal"
    data_gb: float = 0.0


class Client(Protocol):
    """
    The local store, or a server.

    Every method raises what the use case behind it raises: NotFoundError, ConflictError,
    InvalidInputError, and UnavailableError when nobody answers.
    """

    def faults(self, submission: Submission) -> Sequence[Fault]:
        """Return what is wrong with all but the samples, before anything is uploaded or stored."""

    def submit(self, submission: Submission) -> WorksetView:
        """Submit a workset whose files have been put before."""

    def get(self, workset_id: str) -> WorksetView:
        """Return a workset."""

    def why(self, workset_id: str) -> WhyView:
        """Say why a workset is where it is."""

    def history(self, workset_id: str, *, cursor: str | None, limit: int) -> HistoryPage:
        """Return all that a workset has been through, latest first."""

    def list(self, query: Query) -> WorksetPage:
        """Return worksets, newest first."""

    def cancel(self, workset_id: str, reason: str) -> WorksetView:
        """Ask for a stop."""

    def retry(self, workset_id: str, reason: str, *, failed_samples: bool = False) -> WorksetView:
        """Put a workset that ended in error back into the queue, or its failed samples alone."""

    def log(self, workset_id: str, *, attempt: int | None, offset: int) -> LogView:
        """Return part of what an attempt has written."""

    def results(self, workset_id: str, *, attempt: int | None, cursor: str | None) -> FilePage:
        """Return the files that an attempt has left."""

    def open_result(self, workset_id: str, key: str, *, attempt: int | None) -> BinaryIO:
        """Open a file of the results; the caller closes it."""

    def put_file(self, key: str, source: BinaryIO, size: int) -> FileView:
        """Store one of the customer's own files."""

    def delete_file(self, key: str) -> bool:
        """Remove one of them; return whether it was there."""

    def estimate(self, question: Question) -> EstimateView:
        """Say what a workset will cost."""

    def close(self) -> None:
        """Let go of connections."""


@define
class LocalClient:
    """The store of this installation; whoever can open it is its operator."""

    _open: "Callable[[], App]"
    _settings: Settings
    _user: str

    @property
    def _who(self) -> Principal:
        return Principal(name=self._user, customer_id=self._settings.customer, operator=True)

    def faults(self, submission: Submission) -> Sequence[Fault]:
        """See Client.faults; opens nothing."""
        clusters = [each.cluster.name for each in self._settings.clusters]
        return list(faults_of_words(submission, self._settings.registry, clusters))

    def submit(self, submission: Submission) -> WorksetView:
        """See Client.submit."""
        app = self._open()
        workset = app.submit(self._who, self._settings.customer, submission)
        return WorksetView.of(workset, app.read)

    def get(self, workset_id: str) -> WorksetView:
        """See Client.get."""
        app = self._open()
        return WorksetView.of(app.read.get(self._who, workset_id), app.read)

    def why(self, workset_id: str) -> WhyView:
        """See Client.why."""
        return WhyView.of(self._open().explain(self._who, workset_id))

    def history(self, workset_id: str, *, cursor: str | None, limit: int) -> HistoryPage:
        """See Client.history."""
        page = self._open().read.history(self._who, workset_id, cursor=cursor, limit=limit)
        return HistoryPage.of(page)

    def list(self, query: Query) -> WorksetPage:
        """See Client.list."""
        app = self._open()
        where = Filter(
            customer_id=None if query.all_customers else self._settings.customer,
            states=frozenset(query.states) or None,
            priority=query.priority,
            name_contains=query.name,
        )
        page = app.read.list(self._who, where, cursor=query.cursor, limit=query.limit)
        views = tuple(WorksetView.of(workset, app.read) for workset in page.items)
        return WorksetPage(worksets=views, cursor=page.cursor)

    def cancel(self, workset_id: str, reason: str) -> WorksetView:
        """See Client.cancel."""
        app = self._open()
        return WorksetView.of(app.cancel(self._who, workset_id, reason), app.read)

    def retry(self, workset_id: str, reason: str, *, failed_samples: bool = False) -> WorksetView:
        """See Client.retry."""
        app = self._open()
        workset = app.retry(self._who, workset_id, reason, failed_samples=failed_samples)
        return WorksetView.of(workset, app.read)

    def log(self, workset_id: str, *, attempt: int | None, offset: int) -> LogView:
        """See Client.log."""
        chunk = self._open().read.log(self._who, workset_id, attempt=attempt, offset=offset)
        return LogView(workset_id=workset_id, text=chunk.text, offset=chunk.offset, ended=chunk.ended)

    def results(self, workset_id: str, *, attempt: int | None, cursor: str | None) -> FilePage:
        """See Client.results."""
        page = self._open().read.results(self._who, workset_id, attempt=attempt, cursor=cursor)
        return FilePage(files=tuple(map(_file_view, page.items)), cursor=page.cursor)

    def open_result(self, workset_id: str, key: str, *, attempt: int | None) -> BinaryIO:
        """See Client.open_result."""
        return self._open().read.open_result(self._who, workset_id, key, attempt=attempt)

    def put_file(self, key: str, source: BinaryIO, size: int) -> FileView:
        """See Client.put_file."""
        return _file_view(self._open().files.put(self._who, self._settings.customer, key, source))

    def delete_file(self, key: str) -> bool:
        """See Client.delete_file."""
        return self._open().files.delete(self._who, self._settings.customer, key)

    def estimate(self, question: Question) -> EstimateView:
        """See Client.estimate; opens nothing."""
        return EstimateView.of(
            EstimateCost(self._settings.registry, RateCard())(
                question.pipeline,
                sample_count=question.sample_count,
                coverage=question.coverage,
                priority=question.priority,
                data_size_gb=question.data_gb,
            )
        )

    def close(self) -> None:
        """The session closes what it has opened."""


def _file_view(info: ObjectInfo) -> FileView:
    at = info.modified_at.isoformat().replace("+00:00", "Z")
    return FileView(key=info.key, size=info.size, etag=info.etag, modified_at=at)
