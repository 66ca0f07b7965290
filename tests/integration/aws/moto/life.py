"""All that API and monitors ever do with a workset, so that it can be seen what they need for it."""

import io
from datetime import timedelta
from typing import Final

import pytest
from attrs import evolve, frozen

from daylily.adapters.aws.dynamodb import DynamoDBStateStore
from daylily.adapters.aws.s3 import S3ObjectStore
from daylily.adapters.memory.compute import InMemoryCompute
from daylily.adapters.system import utc_now
from daylily.application.submit_workset import Submission
from daylily.application.watch_monitors import KIND, PARTITION
from daylily.bootstrap import App
from daylily.domain.customers import Customer, Principal
from daylily.domain.lifecycle import State
from daylily.domain.manifest import FastqPair, Sample
from daylily.domain.sentinels import projection
from daylily.domain.silence import Silence
from daylily.domain.workset import Workset
from daylily.ports.dead_notices import DeadNotice
from daylily.ports.documents import Document
from daylily.ports.paging import every
from daylily.ports.state_store import Filter
from daylily.testing.contracts.state_store import whole_history
from daylily.testing.samples import NOON, a_workset, an_event, settled

ADA: Final = Principal(name="ada", customer_id="acme")
READS: Final = b"@read\nACGT\n+\nFFFF\n"
LONG: Final = "x" * 2000
"""The longest text of a history that stands in a row: of a dozen of them, half move out."""
PART: Final = 5 << 20


@frozen
class Life:
    """
    Goes through everything, as two processes.

    Args:
        api: What the server has.
        monitor: What a monitor has; each with permissions of its own.
        engine: What both ask for jobs.
    """

    api: App
    monitor: App
    engine: InMemoryCompute

    def live(self) -> None:
        """Go through all of it; whatever is not as it should be raises."""
        self._looks_round()
        self._keeps_documents()
        self._gives_up_on_news()
        self._looks_at_other_monitors()
        self._is_dropped_by_hand()
        self._fails_and_is_retried(self._submitted("first"))
        self._is_mended_and_canceled(self._submitted("second"))
        self._is_canceled_while_it_runs(self._submitted("third"))
        self._has_a_long_history()
        self._has_large_files()
        # What cannot be told at all is laid on a list, and the rest of life goes on.
        assert list(self.api.redeliver.waiting()) == []

    # The chapters

    def _looks_round(self) -> None:
        assert [each.customer_id for each in self.api.world.customers.list().items] == ["acme"]
        assert self.api.world.store.count(set(State)) == 0
        boss = Principal(name="boss", customer_id="acme", operator=True)
        made = self.api.manage.create(boss, Customer(customer_id="", name="New", email="n@new.example"))
        self.api.manage.change(boss, made.customer_id, max_concurrent_worksets=7)

    def _keeps_documents(self) -> None:
        documents = self.api.world.documents
        added = documents.add(Document(kind="note", partition="acme", key="k-1", body="{}"))
        assert documents.list("note", "acme").items == (documents.get("note", "acme", "k-1"),)
        documents.replace(evolve(added, body="2"))

    def _gives_up_on_news(self) -> None:
        lost = DeadNotice(channel="sns", event=an_event(), why="is away", died_at=NOON)
        self.monitor.redeliver.dead.lay(lost)
        assert list(self.api.redeliver.waiting()) == [lost]
        assert self.api.redeliver(lost).refused is None
        assert list(self.api.redeliver.waiting()) == []

    def _looks_at_other_monitors(self) -> None:
        now = utc_now()  # what documents expire by
        gone = Silence.of("lab-1", now - timedelta(minutes=9), now)
        documents = self.monitor.world.documents
        note = Document(kind=KIND, partition=PARTITION, key=gone.key, body=gone.render())
        self.api.world.documents.add(note)
        self.monitor.watch()  # and tells what another has noted
        noted = Silence.parse(documents.get(KIND, PARTITION, gone.key).body)
        assert noted == gone.over()

    def _submitted(self, name: str) -> Workset:
        files = self.api.files
        for key in ("r1.fastq", "r2.fastq", "left over"):
            files.put(ADA, "acme", f"{name}/{key}", io.BytesIO(READS))
        pair = FastqPair(f"{name}/r1.fastq", f"{name}/r2.fastq")
        sample = Sample(sample_id="S1", pairs=(pair,))
        submission = Submission(name=name, pipeline="fastq-qc", samples=(sample,), max_retries=1)
        workset = self.api.submit(ADA, "acme", submission)
        assert files.delete(ADA, "acme", f"{name}/left over")
        assert len(files.list(ADA, "acme", prefix=f"{name}/").items) == 2
        assert workset.workset_id in {each.workset_id for each in self._listed()}
        return self._settled(workset, State.READY)

    def _fails_and_is_retried(self, workset: Workset) -> None:
        self._cycle(workset, State.IN_PROGRESS)
        self.engine.end(workset.attempt_key, exit_code=1, message="out of memory")
        self._cycle(workset, State.RETRYING)
        again = self._cycle(workset, State.IN_PROGRESS)
        self.engine.end(again.attempt_key, exit_code=1, message="out of memory")
        self._cycle(workset, State.FAILED)
        self.api.retry(ADA, workset.workset_id)
        last = self._cycle(workset, State.IN_PROGRESS)
        # What the engine's job does, with the permissions of the monitor on one machine.
        results = f"{self.monitor.settings.prefix}{workset.workset_id}/results/attempt-3/"
        self.monitor.world.objects.put(f"{results}report.html", b"<html>")
        self.engine.end(last.attempt_key)
        self._cycle(workset, State.COMPLETE)
        (result,) = self.api.read.results(ADA, workset.workset_id).items
        with self.api.read.open_result(ADA, workset.workset_id, result.key) as file:
            assert file.read() == b"<html>"

    def _is_mended_and_canceled(self, workset: Workset) -> None:
        objects = self.api.world.objects
        objects.delete(f"{self.api.settings.prefix}{workset.workset_id}/daylily.ready")
        assert list(self.api.show.everything()) == [workset.workset_id]
        self._settled(workset, State.READY)
        self.api.cancel(ADA, workset.workset_id, "changed our minds")
        self._settled(workset, State.CANCELED)

    def _is_canceled_while_it_runs(self, workset: Workset) -> None:
        self._cycle(workset, State.IN_PROGRESS)
        self.api.cancel(ADA, workset.workset_id, "changed our minds")
        self._cycle(workset, State.CANCELED)

    def _is_dropped_by_hand(self) -> None:
        folder = f"{self.monitor.settings.prefix}by-hand/"
        objects = self.api.world.objects
        work = b"pipeline: fastq-qc\nsamples:\n  - sample_id: S1\n    fastq_r1: reads/r1.fastq\n"
        for name, body in (("reads/r1.fastq", READS), ("daylily_work.yaml", work)):
            objects.put(folder + name, body)
        objects.put(f"{folder}daylily.ready", b"")
        found = self._cycle(None, State.IN_PROGRESS)
        assert found.workset_id == "by-hand"
        self.engine.end(found.attempt_key)
        self._cycle(found, State.COMPLETE)

    def _has_a_long_history(self) -> None:
        new = settled(a_workset("long"))
        entries = tuple(evolve(new.history[0], reason=LONG) for _ in range(14))
        for number, app in enumerate((self.api, self.monitor)):
            store = app.world.store
            assert isinstance(store, DynamoDBStateStore)
            added = store.add(evolve(new, workset_id=f"long-{number}", history=entries, sequence=14))
            saved = store.save(added)
            assert len(saved.history) == 7
            assert len(whole_history(store, saved.workset_id)) == 14

    def _has_large_files(self) -> None:
        objects = self.api.world.objects
        assert isinstance(objects, S3ObjectStore)
        small = evolve(objects, part_size=PART, copy_part_size=PART)
        small.put("files/acme/large", io.BytesIO(bytes(PART + 1)), if_absent=True)
        small.copy("files/acme/large", "files/acme/copy")
        # What is left of it, a rule of the bucket removes: to tidy up is a permission more.
        with pytest.raises(ConnectionResetError):
            small.put("files/acme/broken", Broken(bytes(PART)))  # type: ignore[arg-type]

    # What chapters are made of

    def _listed(self) -> list[Workset]:
        where = Filter(states=frozenset({State.READY}))
        return list(every(lambda cursor: self.api.read.list(ADA, where, cursor=cursor)))

    def _cycle(self, workset: Workset | None, state: State) -> Workset:
        """Have the monitor do one cycle, in which the workset comes to a state."""
        report = self.monitor.cycle()
        assert not report.faults
        moved = [
            each for each in report.moved if workset is None or each.workset_id == workset.workset_id
        ]
        return self._settled(moved[-1], state)

    def _settled(self, workset: Workset, state: State) -> Workset:
        """Return the workset, which is in a state that its directory shows, and owes nothing."""
        found = self.api.world.store.get(workset.workset_id)
        assert (found.state, found.debts) == (state, ())
        shown = self.api.world.sentinels.look(workset.workset_id).sentinels
        assert set(shown) >= projection(state)
        return found


class Broken(io.RawIOBase):
    """A source whose connection breaks after its first part."""

    def __init__(self, part: bytes) -> None:
        self.parts = [part]

    def read(self, size: int = -1) -> bytes:
        """Return the first part, then break."""
        if not self.parts:
            raise ConnectionResetError
        return self.parts.pop()
