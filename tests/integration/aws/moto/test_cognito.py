"""People in a user pool as moto plays it: the contract, real signed tokens, and the routes of old."""

import re
from collections.abc import Iterator
from typing import Any, Final

import boto3
import pytest
import requests
from attrs import evolve
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from litestar.testing import TestClient
from tests.integration.aws.moto.faulty import _Raw
from tests.integration.service.service import BASE, Service, problem

from daylily.adapters.aws.cognito import CUSTOMER, CognitoIdentities
from daylily.adapters.aws.setup_pool import Pool, PoolSetup
from daylily.adapters.oidc import Keys, OIDCTokens, cognito_issuer
from daylily.adapters.system import utc_now
from daylily.bootstrap import compose
from daylily.domain.customers import Principal, Role
from daylily.domain.errors import NotAllowedError, UnauthenticatedError
from daylily.entrypoints.http.app import create_asgi
from daylily.ports.identities import Challenge, Identities, Member, SignedIn
from daylily.testing.contracts.identities import (
    ADA,
    BOB,
    FIRST,
    PASSWORD,
    IdentitiesContract,
    signed_in,
)

REGION: Final = "us-west-2"


@pytest.fixture(scope="session")
def cognito() -> Any:
    """Return a client."""
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    client: Any = boto3.client("cognito-idp", region_name=REGION, **keys)  # type: ignore[call-overload]

    def revoked(request: Any, **_: object) -> AWSResponse:
        # moto has no such action; AWS answers so, whether or not there was such a token.
        request.url = "http://nobody.invalid/"
        body: Any = _Raw(b"{}")
        return AWSResponse(request.url, 200, HTTPHeaders(), body)

    client.meta.events.register_first("before-send.cognito-identity-provider.RevokeToken", revoked)
    return client


def a_pool(cognito: Any, name: str = "daylily-workset-users") -> Pool:
    """Return a pool that was just made."""
    groups = ("daylily-admins", "daylily-operators")
    return PoolSetup(client=cognito, region=REGION, groups=groups, name=name)()


@pytest.fixture
def pool(cognito: Any) -> Pool:
    """Return a pool that was just made."""
    return a_pool(cognito)


def people(cognito: Any, pool: Pool) -> CognitoIdentities:
    """Return the people of a pool."""
    return CognitoIdentities(client=cognito, pool=pool.pool_id, app_client=pool.client_id)


def fetch(url: str) -> bytes:
    """Return a document as moto answers it, which stands in for this library alone."""
    return requests.get(url, timeout=5).content


def verifier(pool: Pool) -> OIDCTokens:
    """Return what verifies tokens of a pool."""
    issuer = cognito_issuer(REGION, pool.pool_id)
    return OIDCTokens(
        issuer=issuer,
        audience=pool.client_id,
        keys=Keys(lambda _: f"{issuer}/.well-known/jwks.json", fetch, utc_now),
        clock=utc_now,
        customer="local",
    )


class TestCognitoIdentities(IdentitiesContract):
    """The contract."""

    @pytest.fixture
    def identities(self, cognito: Any, pool: Pool) -> Identities:
        """Return people of whom there are none."""
        return people(cognito, pool)

    def test_names_in_other_letters(self, identities: Identities) -> None:
        """That is for the pool to see to, which is told to; moto does not."""
        cognito = identities.client  # type: ignore[attr-defined]
        pool = identities.pool  # type: ignore[attr-defined]
        found = cognito.describe_user_pool(UserPoolId=pool)["UserPool"]
        assert found["UsernameConfiguration"] == {"CaseSensitive": False}


class TestThePool:
    """Contract 4.6: name, rules, attributes and client are those that old installations have."""

    def test_made_as_it_always_was(self, cognito: Any, pool: Pool) -> None:
        """And so that nobody signs up by themselves, or makes themselves somebody else's."""
        found = cognito.describe_user_pool(UserPoolId=pool.pool_id)["UserPool"]
        rules = found["Policies"]["PasswordPolicy"]
        assert (rules["MinimumLength"], rules["RequireNumbers"]) == (8, True)
        assert rules["RequireUppercase"]
        assert rules["RequireLowercase"]
        assert found["UsernameAttributes"] == found["AutoVerifiedAttributes"] == ["email"]
        assert found["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"]
        client = cognito.describe_user_pool_client(UserPoolId=pool.pool_id, ClientId=pool.client_id)[
            "UserPoolClient"
        ]
        assert client["ClientName"] == "daylily-workset-api"
        assert "ClientSecret" not in client
        assert CUSTOMER in client["ReadAttributes"]
        assert client["WriteAttributes"] == ["email"]

    def test_made_once(self, cognito: Any, pool: Pool) -> None:
        """Doing it again finds what is there."""
        again = a_pool(cognito)
        assert (again.pool_id, again.client_id) == (pool.pool_id, pool.client_id)
        assert (again.made, again.warnings) == ((), ())
        assert len(pool.made) == 4

    def test_an_old_client_is_looked_at(self, cognito: Any) -> None:
        """A client through which people write their own customer is told of."""
        made = cognito.create_user_pool(PoolName="daylily-workset-users")["UserPool"]["Id"]
        cognito.create_user_pool_client(
            UserPoolId=made, ClientName="daylily-workset-api", GenerateSecret=True
        )
        told = a_pool(cognito).warnings
        assert [CUSTOMER in told[0], "secret" in told[1]] == [True, True]


def test_tokens_of_the_pool(cognito: Any, pool: Pool) -> None:
    """Both tokens are good; only the ID token names the customer, so the other is for nobody."""
    found = signed_in(people(cognito, pool))
    tokens = verifier(pool)
    assert tokens.verify(found.token) == Principal.of(ADA.name, "acme", Role.ADMIN)
    assert found.access_token
    with pytest.raises(NotAllowedError):
        tokens.verify(found.access_token)


def test_d_43_tokens_of_another_pool_and_client(cognito: Any, pool: Pool) -> None:
    """D-43: the same person, the same key: not for us."""
    found = signed_in(people(cognito, pool))
    other = a_pool(cognito, "another")
    with pytest.raises(UnauthenticatedError):
        verifier(other).verify(found.token)
    with pytest.raises(UnauthenticatedError):
        verifier(evolve(pool, client_id=other.client_id)).verify(found.token)


def test_operators(cognito: Any, pool: Pool) -> None:
    """Whoever is in the group is one."""
    boss = Member(name="boss@lab.example", customer_id="lab", role=Role.OPERATOR)
    found = signed_in(people(cognito, pool), boss)
    assert verifier(pool).verify(found.token).operator


@pytest.fixture
def service(cognito: Any, pool: Pool) -> Service:
    """A service whose people are in the pool."""
    plain = Service.new(cognito_user_pool_id=pool.pool_id, cognito_app_client_id=pool.client_id)
    world = evolve(
        plain.app.world,
        identities=people(cognito, pool),
        verifiers=(verifier(pool),),
        clock=utc_now,
    )
    return evolve(plain, app=compose(plain.app.settings, world))


@pytest.fixture
def client(service: Service) -> Iterator[Any]:
    """A client of it; there is no other token than those of the pool."""
    with TestClient(create_asgi(service.app, admin_token=None), base_url=BASE) as client:
        yield client


def test_a_day_at_the_portal(service: Service, client: Any) -> None:
    """Sign in, replace the password, work, refresh, and sign out everywhere."""
    service.app.world.identities.add(ADA, FIRST)
    problem(client.get("/api/auth/me"), 401, "unauthenticated")
    asked = client.post("/api/auth/sign-in", json={"name": ADA.name, "password": FIRST}).json()
    assert asked["challenge"] == "NEW_PASSWORD_REQUIRED"
    answer = {"name": asked["name"], "session": asked["session"], "new_password": PASSWORD}
    found = client.post("/api/auth/new-password", json=answer).json()
    bearer = {"authorization": f"Bearer {found['token']}"}
    told = client.get("/api/auth/me", headers=bearer).json()
    assert told == {
        "name": ADA.name, "customer_id": "acme", "role": "admin", "scope": "admin",
    }  # fmt: skip
    assert client.get("/api/customers/acme/worksets", headers=bearer).status_code == 200
    problem(client.get("/api/customers/local/worksets", headers=bearer), 404, "not-found")

    renewed = client.post("/api/auth/refresh", json={"refresh_token": found["refresh_token"]})
    assert renewed.json()["token"]
    out = {"access_token": found["access_token"], "everywhere": True}
    assert client.post("/api/auth/sign-out", json=out, headers=bearer).status_code == 204
    trail = client.get("/api/customers/acme/audit", headers=bearer).json()["entries"]
    assert [(each["actor"], each["action"]) for each in trail] == [
        (ADA.name, "signOut"), (ADA.name, "answerNewPassword"),
    ]  # fmt: skip


def test_a_forgotten_password(service: Service, client: Any) -> None:
    """A code is sent to who is there; nobody is told who is; a wrong code changes nothing."""
    signed_in(service.app.world.identities)
    for name in (ADA.name, "nobody@acme.example"):
        answer = client.post("/api/auth/forgot-password", json={"name": name})
        assert (answer.status_code, answer.content) == (204, b"")
    body = {
        "name": ADA.name,
        "code": "moto-confirmation-code:123-456",
        "new_password": "Another-0815-One",
    }
    problem(client.post("/api/auth/reset-password", json=body), 401, "unauthenticated")
    assert isinstance(service.app.world.identities.sign_in(ADA.name, PASSWORD), SignedIn)


def test_members_through_the_api(service: Service, client: Any) -> None:
    """An admin takes somebody on, whom the pool sends a password, and lets them go again."""
    found = signed_in(service.app.world.identities)
    bearer = {"authorization": f"Bearer {found.token}"}
    members = "/api/customers/acme/members"
    made = client.post(members, json={"name": BOB.name}, headers=bearer)
    assert (made.status_code, made.json()["password"]) == (201, None)
    listed = client.get(members, headers=bearer).json()["members"]
    assert [(each["name"], each["role"]) for each in listed] == [
        (ADA.name, "admin"), (BOB.name, "user"),
    ]  # fmt: skip
    problem(client.delete(f"{members}/{ADA.name}", headers=bearer), 422, "invalid-input")
    assert client.delete(f"{members}/{BOB.name}", headers=bearer).status_code == 204
    problem(client.delete(f"{members}/{BOB.name}", headers=bearer), 404, "not-found")


def test_a_password_that_the_pool_refuses(service: Service, client: Any) -> None:
    """Its rules are told, at the place of the password."""
    service.app.world.identities.add(ADA, FIRST)
    asked = service.app.world.identities.sign_in(ADA.name, FIRST)
    assert isinstance(asked, Challenge)
    body = {"name": asked.name, "session": asked.session, "new_password": "short"}
    told = problem(client.post("/api/auth/new-password", json=body), 422, "invalid-input")
    assert told["faults"][0]["place"] == "new_password"


def test_a_day_in_the_portals_pages(service: Service, client: Any) -> None:
    """By the forms of the portal: sign in, choose a password, and sign out of the pool as well."""
    service.app.world.identities.add(ADA, FIRST)
    client.follow_redirects = False

    def fields(page: Any) -> dict[str, str]:
        return dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text))

    form = {**fields(client.get("/portal/login")), "name": ADA.name, "password": FIRST}
    asked = client.post("/portal/login", data=form)
    chosen = {**fields(asked), "new_password": PASSWORD, "again": PASSWORD}
    entered = client.post("/portal/login/new-password", data=chosen)
    assert entered.status_code == 303, entered.text
    page = client.get("/portal")
    assert ADA.name in page.text

    client.post("/portal/logout", data=fields(page))
    assert client.get("/portal").status_code == 303
    again = {**fields(client.get("/portal/login")), "name": ADA.name, "password": PASSWORD}
    assert client.post("/portal/login", data=again).status_code == 303
    code = client.post(
        "/portal/login/forgot", data={**fields(client.get("/portal/login/forgot")), "name": ADA.name}
    )
    assert "a code is on its way" in code.text
