"""Who people are: pools, issuers and tokens."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from daylily.adapters.system import utc_now
from daylily.config import Settings
from daylily.extras import needs
from daylily.ports.documents import DocumentStore
from daylily.ports.identities import Identities
from daylily.ports.sign_in_provider import SignInProvider
from daylily.ports.token_verifier import TokenVerifier

if TYPE_CHECKING:
    from daylily.adapters.aws.setup_pool import PoolSetup


def people(settings: Settings, documents: DocumentStore) -> Mapping[str, Any]:
    """Return who keeps people, and what verifies tokens that were signed or given out."""
    verifiers: list[TokenVerifier] = []
    provider: SignInProvider | None = None
    if settings.oidc_issuer is not None:
        verifiers.append(_oidc(settings, settings.oidc_issuer))
        provider = _provider(settings, settings.oidc_issuer)
    if settings.asks_cognito:
        needs("server", "jwt")
        from daylily.adapters.oidc import cognito_issuer

        pool = str(settings.cognito_user_pool_id)
        issuer = cognito_issuer(pool.partition("_")[0], pool)
        identities: Identities = pool_identities(settings)
        verifiers.append(_oidc(settings, issuer))
        return {"identities": identities, "verifiers": (*verifiers,), "provider": provider}
    from daylily.adapters.document_identities import DocumentIdentities

    kept = DocumentIdentities(documents, utc_now)
    return {"identities": kept, "verifiers": (*verifiers, kept), "provider": provider}


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


def _provider(settings: Settings, issuer: str) -> SignInProvider:
    from daylily.adapters.oidc import fetch
    from daylily.adapters.oidc_sign_in import OIDCSignIn

    secret = settings.oidc_client_secret
    return OIDCSignIn(
        issuer=issuer,
        client_id=str(settings.oidc_audience),
        secret=None if secret is None else secret.reveal(),
        fetch=fetch,
        clock=utc_now,
    )
