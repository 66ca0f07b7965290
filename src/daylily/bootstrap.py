"""
The composition root: settings in, an App of ready use cases out. Start reading here.

The one module that knows both ports and adapters. Adapters are imported only when chosen.
"""

import contextlib
import os
import secrets
import shlex
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypedDict

from attrs import evolve, field, frozen

from daylily.adapters.counted_notices import CountedDeadNotices
from daylily.adapters.dead_notices import DocumentDeadNotices
from daylily.adapters.pieced_transfers import PiecedTransfers
from daylily.adapters.system import SystemChance, utc_now
from daylily.application.answer_once import AnswerOnce
from daylily.application.api_tokens import ApiTokens
from daylily.application.audit_trail import AuditTrail
from daylily.application.cancel_workset import CancelWorkset
from daylily.application.change_priority import ChangePriority
from daylily.application.check_ledger import CheckLedger
from daylily.application.check_seals import CheckSeals
from daylily.application.customer_files import CustomerFiles
from daylily.application.deliver_notices import DeliverNotices
from daylily.application.discover_worksets import DiscoverWorksets
from daylily.application.engines import Engines
from daylily.application.estimate_cost import EstimateCost
from daylily.application.explain_workset import ExplainWorkset
from daylily.application.heartbeats import LeaveHeartbeat, ShowMonitors
from daylily.application.index_logs import WriteIndexLogs
from daylily.application.inputs import Inputs
from daylily.application.jobs import MakeJob, Staging
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
from daylily.application.restore_workset import RestoreWorkset
from daylily.application.retry_workset import RetryWorkset
from daylily.application.room import Limits, MakeRoom
from daylily.application.settle_launch import SettleLaunch
from daylily.application.show_usage import ShowUsage
from daylily.application.show_workset import ShowWorkset
from daylily.application.slots import Slots
from daylily.application.start_workset import StartWorkset
from daylily.application.storage_quota import StorageQuota
from daylily.application.submit_workset import SubmitWorkset
from daylily.application.sync_workset import SyncWorkset
from daylily.application.tell_state import TellState
from daylily.application.upload_in_parts import SignLinks, UploadInParts
from daylily.application.watch_ended import WatchEnded
from daylily.application.workers import Workers
from daylily.config import CHANNELS, MOST_CONCURRENT, Settings
from daylily.domain.audience import EVERYTHING
from daylily.domain.clusters import Cluster
from daylily.domain.customers import Customer
from daylily.domain.errors import AlreadyExistsError, InvalidInputError
from daylily.domain.estimate import RateCard
from daylily.domain.reporting import Facts
from daylily.domain.retry import RetryPolicy
from daylily.extras import needs
from daylily.ports.clock import Chance, Clock
from daylily.ports.compute import Compute
from daylily.ports.customers import Customers
from daylily.ports.documents import DocumentStore
from daylily.ports.identities import Identities
from daylily.ports.installation import Installation
from daylily.ports.notifier import Notifier
from daylily.ports.object_store import ObjectStore
from daylily.ports.sentinel_store import SentinelStore
from daylily.ports.state_store import StateStore
from daylily.ports.token_verifier import TokenVerifier
from daylily.ports.transfers import Transfers

if TYPE_CHECKING:
    from daylily.adapters.aws.clients import Clients
    from daylily.adapters.aws.engine_policies import BatchNames, HeadNode
    from daylily.adapters.aws.setup_pool import PoolSetup
    from daylily.adapters.slurm.runner import Runner

_STATE_THREADS: Final = 16
_FILES_AT_ONCE: Final = 4
"""Calls that go out at once to worksets kept in a bucket alone."""


@frozen(kw_only=True)
class World:
    """One adapter for each port."""

    store: StateStore
    objects: ObjectStore
    sentinels: SentinelStore
    compute: Compute
    """What runs worksets that are in no cluster."""
    notifier: Notifier
    """Tells all channels."""
    customers: Customers
    documents: DocumentStore
    identities: Identities
    verifiers: tuple[TokenVerifier, ...] = ()
    """Of tokens that were signed elsewhere, and of those that *identities* give out."""
    bucket: Callable[[str], ObjectStore] | None = None
    """Returns the objects of a bucket that is not ours; None where there are no such."""
    transfers: Transfers | None = None
    """None: in pieces, through our own servers."""
    clusters: Mapping[Cluster, Compute] = field(factory=dict)
    channels: Mapping[str, Notifier] = field(factory=dict)
    """Each of the channels, by the name that people know it by."""
    given_up: Callable[[], int] = lambda: 0
    """How much news this process has given up telling."""
    clock: Clock = utc_now
    chance: Chance = SystemChance()
    close: Callable[[], None] = lambda: None
    """Let go of files and connections."""


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
    heart: LeaveHeartbeat
    monitors: ShowMonitors
    cycle: MonitorCycle
    tokens: ApiTokens
    manage: ManageCustomers
    members: ManageMembers
    audit: AuditTrail


def bootstrap(settings: Settings | None = None, *, world: World | None = None) -> App:
    """
    Put the use cases together.

    Args:
        settings: None takes the defaults: everything local.
        world: Adapters to use instead of those that the settings choose.

    Raises:
        UnavailableError: A store that the settings name cannot be opened.
    """
    settings = settings or Settings()
    world = world or connect(settings)
    if settings.store != "aws":  # there `daylily init` has made it, once for all machines
        with contextlib.suppress(AlreadyExistsError):
            world.customers.add(own_customer(settings))
    return compose(settings, world)


def own_customer(settings: Settings) -> Customer:
    """Return the customer that the installation itself is: nothing but ``max_concurrent`` bounds it."""
    return Customer(
        customer_id=settings.customer,
        name=settings.customer,
        max_concurrent_worksets=MOST_CONCURRENT,
    )


def compose(settings: Settings, world: World, *, owner: str | None = None) -> App:
    """
    Return the use cases on top of *world*.

    Args:
        owner: What its monitor calls itself, which no other process may; None for host and process.
    """
    from daylily.adapters.formats.fastq_head import faults_of_head

    owner = owner or f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}"
    places = Places(worksets=settings.prefix)
    policy = RetryPolicy(base=settings.retry_base, ceiling=settings.retry_ceiling)
    ledger = Ledger(world.store, world.sentinels, world.notifier)
    engines = Engines(world.compute, world.clusters)
    workers = Workers(settings.workers)
    read = ReadWorksets(world.store, world.objects, engines, places)
    sync = SyncWorkset(ledger, world.sentinels, world.clock, owner)
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
    )
    settle = SettleLaunch(ledger, engines, world.clock)
    limits = Limits(world.customers, world.clock)
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
            python=_python(settings),
            pythons={each.cluster.name: _python(settings.within(each)) for each in settings.clusters},
            region=settings.region,
            staging=_staging(settings),
        ),
        seals=CheckSeals(world.objects, places),
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
        customer_id=settings.customer,
        max_retries=settings.max_retries,
        actor=owner,
        workers=workers,
    )
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
        ended=WatchEnded(store=world.store, sync=sync, clock=world.clock),
        clock=world.clock,
        owner=owner,
        room=room,
        workers=workers,
        index=_index(settings, world),
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
        heart=LeaveHeartbeat(
            objects=world.objects,
            folder=places.monitors,
            clock=world.clock,
            name=owner,
            host=socket.gethostname(),
            pid=os.getpid(),
        ),
        monitors=monitors,
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


def bucket_of(settings: Settings, name: str) -> ObjectStore:
    """
    Return the objects of any bucket of S3, with the rights of whoever runs this.

    Raises:
        InvalidInputError: boto3's own settings make no sense.
    """
    from daylily.adapters.aws.clients import Clients
    from daylily.adapters.aws.s3 import S3ObjectStore

    return S3ObjectStore(Clients(region=settings.region, profile=settings.profile).s3(), name)


def connect(settings: Settings, *, looking: bool = False) -> World:
    """
    Return the adapters that the settings choose.

    Args:
        looking: Whether the caller only looks: then they write nothing of their own accord either.

    Raises:
        UnavailableError: A store cannot be opened.
    """
    world = _world(settings, _engine(settings), looking=looking)
    clusters = {each.cluster: _engine(settings.within(each)) for each in settings.clusters}
    return evolve(world, clusters=clusters)


def _world(settings: Settings, compute: Compute, *, looking: bool) -> World:
    match settings.store:
        case "memory":
            return _memory(settings, compute)
        case "aws":
            return _aws(settings, compute, looking=looking)
        case "local":
            return _local(settings, compute)


def installation(settings: Settings) -> Installation:
    """
    Return what makes and checks the stores that the settings choose.

    Raises:
        InvalidInputError: boto3's own settings make no sense.
    """
    match settings.store:
        case "memory":
            from daylily.adapters.memory.installation import InMemoryInstallation

            return InMemoryInstallation()
        case "aws":
            return _aws_installation(settings)
        case "local":
            from daylily.adapters.local.installation import LocalInstallation

            return LocalInstallation(settings.home, settings.home / "state.db")


def _aws_installation(settings: Settings) -> Installation:
    from daylily.adapters.aws.clients import Clients
    from daylily.adapters.aws.installation import AWSInstallation
    from daylily.adapters.aws.policies import Policies

    if settings.bucket is None:
        raise InvalidInputError.of("bucket", "is needed where the store is aws")
    places = Places(worksets=settings.prefix)
    return AWSInstallation(
        # Whoever waits for an answer at a terminal had rather know soon.
        clients=Clients(region=settings.region, profile=settings.profile, attempts=2),
        policies=Policies(
            region=settings.region,
            table=settings.worksets_table,
            customers=settings.customers_table,
            bucket=settings.bucket,
            worksets=places.worksets,
            files=places.files,
            topic=settings.sns_topic_arn,
            index=settings.index_prefix,
            archive=settings.archive_prefix,
            inputs=settings.input_folders,
            documents=settings.documents_table,
            batches=tuple(dict.fromkeys(_batches(settings))),
            heads=tuple(dict.fromkeys(_head_nodes(settings))),
        ),
        customer=own_customer(settings),
        clock=utc_now,
        state=places.state,
        accounts=places.customers,
    )


def _memory(settings: Settings, compute: Compute) -> World:
    from daylily.adapters.memory.customers import InMemoryCustomers
    from daylily.adapters.memory.documents import InMemoryDocumentStore
    from daylily.adapters.memory.notifier import InMemoryNotifier
    from daylily.adapters.memory.object_store import InMemoryObjectStore
    from daylily.adapters.memory.state_store import InMemoryStateStore
    from daylily.adapters.sentinel_store import ObjectSentinelStore

    objects = InMemoryObjectStore()
    documents = InMemoryDocumentStore(utc_now)
    return World(
        store=InMemoryStateStore(),
        objects=objects,
        sentinels=ObjectSentinelStore(objects, settings.prefix),
        compute=compute,
        notifier=InMemoryNotifier(),
        customers=InMemoryCustomers(),
        documents=documents,
        **_people(settings, documents),
    )


def _local(settings: Settings, compute: Compute) -> World:
    from daylily.adapters.local.customers import SQLiteCustomers
    from daylily.adapters.local.documents import SQLiteDocumentStore
    from daylily.adapters.local.object_store import DirectoryObjectStore
    from daylily.adapters.local.state_store import SQLiteStateStore
    from daylily.adapters.sentinel_store import ObjectSentinelStore

    objects = DirectoryObjectStore(settings.home / "bucket")
    store = SQLiteStateStore(settings.home / "state.db")
    customers = SQLiteCustomers(settings.home / "state.db")
    documents = SQLiteDocumentStore(settings.home / "state.db", utc_now)

    def close() -> None:
        store.close()
        customers.close()
        documents.close()

    return World(
        store=store,
        objects=objects,
        sentinels=ObjectSentinelStore(objects, settings.prefix),
        compute=compute,
        **_telling(settings, documents),
        customers=customers,
        documents=documents,
        **_people(settings, documents),
        close=close,
    )


def _aws(settings: Settings, compute: Compute, *, looking: bool) -> World:
    from daylily.adapters.aws.clients import Clients
    from daylily.adapters.aws.s3 import S3ObjectStore
    from daylily.adapters.aws.transfers import S3Transfers
    from daylily.adapters.sentinel_store import ObjectSentinelStore

    if settings.bucket is None:
        raise InvalidInputError.of("bucket", "is needed where the store is aws")
    # Each worker may have several calls out where worksets are kept in the bucket alone.
    clients = Clients(
        region=settings.region,
        profile=settings.profile,
        threads=64 if settings.without_table else 32,
    )
    objects = S3ObjectStore(clients.s3(), settings.bucket)
    documents = _aws_documents(settings, clients, objects)
    return World(
        store=_aws_store(settings, clients, objects, looking=looking),
        objects=objects,
        sentinels=ObjectSentinelStore(objects, settings.prefix, threads=_FILES_AT_ONCE),
        compute=compute,
        **_telling(settings, documents),
        customers=_aws_customers(settings, clients, objects),
        documents=documents,
        **_people(settings, documents),
        bucket=lru_cache(maxsize=32)(lambda name: S3ObjectStore(clients.s3(), name)),
        transfers=S3Transfers(objects),
    )


def _aws_store(
    settings: Settings, clients: "Clients", objects: ObjectStore, *, looking: bool
) -> StateStore:
    if settings.worksets_table is None:
        from daylily.adapters.object_state_store import ObjectStateStore

        return ObjectStateStore(
            objects,
            utc_now,
            Places(worksets=settings.prefix).state,
            threads=_STATE_THREADS,
            tidy=not looking,
        )
    from daylily.adapters.aws.dynamodb import DynamoDBStateStore

    return DynamoDBStateStore(
        clients.dynamodb(),
        settings.worksets_table,
        spill=objects,
        prefix=settings.prefix,
        bucket=settings.bucket,
        adopt_every=None if looking else timedelta(minutes=5),
    )


def _aws_customers(settings: Settings, clients: "Clients", objects: ObjectStore) -> Customers:
    if settings.customers_table is None:
        from daylily.adapters.object_customers import ObjectCustomers

        return ObjectCustomers(objects, Places(worksets=settings.prefix).customers)
    from daylily.adapters.aws.customers import DynamoDBCustomers

    return DynamoDBCustomers(clients.dynamodb(), settings.customers_table)


def _aws_documents(settings: Settings, clients: "Clients", objects: ObjectStore) -> DocumentStore:
    if settings.documents_table is None:
        from daylily.adapters.object_documents import ObjectDocumentStore

        return ObjectDocumentStore(objects, utc_now, Places(worksets=settings.prefix).documents)
    from daylily.adapters.aws.documents import DynamoDBDocumentStore

    return DynamoDBDocumentStore(clients.dynamodb(), settings.documents_table, utc_now)


def _people(settings: Settings, documents: DocumentStore) -> Mapping[str, Any]:
    """Return who keeps people, and what verifies tokens that were signed or given out."""
    verifiers: list[TokenVerifier] = []
    if settings.oidc_issuer is not None:
        verifiers.append(_oidc(settings, settings.oidc_issuer))
    if settings.asks_cognito:
        from daylily.adapters.oidc import cognito_issuer

        pool = str(settings.cognito_user_pool_id)
        issuer = cognito_issuer(pool.partition("_")[0], pool)
        identities: Identities = pool_identities(settings)
        return {"identities": identities, "verifiers": (*verifiers, _oidc(settings, issuer))}
    from daylily.adapters.document_identities import DocumentIdentities

    kept = DocumentIdentities(documents, utc_now)
    return {"identities": kept, "verifiers": (*verifiers, kept)}


def pool_identities(settings: Settings) -> Identities:
    """
    Return the people of the user pool that the settings name.

    Raises:
        InvalidInputError: boto3's own settings make no sense.
    """
    from daylily.adapters.aws.clients import Clients
    from daylily.adapters.aws.cognito import CognitoIdentities

    pool = str(settings.cognito_user_pool_id)
    # A pool's id names its region. People wait for the answer, so it must come soon.
    clients = Clients(region=pool.partition("_")[0], read_timeout=5.0, attempts=2)
    return CognitoIdentities(
        client=clients.cognito(),
        pool=pool,
        app_client=str(settings.cognito_app_client_id),
        admin_group=settings.admin_group,
        operator_group=settings.operator_group,
    )


def pool_setup(settings: Settings, name: str) -> "PoolSetup":
    """
    Return what makes a user pool of Cognito.

    Raises:
        InvalidInputError: boto3's own settings make no sense.
    """
    from daylily.adapters.aws.clients import Clients
    from daylily.adapters.aws.setup_pool import PoolSetup

    return PoolSetup(
        client=Clients(region=settings.region, attempts=2).cognito(),
        region=settings.region,
        groups=(settings.admin_group, settings.operator_group),
        name=name,
    )


def _oidc(settings: Settings, issuer: str) -> TokenVerifier:
    needs("server", "jwt")
    from daylily.adapters.oidc import Keys, OIDCTokens, fetch, jwks_of

    cognito = issuer != settings.oidc_issuer
    url = settings.jwks_url
    audience = settings.cognito_app_client_id if cognito else settings.oidc_audience
    if url is None and cognito:
        url = f"{issuer}/.well-known/jwks.json"
    fixed = url
    return OIDCTokens(
        issuer=issuer,
        audience=str(audience),
        keys=Keys(jwks_of(issuer) if fixed is None else lambda _: fixed, fetch, utc_now),
        clock=utc_now,
        customer=settings.customer,
        customer_claim=settings.customer_claim,
        groups_claim=settings.groups_claim or ("cognito:groups" if cognito else "groups"),
        admin_group=settings.admin_group,
        operator_group=settings.operator_group,
        cognito=cognito,
    )


def _telling(settings: Settings, documents: DocumentStore) -> "_Telling":
    """Return the channels that the settings name; one machine keeps a journal of its own as well."""
    from daylily.adapters.filtered import FilteredNotifier

    found = dict(_channels(settings))
    if not found or settings.store == "local":
        from daylily.adapters.local.notifier import JournalNotifier

        found["journal"] = JournalNotifier(settings.home / "notices.jsonl")
    audiences = {each.name: each.audience for each in settings.channels}
    channels = {
        name: FilteredNotifier(each, audiences.get(name, EVERYTHING)) for name, each in found.items()
    }
    dead = CountedDeadNotices(DocumentDeadNotices(documents, utc_now))
    deliver = DeliverNotices(channels, dead, utc_now)
    return {"notifier": deliver, "channels": channels, "given_up": lambda: dead.laid}


class _Telling(TypedDict):
    notifier: Notifier
    channels: Mapping[str, Notifier]
    given_up: Callable[[], int]


def _channels(settings: Settings) -> Iterator[tuple[str, Notifier]]:
    if settings.sns_topic_arn is not None:
        from daylily.adapters.aws.clients import Clients
        from daylily.adapters.aws.sns import SNSNotifier, region_of

        # Who waits for a channel keeps worksets waiting: rather owe the news.
        clients = Clients(
            region=region_of(settings.sns_topic_arn),
            profile=settings.profile,
            read_timeout=5.0,
            attempts=2,
        )
        yield "sns", SNSNotifier(clients.sns(), settings.sns_topic_arn)
    if settings.linear_api_key is not None and settings.linear_team_id is not None:
        from daylily.adapters.linear import LinearNotifier

        key = settings.linear_api_key.reveal()
        yield "linear", LinearNotifier(key, settings.linear_team_id, settings.linear_url)
    posted = {each.name: (each.url, each.secret) for each in settings.channels}
    for name, (url, secret) in {
        "webhook": (settings.webhook_url, settings.webhook_secret),
        **{name: pair for name, pair in posted.items() if name not in CHANNELS},
    }.items():
        if url is not None and secret is not None:
            from daylily.adapters.webhook import WebhookNotifier

            # The bucket, or the machine: what tells installations apart, and holds no secret.
            source = f"/daylily/{settings.bucket or socket.gethostname()}"
            yield name, WebhookNotifier(url, secret.reveal(), source, utc_now)


def _staging(settings: Settings) -> Staging | None:
    """Return how engines get at files in S3; those with a file system in common need nothing."""
    if settings.store != "aws" or settings.engine == "memory":
        return None
    from daylily.adapters.aws import staged

    return Staging(
        module=staged.__name__,
        inputs=staged.INPUTS,
        outputs=staged.OUTPUTS,
        earlier=staged.EARLIER,
        environment={**staged.passed_on(os.environ), **_own_aws(settings)},
    )


def _own_aws(settings: Settings) -> Mapping[str, str]:
    """Return what a job is told of AWS beside what it has from us."""
    told = {"AWS_DEFAULT_REGION": settings.region}
    # Other machines have profiles of their own.
    if settings.profile is not None and settings.engine == "local":
        told["AWS_PROFILE"] = settings.profile
    return told


def _engines(settings: Settings) -> Iterator[Settings]:
    """Yield the settings as they are for each engine."""
    yield settings
    for each in settings.clusters:
        yield settings.within(each)


def _batches(settings: Settings) -> "Iterator[BatchNames]":
    from daylily.adapters.aws.engine_policies import BatchNames

    for each in _engines(settings):
        if each.engine == "batch" and each.batch_queue and each.batch_definition:
            yield BatchNames(queue=each.batch_queue, definition=each.batch_definition)


def _head_nodes(settings: Settings) -> "Iterator[HeadNode]":
    from daylily.adapters.aws.engine_policies import HeadNode

    for each in _engines(settings):
        if each.engine == "slurm" and each.slurm_head_node is not None:
            node = each.slurm_head_node.rpartition("@")[2]
            yield HeadNode(instance=node) if node.startswith("i-") else HeadNode(cluster=node)


def _python(settings: Settings) -> str:
    return settings.job_python or sys.executable


def _engine(settings: Settings) -> Compute:
    if settings.engine == "memory":
        from daylily.adapters.memory.compute import InMemoryCompute

        return InMemoryCompute(utc_now)
    if settings.engine == "slurm":
        return _slurm(settings)
    if settings.engine == "batch":
        return _batch(settings)
    from daylily.adapters.local.compute import SubprocessCompute

    return SubprocessCompute(root=settings.home / "jobs")


def _slurm(settings: Settings) -> Compute:
    from daylily.adapters.slurm.compute import SlurmCompute

    if settings.slurm_folder is None:
        raise InvalidInputError.of("slurm_folder", "is needed for the engine slurm")
    # Of two installations with a bucket each, neither takes the other's jobs for its own.
    own = f"/{settings.bucket}/{settings.prefix}" if settings.store == "aws" else ""
    return SlurmCompute(
        runner=_runner(settings),
        folder=settings.slurm_folder.rstrip("/") + own,
        options=tuple(shlex.split(settings.slurm_options)),
    )


def _runner(settings: Settings) -> "Runner":
    if settings.slurm_head_node is not None:
        return _head_node(settings, settings.slurm_head_node)
    from daylily.adapters.slurm.runner import LocalRunner, SSHRunner

    if settings.slurm_host is None:
        return LocalRunner()
    user, _, address = settings.slurm_host.rpartition("@")
    host, _, port = address.partition(":")
    return SSHRunner(
        host=host, user=user or None, port=int(port or 22), identity=settings.slurm_identity
    )


def _head_node(settings: Settings, name: str) -> "Runner":
    from daylily.adapters.aws.clients import Clients
    from daylily.adapters.slurm.ssm import UBUNTU, HeadNodeOf, SSMRunner

    clients = Clients(region=settings.region, profile=settings.profile)
    user, _, node = name.rpartition("@")
    return SSMRunner(
        client=clients.ssm(),
        instance=(lambda: node)
        if node.startswith("i-")
        else HeadNodeOf(client=clients.ec2(), cluster=node),
        user=user or UBUNTU,
    )


def _batch(settings: Settings) -> Compute:
    from daylily.adapters.aws.batch import BatchCompute
    from daylily.adapters.aws.batch_logs import CloudWatchLogs
    from daylily.adapters.aws.batch_records import Records
    from daylily.adapters.aws.clients import Clients
    from daylily.adapters.aws.s3 import S3ObjectStore

    if settings.bucket is None or settings.batch_queue is None or settings.batch_definition is None:
        raise InvalidInputError.of("engine", "batch needs a bucket, a queue and a job definition")
    clients = Clients(region=settings.region, profile=settings.profile)
    objects = S3ObjectStore(clients.s3(), settings.bucket)
    return BatchCompute(
        client=clients.batch(),
        logs=CloudWatchLogs(clients.logs()),
        records=Records(objects, Places(worksets=settings.prefix).jobs),
        queue=settings.batch_queue,
        definition=settings.batch_definition,
        python=_python(settings),
    )
