"""``WorksetIntegration``: each method reads what its old signature gives it, and calls one use case."""

import getpass
import logging
import os
from collections.abc import Mapping
from datetime import timedelta
from itertools import islice
from types import EllipsisType
from typing import Any

from daylily.bootstrap import App, bootstrap
from daylily.bridge.metadata import registration, state_of
from daylily.bridge.state_db import LOCK_SECONDS, WorksetStateDB, settings_for
from daylily.config import Settings
from daylily.domain.customers import Principal
from daylily.domain.errors import (
    AlreadyExistsError,
    ConcurrentUpdateError,
    Fault,
    InvalidInputError,
    LockHeldError,
    NotFoundError,
)
from daylily.domain.names import check_id
from daylily.domain.workset import Workset
from daylily.ports.paging import every

_log = logging.getLogger(__name__)


class WorksetIntegration:
    """
    Worksets in a table and in a bucket, which never differ for long.

    The table is the truth. What it owes the bucket is paid at once or, where that cannot be, by the
    next monitor that comes by (docs/adr/0002 and 0031).

    Args:
        state_db: The table. None: there is none, and all is kept in the bucket. ``...``: whatever the
            settings say, as for everything else that is not given.
        bucket: Of S3.
        prefix: Where the directories of worksets are in it.
        region: Of AWS, where there is no *state_db* to say so; a bucket is found wherever it is.
        app: Use cases to call instead of those that all this leads to.

    Raises:
        ConfigError: The settings are wrong; every fault is listed.
    """

    def __init__(
        self,
        state_db: WorksetStateDB | EllipsisType | None = None,
        bucket: str | None = None,
        prefix: str | None = None,
        region: str | None = None,
        *,
        app: App | None = None,
    ) -> None:
        self.state_db = state_db
        self._app = app or bootstrap(settings_for(state_db, bucket, prefix, region))
        named = state_db if isinstance(state_db, WorksetStateDB) else None
        self._lock_timeout = timedelta(seconds=named.lock_timeout_seconds if named else LOCK_SECONDS)

    @property
    def app(self) -> App:
        """The use cases behind it."""
        return self._app

    @property
    def bucket(self) -> str | None:
        """The bucket; None where worksets are kept elsewhere."""
        return self._settings.bucket

    @property
    def prefix(self) -> str:
        """Where the directories of worksets are, ending in ``/``."""
        return self._settings.prefix

    def register_workset(
        self,
        workset_id: str,
        bucket: str | None = None,
        prefix: str | None = None,
        priority: str = "normal",
        metadata: Mapping[str, Any] | None = None,
        *,
        write_s3: bool = True,
        write_dynamodb: bool = True,
    ) -> bool:
        """
        Register a workset, ready to run.

        Args:
            workset_id: Nobody else's.
            bucket: The integration's own, if given.
            prefix: The workset's own directory under the integration's prefix, if given.
            priority: ``urgent``, ``normal`` or ``low``.
            metadata: What ``daylily_work.yaml`` may say: ``samples`` (each with ``sample_id``, ``r1``
                and ``r2``: keys in the workset's directory, or ``s3://``), ``pipeline_type``,
                ``reference_genome``, ``workset_name``, ``submitted_by``, ``customer_id`` ... A ``...``
                in the place of samples stands for those that the directory lists.
            write_s3: False leaves the directory to the next monitor.
            write_dynamodb: False writes the directory alone; whichever monitor finds it imports it.
                Where there is no table it changes nothing: all is in the bucket.

        Returns:
            Whether it was registered: False if there is one of that id, which is left as it is.

        Raises:
            InvalidInputError: Something is wrong; every fault is listed, nothing is written.
            ConflictError: The directory has files that say otherwise.
            UnavailableError: A store that had to be written does not answer.
        """
        self._check_place(workset_id, bucket, prefix)
        wanted = registration(workset_id, priority, metadata or {}, self._settings, user=_user())
        if not (write_s3 or write_dynamodb):
            raise InvalidInputError.of("write_s3, write_dynamodb", "are both False: nothing to do")
        try:
            if write_dynamodb or self._settings.without_table:
                self._app.register(wanted, directory=write_s3)
            else:
                self._app.register.drop(wanted)
        except AlreadyExistsError as error:
            _log.warning("%s is not registered again: %s", workset_id, error)
            return False
        return True

    def update_state(
        self,
        workset_id: str,
        new_state: str,
        reason: str,
        bucket: str | None = None,
        prefix: str | None = None,
        error_details: str | None = None,
        cluster_name: str | None = None,
        metrics: Mapping[str, Any] | None = None,
        *,
        owner_id: str | None = None,
        write_s3: bool = True,
        write_dynamodb: bool = True,
    ) -> bool:
        """
        Say what has become of a workset that is run by other means than a monitor of ours.

        Args:
            workset_id: Of the workset.
            new_state: ``in_progress``, ``complete``, ``error``, ``ignored``, ``ready`` (again),
                ``canceled``, ``archived`` or ``deleted``.
            reason: For people; it is kept in the history, with *error_details* and *cluster_name*.
            bucket: See ``register_workset``.
            prefix: See ``register_workset``.
            error_details: What went wrong.
            cluster_name: Where it runs.
            metrics: Not kept; what a pipeline measures is among its results.
            owner_id: Who says so; for a workset that is locked, the owner of the lock.
            write_s3: See ``register_workset``.
            write_dynamodb: Only True, unless there is no table: what the directory alone says is
                taken for another system's word.

        Returns:
            True.

        Raises:
            NotFoundError: There is no such workset.
            InvalidInputError: There is no such state, or it is not for anybody to say.
            IllegalTransitionError: That cannot become of it.
            LockHeldError: Somebody else holds the lock.
            UnavailableError: The state store does not answer.
        """
        self._check_place(workset_id, bucket, prefix)
        if not (write_dynamodb or self._settings.without_table):
            raise InvalidInputError.of("write_dynamodb", "False: the state store cannot be left out")
        if metrics:
            _log.warning("%s: metrics are not kept: %s", workset_id, ", ".join(map(str, metrics)))
        told = f"{reason}: {error_details}" if error_details else reason
        told = f"{told} (cluster {cluster_name})" if cluster_name else told
        who = self._principal(owner_id)
        self._app.tell(who, workset_id, state_of(new_state), told, directory=write_s3)
        return True

    def acquire_lock(
        self, workset_id: str, owner_id: str, bucket: str | None = None, prefix: str | None = None
    ) -> bool:
        """
        Keep monitors from a workset until ``lock_timeout_seconds`` have passed or it is released.

        Whoever begins to run it says so by ``update_state(..., "in_progress", owner_id=...)``, and
        needs no lock from then on.

        Returns:
            Whether *owner_id* has it: False if another owner or another system does.

        Raises:
            NotFoundError: There is no such workset.
            IllegalTransitionError: It is over, or running, or about to be canceled.
            UnavailableError: A store does not answer; then nobody is left with the lock.
        """
        self._check_place(workset_id, bucket, prefix)
        try:
            self._app.lock(workset_id, owner_id, self._lock_timeout)
        except (LockHeldError, ConcurrentUpdateError) as error:
            _log.info("%s is not locked for %s: %s", workset_id, owner_id, error)
            return False
        return True

    def release_lock(
        self, workset_id: str, owner_id: str, bucket: str | None = None, prefix: str | None = None
    ) -> bool:
        """
        Give a lock back; the workset is ready again.

        Returns:
            Whether it was that of *owner_id*: if not, nothing has changed.

        Raises:
            NotFoundError: There is no such workset.
            UnavailableError: The state store does not answer.
        """
        self._check_place(workset_id, bucket, prefix)
        try:
            self._app.lock.release(workset_id, owner_id)
        except LockHeldError as error:
            _log.info("%s is not released: %s", workset_id, error)
            return False
        return True

    def get_ready_worksets(self, limit: int = 100) -> list[dict[str, Any]]:
        """
        Return worksets that are ready, urgent first, oldest first: as rows of the table have them.

        What people have dropped into the bucket is registered first, as a monitor does.

        Raises:
            UnavailableError: A store does not answer.
        """
        found = self._app.discover()
        for damaged in found.damaged:
            _log.warning("%s cannot be taken: %s", damaged.workset_id, damaged.error)
        for outage in found.outages:
            _log.warning("a directory could not be looked at: %s", outage)
        store = self._app.world.store
        size = max(1, min(limit, 100))
        queue = every(lambda cursor: store.queue(cursor=cursor, limit=size))
        return [self._row(workset) for workset in islice(queue, max(0, limit))]

    def sync_workset_to_s3(self, workset_id: str) -> bool:
        """
        Have the directory of a workset show what the table says, by force.

        What another system is running, has completed or holds off is a fact that the table takes
        over instead. Files that are there stay as they are.

        Returns:
            Whether there is such a workset.

        Raises:
            UnavailableError: A store does not answer.
        """
        try:
            self._app.show(workset_id)
        except NotFoundError as error:
            _log.error("not synced: %s", error)
            return False
        return True

    sync_dynamodb_to_s3 = sync_workset_to_s3
    """What it was called before there was the guide."""

    def sync_all_pending_to_s3(self) -> int:
        """
        Do the same for all worksets that are not over or owe something, but remove nothing of others.

        Returns:
            How many have been synced.

        Raises:
            UnavailableError: Some could not be; all others have been, unless no store answers.
        """
        return sum(1 for _ in self._app.show.everything())

    def sync_s3_to_dynamodb(self, workset_prefix: str) -> str | None:
        """
        Take what a directory shows into the table.

        Args:
            workset_prefix: Of the directory, or the workset's id alone.

        Returns:
            The workset's id; None if the directory shows nothing that may be taken now.

        Raises:
            InvalidInputError: The directory cannot be taken; every fault is listed.
            UnavailableError: A store does not answer.
        """
        workset_id = check_id(workset_prefix.rstrip("/").rpartition("/")[2])
        if "/" in workset_prefix:
            self._check_place(workset_id, None, workset_prefix)
        app = self._app
        try:
            app.sync(app.world.store.get(workset_id))
        except NotFoundError:
            return workset_id if app.discover.take(workset_id) else None
        return workset_id

    def close(self) -> None:
        """Let go of files and connections."""
        self._app.world.close()

    # What the old signatures give, in our words

    @property
    def _settings(self) -> Settings:
        return self._app.settings

    def _principal(self, name: str | None) -> Principal:
        return Principal(name=name or _user(), customer_id=self._settings.customer, operator=True)

    def _check_place(self, workset_id: str, bucket: str | None, prefix: str | None) -> None:
        """Refuse what belongs elsewhere: an integration serves one bucket and one prefix."""
        faults = []
        if bucket is not None and bucket != self.bucket:
            faults.append(Fault("bucket", f"{bucket!r} is not the integration's own: {self.bucket!r}"))
        own = f"{self.prefix}{workset_id}/"
        if prefix is not None and prefix.strip("/") != own.strip("/"):
            faults.append(Fault("prefix", f"{prefix!r} is not the workset's directory: {own!r}"))
        if faults:
            raise InvalidInputError(faults)

    def _row(self, workset: Workset) -> dict[str, Any]:
        # Here, and not at import: the server imports the bridge, and need not have boto3.
        from daylily.adapters.aws import items

        layout = items.Layout(self.bucket, self.prefix)
        return {
            "workset_id": workset.workset_id,
            **items.historic_attributes(workset, layout),
            "metadata": items.metadata(workset),
            "state_history": items.entries(workset),
        }


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"uid-{os.getuid()}"
