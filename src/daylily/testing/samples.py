"""Small sound values to test with; everything that a test does not care about has a default."""

from datetime import UTC, datetime, timedelta
from typing import Final

from daylily.domain.clusters import Requirements
from daylily.domain.customers import Customer
from daylily.domain.events import Event, EventKind
from daylily.domain.lifecycle import Priority, State
from daylily.domain.manifest import FastqPair, Manifest, Sample
from daylily.domain.workset import Workset

NOON: Final = datetime(2025, 6, 2, 12, tzinfo=UTC)
"""When tests begin, unless they say otherwise."""

LOCK_TIMEOUT: Final = timedelta(minutes=5)


def a_sample(sample_id: str = "NA12878") -> Sample:
    """Return a paired sample whose files are named after it, in ``sample_data/``."""
    stem = f"sample_data/{sample_id}"
    return Sample(sample_id=sample_id, pairs=(FastqPair(f"{stem}_R1.fastq.gz", f"{stem}_R2.fastq.gz"),))


def a_manifest(*sample_ids: str, pipeline: str = "germline") -> Manifest:
    """
    Return a manifest without faults; of one sample, unless ids are given.

    >>> list(a_manifest("NA12878", "NA12891").faults())
    []
    """
    samples = tuple(map(a_sample, sample_ids or ("NA12878",)))
    return Manifest(samples=samples, pipeline=pipeline)


def a_workset(
    workset_id: str = "ws-1",
    *,
    at: datetime = NOON,
    customer_id: str = "acme",
    name: str | None = None,
    priority: Priority = Priority.NORMAL,
    manifest: Manifest | None = None,
    max_retries: int = 3,
    notification_email: str | None = None,
    requirements: Requirements = Requirements(),
    tags: tuple[str, ...] = (),
) -> Workset:
    """
    Return a workset as it is on registration: ready, in debt, and not stored anywhere (version 0).

    >>> a_workset().state
    <State.READY: 'ready'>
    """
    return Workset.register(
        workset_id=workset_id,
        customer_id=customer_id,
        name=name or f"Workset {workset_id}",
        manifest=manifest or a_manifest(),
        at=at,
        actor="ada",
        priority=priority,
        notification_email=notification_email,
        requirements=requirements,
        max_retries=max_retries,
        tags=tags,
    )


def settled(workset: Workset) -> Workset:
    """Return *workset* with every debt paid, so that only its state says when it is due."""
    return workset.settled(workset.debts)


def locked(workset: Workset, *, owner: str = "monitor-a", at: datetime = NOON) -> Workset:
    """Return *workset* locked by *owner* for ``LOCK_TIMEOUT``."""
    return workset.lock_for(owner, at=at, timeout=LOCK_TIMEOUT)


def running(workset: Workset, *, owner: str = "monitor-a", at: datetime = NOON) -> Workset:
    """Return *workset* locked and launched as job ``job-<attempt>``."""
    taken = locked(workset, owner=owner, at=at)
    return taken.launched(taken.fence, f"job-{len(taken.attempts) + 1}", at=at)


def a_customer(customer_id: str = "acme") -> Customer:
    """Return a customer."""
    return Customer(customer_id=customer_id, name=f"{customer_id} Genomics", email="lab@example.org")


def an_event(event_id: str = "ws-1-1-complete", *, kind: EventKind = EventKind.COMPLETE) -> Event:
    """Return a piece of news about ``ws-1``."""
    return Event(
        event_id=event_id,
        kind=kind,
        workset_id="ws-1",
        customer_id="acme",
        state=State.COMPLETE,
        priority=Priority.NORMAL,
        at=NOON,
        message="attempt 1 complete",
    )


def news_of_a_monitor(event_id: str = "monitor-lab-1-silent") -> Event:
    """Return a piece of news that is of no workset."""
    return Event(
        event_id=event_id,
        kind=EventKind.MONITOR_SILENT,
        priority=Priority.URGENT,
        at=NOON,
        message="monitor lab-1 is silent",
        monitor="lab-1",
    )
