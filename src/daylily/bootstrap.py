"""
The composition root: settings in, an App of ready use cases out. Start reading here.

Which adapter stands behind which port, `daylily.connecting` decides; here use cases are put together.
"""

import contextlib
import os
import secrets
import socket

from attrs import frozen

from daylily.adapters.dead_notices import DocumentDeadNotices
from daylily.adapters.pieced_transfers import PiecedTransfers
from daylily.application.answer_once import AnswerOnce
from daylily.application.api_tokens import ApiTokens
from daylily.application.audit_trail import AuditTrail
from daylily.application.cancel_workset import CancelWorkset
from daylily.application.change_priority import ChangePriority
from daylily.application.check_ledger import CheckLedger
from daylily.application.check_seals import CheckSeals
from daylily.application.customer_files import CustomerFiles
from daylily.application.discover_worksets import DiscoverWorksets
from daylily.application.engines import Engines
from daylily.application.estimate_cost import EstimateCost
from daylily.application.explain_workset import ExplainWorkset
from daylily.application.heartbeats import LeaveHeartbeat, ShowMonitors
from daylily.application.index_logs import WriteIndexLogs
from daylily.application.inputs import Inputs
from daylily.application.jobs import MakeJob
from daylily.application.ledger import Ledger
from daylily.application.lock_workset import LockWorkset
from daylily.application.manage_customers import ManageCustomers
from daylily.application.manage_members import ManageMembers
from daylily.application.mend_ledger import MendLedger
from daylily.application.monitor_cycle import MonitorCycle
from daylily.application.places import Places
from daylily.application.poll_worksets import PollWorksets
from daylily.application.put_away import PutAway
from daylily.application.read_worksets import ReadWorksets
from daylily.application.redeliver_notices import RedeliverNotices
from daylily.application.register_workset import RegisterWorkset
from daylily.application.report_worksets import ReportWorksets, Shelf
from daylily.application.restore_workset import AttemptsLeft, RestoreWorkset
from daylily.application.retry_workset import RetryWorkset
from daylily.application.room import Limits, MakeRoom
from daylily.application.settle_launch import SettleLaunch
from daylily.application.show_dashboard import ShowDashboard
from daylily.application.show_fleet import ShowFleet
from daylily.application.show_progress import ShowProgress
from daylily.application.show_usage import ShowUsage
from daylily.application.show_workset import ShowWorkset
from daylily.application.slots import Slots
from daylily.application.start_workset import StartWorkset
from daylily.application.storage_quota import StorageQuota
from daylily.application.strays import RefuseStrays
from daylily.application.submit_workset import SubmitWorkset
from daylily.application.sync_workset import SyncWorkset
from daylily.application.tell_state import TellState
from daylily.application.turns import Turns
from daylily.application.upload_in_parts import SignLinks, UploadInParts
from daylily.application.watch_ended import WatchEnded
from daylily.application.watch_monitors import WatchMonitors
from daylily.application.workers import Workers
from daylily.config import Settings
from daylily.connecting import (
    World,
    bucket_of,
    connect,
    installation,
    own_customer,
    pool_identities,
    pool_setup,
)
from daylily.connecting.engines import python_of, staging, summing
from daylily.domain.errors import AlreadyExistsError
from daylily.domain.estimate import RateCard
from daylily.domain.reporting import Facts
from daylily.domain.retry import RetryPolicy

__all__ = [
    "App",
    "World",
    "bootstrap",
    "bucket_of",
    "compose",
    "connect",
    "installation",
    "own_customer",
    "pool_identities",
    "pool_setup",
]


@frozen(kw_only=True)
class App:
    """The use cases, ready to call."""

    settings: Settings
    world: World
    submit: SubmitWorkset
    register: RegisterWorkset
    read: ReadWorksets
    files: CustomerFiles
    once: AnswerOnce
    uploads: UploadInParts
    links: SignLinks
    cancel: CancelWorkset
    retry: RetryWorkset
    prioritise: ChangePriority
    put_away: PutAway
    explain: ExplainWorkset
    sync: SyncWorkset
    show: ShowWorkset
    lock: LockWorkset
    tell: TellState
    discover: DiscoverWorksets
    estimate: EstimateCost
    check: CheckLedger
    mend: MendLedger
    report: ReportWorksets
    redeliver: RedeliverNotices
    usage: ShowUsage
    dashboard: ShowDashboard
    progress: ShowProgress
    seals: CheckSeals
    fleet: ShowFleet
    heart: LeaveHeartbeat
    monitors: ShowMonitors
    watch: WatchMonitors
    cycle: MonitorCycle
    tokens: ApiTokens
    manage: ManageCustomers
    members: ManageMembers
    audit: AuditTrail


def bootstrap(
    settings: Settings | None = None,
    *,
    world: World | None = None,
    policy: RetryPolicy | None = None,
) -> App:
    """
    Put the use cases together.

    Args:
        settings: None takes the defaults: everything local.
        world: Adapters to use instead of those that the settings choose.
        policy: What to try again, and when; None for the usual one, with the times of the settings.

    Raises:
        UnavailableError: A store that the settings name cannot be opened.
    """
    settings = settings or Settings()
    world = world or connect(settings)
    if settings.store != "aws":  # there `daylily init` has made it, once for all machines
        with contextlib.suppress(AlreadyExistsError):
            world.customers.add(own_customer(settings))
    return compose(settings, world, policy=policy)


def compose(
    settings: Settings, world: World, *, owner: str | None = None, policy: RetryPolicy | None = None
) -> App:
    """
    Return the use cases on top of *world*.

    Args:
        owner: What its monitor calls itself, which no other process may; None for host and process.
        policy: See ``bootstrap``.
    """
    from daylily.adapters.formats.fastq_head import faults_of_head

    owner = owner or f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}"
    places = Places(worksets=settings.prefix)
    policy = policy or RetryPolicy(base=settings.retry_base, ceiling=settings.retry_ceiling)
    ledger = Ledger(world.store, world.sentinels, world.notifier)
    engines = Engines(world.compute, world.clusters)
    workers = Workers(settings.workers)
    read = ReadWorksets(world.store, world.objects, engines, places)
    sync = SyncWorkset(ledger, world.sentinels, AttemptsLeft(world.objects, places), world.clock, owner)
    estimate = EstimateCost(settings.registry, RateCard())
    facts = _facts(settings)
    usage = ShowUsage(
        store=world.store,
        objects=world.objects,
        customers=world.customers,
        places=places,
        clock=world.clock,
        workers=workers,
    )
    quota = StorageQuota(
        documents=world.documents,
        customers=world.customers,
        clock=world.clock,
        measure=usage.stored,
        own=settings.customer,
    )
    submit = SubmitWorkset(
        ledger=ledger,
        objects=world.objects,
        inputs=Inputs(world.objects, places, settings.input_folders, world.bucket),
        customers=world.customers,
        quota=quota,
        places=places,
        pipelines=settings.registry,
        clusters=frozenset(each.cluster.name for each in settings.clusters),
        estimate=estimate,
        head_check=faults_of_head,
        clock=world.clock,
        chance=world.chance,
        workers=workers,
    )
    register = RegisterWorkset(
        ledger=ledger,
        sentinels=world.sentinels,
        objects=world.objects,
        places=places,
        pipelines=settings.registry,
        estimate=estimate,
        clock=world.clock,
        chance=world.chance,
    )
    show = ShowWorkset(
        ledger=ledger,
        sync=sync,
        sentinels=world.sentinels,
        objects=world.objects,
        places=places,
        clock=world.clock,
    )
    cancel = CancelWorkset(read, ledger, engines, world.clock)
    poll = PollWorksets(
        ledger=ledger,
        engines=engines,
        objects=world.objects,
        places=places,
        policy=policy,
        clock=world.clock,
        chance=world.chance,
        actor=owner,
        workers=workers,
        cost=facts.cost,
        ended=sync.ended,
    )
    settle = SettleLaunch(ledger, engines, world.clock)
    limits = Limits(world.customers, world.clock)
    seals = CheckSeals(world.objects, places)
    start = StartWorkset(
        ledger=ledger,
        sentinels=world.sentinels,
        sync=sync,
        engines=engines,
        settle=settle,
        job=MakeJob(
            objects=world.objects,
            sentinels=world.sentinels,
            places=places,
            pipelines=settings.registry,
            python=python_of(settings),
            pythons={each.cluster.name: python_of(settings.within(each)) for each in settings.clusters},
            region=settings.region,
            staging=staging(settings),
            summing=summing(settings),
        ),
        seals=seals,
        slots=Slots(world.documents, world.store, limits),
        policy=policy,
        clock=world.clock,
        chance=world.chance,
        lock_timeout=settings.lock_timeout,
    )
    discover = DiscoverWorksets(
        ledger=ledger,
        store=world.store,
        sentinels=world.sentinels,
        pipelines=settings.registry,
        clock=world.clock,
        restore=RestoreWorkset(
            store=world.store,
            sentinels=world.sentinels,
            objects=world.objects,
            places=places,
            clock=world.clock,
            customer_id=settings.customer,
            actor=owner,
        ),
        refuse_strays=RefuseStrays(world.objects, places),
        customer_id=settings.customer,
        max_retries=settings.max_retries,
        actor=owner,
        workers=workers,
    )
    turns = Turns()
    room = MakeRoom(
        store=world.store,
        engines=engines,
        pipelines=settings.registry,
        limits=limits,
        max_concurrent=settings.max_concurrent,
    )
    cycle = MonitorCycle(
        store=world.store,
        ledger=ledger,
        discover=discover,
        sync=sync,
        poll=poll,
        start=start,
        ended=WatchEnded(store=world.store, sync=sync, clock=world.clock, turns=turns),
        clock=world.clock,
        owner=owner,
        room=room,
        workers=workers,
        index=_index(settings, world),
        turns=turns,
        chore=world.chore,
    )
    monitors = ShowMonitors(objects=world.objects, folder=places.monitors, clock=world.clock)
    check = CheckLedger(
        store=world.store, sentinels=world.sentinels, engines=engines, clock=world.clock
    )
    mend = MendLedger(
        check=check,
        ledger=ledger,
        sync=sync,
        show=show,
        poll=poll,
        start=start,
        discover=discover,
        owner=owner,
    )
    tokens = ApiTokens(
        documents=world.documents,
        customers=world.customers,
        clock=world.clock,
        chance=world.chance,
        secret=lambda: secrets.token_urlsafe(32),
    )
    files = CustomerFiles(world.objects, world.customers, places, quota)
    transfers = world.transfers or PiecedTransfers(world.objects, places.uploads, world.clock)
    return App(
        settings=settings,
        world=world,
        submit=submit,
        register=register,
        read=read,
        files=files,
        uploads=UploadInParts(files=files, transfers=transfers),
        links=SignLinks(
            files=files,
            transfers=transfers,
            documents=world.documents,
            clock=world.clock,
            chance=world.chance,
        ),
        once=AnswerOnce(documents=world.documents, clock=world.clock, chance=world.chance),
        cancel=cancel,
        retry=RetryWorkset(read, ledger, settings.registry, world.clock),
        prioritise=ChangePriority(read, ledger, estimate, world.clock),
        put_away=PutAway(read, ledger, world.objects, places, world.clock),
        explain=ExplainWorkset(
            read=read,
            store=world.store,
            sentinels=world.sentinels,
            engines=engines,
            clock=world.clock,
            room=room,
            monitors=monitors,
        ),
        sync=sync,
        show=show,
        lock=LockWorkset(ledger, sync, settle, world.clock),
        tell=TellState(cancel, ledger, world.clock),
        discover=discover,
        estimate=estimate,
        check=check,
        mend=mend,
        report=_report(settings, world, places, facts),
        redeliver=RedeliverNotices(world.channels, DocumentDeadNotices(world.documents, world.clock)),
        usage=usage,
        dashboard=ShowDashboard(store=world.store, clock=world.clock),
        seals=seals,
        progress=ShowProgress(read, settings.registry),
        fleet=ShowFleet(
            store=world.store,
            engines=engines,
            pipelines=settings.registry,
            clock=world.clock,
            max_concurrent=settings.max_concurrent,
        ),
        heart=LeaveHeartbeat(
            objects=world.objects,
            folder=places.monitors,
            clock=world.clock,
            name=owner,
            host=socket.gethostname(),
            pid=os.getpid(),
            turns=turns,
        ),
        monitors=monitors,
        watch=WatchMonitors(
            monitors=monitors,
            objects=world.objects,
            mark=places.mark,
            documents=world.documents,
            notifier=world.notifier,
            clock=world.clock,
            turns=turns,
        ),
        cycle=cycle,
        tokens=tokens,
        manage=ManageCustomers(customers=world.customers, chance=world.chance),
        members=ManageMembers(identities=world.identities, customers=world.customers, tokens=tokens),
        audit=AuditTrail(
            documents=world.documents,
            customers=world.customers,
            clock=world.clock,
            chance=world.chance,
        ),
    )


def _index(settings: Settings, world: World) -> WriteIndexLogs | None:
    if settings.index_prefix is None:
        return None
    return WriteIndexLogs(
        store=world.store, objects=world.objects, folder=settings.index_prefix, clock=world.clock
    )


def _facts(settings: Settings) -> Facts:
    return Facts(
        pipelines=settings.registry,
        rates=RateCard(),
        clusters={each.cluster.name: each.cluster for each in settings.clusters},
    )


def _report(settings: Settings, world: World, places: Places, facts: Facts) -> ReportWorksets:
    from daylily.adapters.sentinel_store import ObjectSentinelStore

    archive = None
    if settings.archive_prefix is not None:
        shelves = Places(worksets=settings.archive_prefix)
        archive = Shelf(shelves, ObjectSentinelStore(world.objects, settings.archive_prefix))
    return ReportWorksets(
        store=world.store,
        objects=world.objects,
        shelf=Shelf(places, world.sentinels),
        facts=facts,
        clock=world.clock,
        archive=archive,
    )
