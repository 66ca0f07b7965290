"""One adapter for each port, as the settings choose: adapters are imported only when chosen."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

from attrs import evolve, field, frozen

from daylily.adapters.system import SystemChance, utc_now
from daylily.application.places import Places
from daylily.config import Settings
from daylily.connecting.channels import delivering, telling
from daylily.connecting.engines import engine_of
from daylily.connecting.people import people
from daylily.domain.clusters import Cluster
from daylily.domain.errors import InvalidInputError
from daylily.ports.clock import Chance, Clock
from daylily.ports.compute import Compute
from daylily.ports.customers import Customers
from daylily.ports.documents import DocumentStore
from daylily.ports.identities import Identities
from daylily.ports.notifier import Notifier
from daylily.ports.object_store import ObjectStore
from daylily.ports.sentinel_store import SentinelStore
from daylily.ports.sign_in_provider import SignInProvider
from daylily.ports.state_store import StateStore
from daylily.ports.token_verifier import TokenVerifier
from daylily.ports.transfers import Transfers

if TYPE_CHECKING:
    from daylily.adapters.aws.clients import Clients

_STATE_THREADS: Final = 16
"""Calls that go out at once to worksets kept in a bucket alone."""
_FILES_AT_ONCE: Final = 4
"""Files of one directory that are written at once."""


Chore: TypeAlias = Callable[[], Callable[[], object] | None]


def _no_chore() -> None:
    """Need nothing done."""


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
    provider: SignInProvider | None = None
    """Where people sign in elsewhere; None where that is not so."""
    bucket: Callable[[str], ObjectStore] | None = None
    """Returns the objects of a bucket that is not ours; None where there are no such."""
    transfers: Transfers | None = None
    """None: in pieces, through our own servers."""
    clusters: Mapping[Cluster, Compute] = field(factory=dict)
    channels: Mapping[str, Notifier] = field(factory=dict)
    """Each of the channels, by the name that people know it by."""
    given_up: Callable[[], int] = lambda: 0
    """How much news this process has given up telling."""
    chore: Chore = _no_chore
    """Returns what the store of worksets needs done by one call now, if there is something."""
    clock: Clock = utc_now
    chance: Chance = SystemChance()
    close: Callable[[], None] = lambda: None
    """Let go of files and connections."""

    def with_channel(self, name: str, channel: Notifier) -> "World":
        """
        Return this world with one more channel, beside those that the settings name.

        What it does not take it is told again, and holds up no other; after a day it is laid on the
        list of what came to nobody.

        Args:
            name: By which people know it (``daylily notices list``).
        """
        channels = {**self.channels, name: channel}
        return evolve(self, **delivering(channels, self.documents, self.clock))

    @cached_property
    def at_hand(self) -> bool:
        """Whether worksets and customers are in memory: who reads them there waits for nothing."""
        from daylily.adapters.memory.customers import InMemoryCustomers
        from daylily.adapters.memory.state_store import InMemoryStateStore

        return type(self.store) is InMemoryStateStore and type(self.customers) is InMemoryCustomers


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
    world = _world(settings, engine_of(settings), looking=looking)
    clusters = {each.cluster: engine_of(settings.within(each)) for each in settings.clusters}
    return evolve(world, clusters=clusters)


def _world(settings: Settings, compute: Compute, *, looking: bool) -> World:
    match settings.store:
        case "memory":
            return _memory(settings, compute)
        case "aws":
            return _aws(settings, compute, looking=looking)
        case "local":
            return _local(settings, compute)


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
        **people(settings, documents),
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
        **telling(settings, documents),
        customers=customers,
        documents=documents,
        **people(settings, documents),
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
    store, chore = _aws_store(settings, clients, objects, looking=looking)
    return World(
        store=store,
        chore=chore,
        objects=objects,
        sentinels=ObjectSentinelStore(objects, settings.prefix, threads=_FILES_AT_ONCE),
        compute=compute,
        **telling(settings, documents),
        customers=_aws_customers(settings, clients, objects),
        documents=documents,
        **people(settings, documents),
        bucket=lru_cache(maxsize=32)(lambda name: S3ObjectStore(clients.s3(), name)),
        transfers=S3Transfers(objects),
    )


def _aws_store(
    settings: Settings, clients: "Clients", objects: ObjectStore, *, looking: bool
) -> tuple[StateStore, Chore]:
    """Return the store, and what it needs done now and then."""
    if settings.worksets_table is None:
        from daylily.adapters.object_state_store import ObjectStateStore

        place = Places(worksets=settings.prefix).state
        found = ObjectStateStore(objects, utc_now, place, threads=_STATE_THREADS, tidy=not looking)
        return found, _no_chore
    from daylily.adapters.aws.dynamodb import DynamoDBStateStore

    store = DynamoDBStateStore(
        clients.dynamodb(),
        settings.worksets_table,
        spill=objects,
        prefix=settings.prefix,
        bucket=settings.bucket,
        adopt_every=None if looking else timedelta(minutes=5),
    )
    return store, store.chore


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
