"""What it takes to have a user pool: the pool, its app client and its groups (contract 4.6)."""

from typing import TYPE_CHECKING, Any, Final

from attrs import frozen
from botocore.exceptions import ClientError

from daylily.adapters.aws.cognito import CUSTOMER
from daylily.adapters.aws.errors import code, reported

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

POOL: Final = "daylily-workset-users"
CLIENT: Final = "daylily-workset-api"


@frozen(kw_only=True)
class Pool:
    """A pool, and what is to be set for a server to use it."""

    pool_id: str
    client_id: str
    region: str
    made: tuple[str, ...]
    """What was not there yet."""
    warnings: tuple[str, ...] = ()


@frozen(kw_only=True, eq=False)
class PoolSetup:
    """
    Makes what is missing, and leaves the rest as it is; it can be run again at any time.

    Args:
        client: A low-level client.
        region: Where the pool is.
        groups: Of admins and operators.
    """

    client: "CognitoIdentityProviderClient"
    region: str
    groups: tuple[str, ...]
    name: str = POOL
    client_name: str = CLIENT

    def __call__(self) -> Pool:
        """
        Return the pool, made if there was none of that name.

        Raises:
            UnavailableError: Cognito does not answer, or does not permit it.
        """
        made: list[str] = []
        pool_id = self._pool(made)
        client_id, warnings = self._client(pool_id, made)
        for group in self.groups:
            self._group(pool_id, group, made)
        return Pool(
            pool_id=pool_id,
            client_id=client_id,
            region=self.region,
            made=tuple(made),
            warnings=warnings,
        )

    def _pool(self, made: list[str]) -> str:
        with reported("cognito-idp", "ListUserPools", "this account"):
            pages = self.client.get_paginator("list_user_pools")
            for page in pages.paginate(PaginationConfig={"PageSize": 60}):
                for pool in page["UserPools"]:
                    if pool.get("Name") == self.name:
                        return str(pool["Id"])
        with reported("cognito-idp", "CreateUserPool", f"user pool {self.name}"):
            answer = self.client.create_user_pool(
                PoolName=self.name,
                Policies={
                    "PasswordPolicy": {
                        "MinimumLength": 8,
                        "RequireUppercase": True,
                        "RequireLowercase": True,
                        "RequireNumbers": True,
                        "RequireSymbols": False,
                        "TemporaryPasswordValidityDays": 7,
                    }
                },
                UsernameAttributes=["email"],
                AutoVerifiedAttributes=["email"],
                UsernameConfiguration={"CaseSensitive": False},
                # Nobody signs up: administrators take people on.
                AdminCreateUserConfig={"AllowAdminCreateUserOnly": True},
                AccountRecoverySetting={
                    "RecoveryMechanisms": [{"Priority": 1, "Name": "verified_email"}]
                },
                Schema=[
                    {
                        "Name": CUSTOMER.removeprefix("custom:"),
                        "AttributeDataType": "String",
                        "Mutable": True,
                        "Required": False,
                    }
                ],
            )
        made.append(f"user pool {self.name}")
        return str(answer["UserPool"]["Id"])

    def _client(self, pool_id: str, made: list[str]) -> tuple[str, tuple[str, ...]]:
        where = f"user pool {pool_id}"
        with reported("cognito-idp", "ListUserPoolClients", where):
            pages = self.client.get_paginator("list_user_pool_clients").paginate(
                UserPoolId=pool_id, PaginationConfig={"PageSize": 60}
            )
            found = [each for page in pages for each in page["UserPoolClients"]]
        for each in found:
            if each.get("ClientName") == self.client_name:
                client_id = str(each["ClientId"])
                return client_id, self._warnings(pool_id, client_id)
        with reported("cognito-idp", "CreateUserPoolClient", where):
            answer = self.client.create_user_pool_client(
                UserPoolId=pool_id,
                ClientName=self.client_name,
                GenerateSecret=False,
                ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
                PreventUserExistenceErrors="ENABLED",
                EnableTokenRevocation=True,
                ReadAttributes=["email", "email_verified", CUSTOMER],
                # Not the customer: whoever may write it could make themselves anybody's.
                WriteAttributes=["email"],
            )
        made.append(f"app client {self.client_name}")
        return str(answer["UserPoolClient"]["ClientId"]), ()

    def _warnings(self, pool_id: str, client_id: str) -> tuple[str, ...]:
        with reported("cognito-idp", "DescribeUserPoolClient", f"user pool {pool_id}"):
            answer = self.client.describe_user_pool_client(UserPoolId=pool_id, ClientId=client_id)
        described: dict[str, Any] = dict(answer["UserPoolClient"])
        found = []
        writable = described.get("WriteAttributes")
        if not writable or CUSTOMER in writable:
            found.append(
                f"people may write {CUSTOMER} themselves through app client {client_id}, and so make"
                " themselves members of any customer: take it out of its writable attributes"
            )
        if described.get("ClientSecret"):
            found.append(f"app client {client_id} has a secret: daylily signs in without one")
        return tuple(found)

    def _group(self, pool_id: str, group: str, made: list[str]) -> None:
        with reported("cognito-idp", "CreateGroup", f"user pool {pool_id}"):
            try:
                self.client.create_group(GroupName=group, UserPoolId=pool_id)
            except ClientError as error:
                if code(error) != "GroupExistsException":
                    raise
            else:
                made.append(f"group {group}")
