"""What makes and checks the stores that the settings choose."""

from daylily.adapters.system import utc_now
from daylily.application.places import Places
from daylily.config import MOST_CONCURRENT, Settings
from daylily.connecting.engines import batches, head_nodes
from daylily.domain.customers import Customer
from daylily.domain.errors import InvalidInputError
from daylily.ports.installation import Installation


def own_customer(settings: Settings) -> Customer:
    """Return the customer that the installation itself is: nothing but ``max_concurrent`` bounds it."""
    return Customer(
        customer_id=settings.customer,
        name=settings.customer,
        max_concurrent_worksets=MOST_CONCURRENT,
    )


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
        clients=Clients(region=settings.region, profile=settings.profile, read_timeout=5.0, attempts=2),
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
            batches=tuple(dict.fromkeys(batches(settings))),
            heads=tuple(dict.fromkeys(head_nodes(settings))),
        ),
        customer=own_customer(settings),
        clock=utc_now,
        state=places.state,
        accounts=places.customers,
    )
