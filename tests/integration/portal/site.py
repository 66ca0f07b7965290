"""A service with something of everything to be seen on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

import httpx
from attrs import frozen
from tests.integration.http.live import TOKEN, Live, serving

from daylily.adapters.dead_notices import DocumentDeadNotices
from daylily.domain.workset import Progress
from daylily.ports.dead_notices import DeadNotice
from daylily.testing.samples import an_event

MINE: Final = "/api/customers/local"
READS: Final = b"@read-1\nACGT\n+\nIIII\n"
REPORT: Final = (
    b"<!doctype html><html lang='en'><title>Report</title><main><h1>Quality</h1></main></html>"
)
STEPS: Final = (
    b'{"at": "2026-05-04T12:00:00Z", "event": "begun", "step": "align", "sample": "S0"}\n'
    b'{"at": "2026-05-04T12:21:30Z", "event": "done", "step": "align", "sample": "S0"}\n'
    b'{"at": "2026-05-04T12:21:30Z", "event": "begun", "step": "align", "sample": "S1"}\n'
    b'{"at": "2026-05-04T12:22:01Z", "event": "failed", "step": "align", "sample": "S1", '
    b'"exit_code": 65}\n'
    b'{"at": "2026-05-04T12:22:02Z", "event": "begun", "step": "joint_calls"}\n'
)


@frozen(kw_only=True)
class Site:
    """A server, and ids of worksets that have come to different states."""

    live: Live
    complete: str
    failed: str
    running: str
    waiting: str
    canceled: str
    token_id: str

    def of(self, state: str) -> str:
        """Return the id of the workset that has come to a state."""
        found: str = getattr(self, state)
        return found

    @property
    def url(self) -> str:
        """Where it is."""
        return self.live.url


def submitted(live: Live, name: str = "Trio", samples: int = 1) -> str:
    """Submit a workset over the API; return its id."""
    with httpx.Client(base_url=live.url, headers={"authorization": f"Bearer {TOKEN}"}) as client:
        for number in range(samples):
            client.put(f"{MINE}/files/{number}.fastq", content=READS).raise_for_status()
        body = {
            "workset_name": name,
            "pipeline_type": "fastq-qc",
            "samples": [{"sample_id": f"S{n}", "r1": f"{n}.fastq"} for n in range(samples)],
        }
        answer = client.post(f"{MINE}/worksets", json=body)
        answer.raise_for_status()
        return str(answer.json()["workset_id"])


def _seen_by_operators(live: Live, running: str) -> None:
    """Let a monitor be heard of, a workset be unknown, news come to nobody, and the ledger differ."""
    app = live.app
    results = f"worksets/{running}/results/attempt-1"
    app.world.objects.put(f"{results}/steps.jsonl", STEPS)
    app.heart.cycle_done(took=timedelta(seconds=2), faults=0, rest=timedelta(seconds=30))
    store, now = app.world.store, app.world.clock()
    store.save(store.get(running).with_unknown(now - timedelta(minutes=20)))
    dead = DocumentDeadNotices(app.world.documents, app.world.clock)
    dead.lay(DeadNotice(channel="journal", event=an_event(), why="the disk was full", died_at=now))


@contextmanager
def populated(home: Path) -> Iterator[Site]:
    """Serve, and let worksets come to their states."""
    with serving(home) as live:
        live.app.world.objects.put("files/local/run 7/x_R2.fastq", READS)
        complete = submitted(live, "Trio of family 12", samples=3)
        failed = submitted(live, "Tumour and normal, patient 0815", samples=2)
        live.app.cycle()
        folder = f"worksets/{complete}/results/attempt-1"
        live.app.world.objects.put(f"{folder}/report.html", REPORT)
        live.app.world.objects.put(f"{folder}/S0/qc.tsv", b"sample\treads\nS0\t1\n")
        live.compute.write(f"{complete}/1", "S0: 1 read\nS1: 1 read\nS2: 1 read\n")
        live.end(complete)
        live.end(failed, exit_code=65, message="sample S1: the file holds no reads")
        canceled = submitted(live, "Submitted by mistake")
        with httpx.Client(base_url=live.url, headers={"authorization": f"Bearer {TOKEN}"}) as client:
            client.post(f"{MINE}/worksets/{canceled}/cancel").raise_for_status()
            made = client.post(f"{MINE}/tokens", json={"name": "sequencer 7", "scope": "submit"})
            client.post(f"{MINE}/members", json={"name": "bob@acme.example"}).raise_for_status()
        running = submitted(live, "Exomes of May", samples=3)
        submitted(live, "Panel 7")
        live.app.cycle()
        waiting = submitted(live, "Whole genomes, second half")
        live.compute.report(f"{running}/1", Progress(1, 3, "S0"))
        live.compute.write(f"{running}/1", "S0: 1 read\n")
        live.app.cycle()
        _seen_by_operators(live, running)
        yield Site(
            live=live,
            complete=complete,
            failed=failed,
            running=running,
            waiting=waiting,
            canceled=canceled,
            token_id=made.json()["about"]["token_id"],
        )
