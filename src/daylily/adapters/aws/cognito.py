"""People in a user pool of Cognito."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen
from botocore.exceptions import ClientError, ParamValidationError

from daylily.adapters.aws.errors import code, reported
from daylily.domain.customers import Role
from daylily.domain.errors import (
    AlreadyExistsError,
    InvalidInputError,
    NotFoundError,
    TooManyTriesError,
    UnauthenticatedError,
    UnavailableError,
)
from daylily.domain.names import check_id
from daylily.domain.passwords import faults_of_name
from daylily.ports.identities import Challenge, Member, SignedIn

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

CUSTOMER: Final = "custom:customer_id"
"""The attribute, and the claim, that names the customer (contract 4.6)."""

_WRONG: Final = "the name or the password is wrong"
_OUT: Final = "sign in again"
_CODE: Final = "the code is wrong, or too old"
_STRANGERS: Final = {
    "NotAuthorizedException",
    "UserNotFoundException",
    "UserNotConfirmedException",
    "PasswordResetRequiredException",
    "InvalidParameterException",
}
_CODES: Final = {"CodeMismatchException", "ExpiredCodeException", "UserNotFoundException"}
_MANY: Final = {
    "TooManyRequestsException",
    "LimitExceededException",
    "TooManyFailedAttemptsException",
}
_ASKED: Final = "NEW_PASSWORD_REQUIRED"


@frozen(kw_only=True, eq=False)
class CognitoIdentities:
    """
    An Identities in a user pool.

    Args:
        client: A low-level client, which threads may share.
        pool: The pool's id.
        app_client: The id of an app client without a secret.
        admin_group: Whose members see to their customer's members and tokens.
        operator_group: Whose members see to everything.
    """

    client: "CognitoIdentityProviderClient"
    pool: str
    app_client: str
    admin_group: str = "daylily-admins"
    operator_group: str = "daylily-operators"

    def sign_in(self, name: str, password: str) -> SignedIn | Challenge:
        """See Identities.sign_in."""
        with self._told("InitiateAuth", _WRONG):
            answer = self.client.initiate_auth(
                ClientId=self.app_client,
                AuthFlow="USER_PASSWORD_AUTH",
                AuthParameters={"USERNAME": name, "PASSWORD": password},
            )
        asked: str | None = answer.get("ChallengeName")
        if asked is None:
            return _signed_in(answer["AuthenticationResult"])
        if asked != _ASKED:
            raise UnavailableError(f"the pool asks for {asked}, which daylily does not know")
        # The pool may call people by another name than they do.
        called = answer["ChallengeParameters"].get("USER_ID_FOR_SRP", name)
        return Challenge(name=called, session=answer["Session"])

    def answer(self, challenge: Challenge, new_password: str) -> SignedIn:
        """See Identities.answer."""
        with self._told("RespondToAuthChallenge", _OUT):
            answer = self.client.respond_to_auth_challenge(
                ClientId=self.app_client,
                ChallengeName="NEW_PASSWORD_REQUIRED",
                Session=challenge.session,
                ChallengeResponses={"USERNAME": challenge.name, "NEW_PASSWORD": new_password},
            )
        result = answer.get("AuthenticationResult")
        if not result:
            raise UnavailableError(
                f"the pool asks for {answer.get('ChallengeName')}, which daylily does not know"
            )
        return _signed_in(result)

    def refresh(self, refresh_token: str) -> SignedIn:
        """See Identities.refresh."""
        with self._told("InitiateAuth", _OUT):
            answer = self.client.initiate_auth(
                ClientId=self.app_client,
                AuthFlow="REFRESH_TOKEN_AUTH",
                AuthParameters={"REFRESH_TOKEN": refresh_token},
            )
        return _signed_in(answer["AuthenticationResult"])

    def sign_out(self, signed_in: SignedIn, *, everywhere: bool = False) -> None:
        """See Identities.sign_out."""
        with suppress(UnauthenticatedError):
            if everywhere and signed_in.access_token is not None:
                with self._told("GlobalSignOut", _OUT):
                    self.client.global_sign_out(AccessToken=signed_in.access_token)
        with suppress(UnauthenticatedError):
            if signed_in.refresh_token is not None:
                with self._told("RevokeToken", _OUT):
                    self.client.revoke_token(Token=signed_in.refresh_token, ClientId=self.app_client)

    def forgot(self, name: str) -> None:
        """See Identities.forgot."""
        # Whether there is somebody of that name is not for everybody to know.
        with suppress(UnauthenticatedError), self._told("ForgotPassword", _WRONG):
            self.client.forgot_password(ClientId=self.app_client, Username=name)

    def reset(self, name: str, code: str, new_password: str) -> None:
        """See Identities.reset."""
        with self._told("ConfirmForgotPassword", _CODE):
            self.client.confirm_forgot_password(
                ClientId=self.app_client,
                Username=name,
                ConfirmationCode=code,
                Password=new_password,
            )

    def add(self, member: Member, password: str | None = None) -> str | None:
        """See Identities.add. Without a password, the pool sends one to the address."""
        if faults := [*faults_of_name(member.name)]:
            raise InvalidInputError(faults)
        attributes = [
            {"Name": "email", "Value": member.name},
            {"Name": "email_verified", "Value": "true"},
            {"Name": CUSTOMER, "Value": check_id(member.customer_id, "customer_id")},
        ]
        given: dict[str, Any] = {"DesiredDeliveryMediums": ["EMAIL"]}
        if password is not None:
            given = {"TemporaryPassword": password, "MessageAction": "SUPPRESS"}
        with self._asked("AdminCreateUser"):
            try:
                self.client.admin_create_user(
                    UserPoolId=self.pool,
                    Username=member.name,
                    UserAttributes=attributes,  # type: ignore[arg-type]
                    **given,
                )
            except ClientError as error:
                match code(error):
                    case "UsernameExistsException":
                        text = f"there is somebody called {member.name} already"
                        raise AlreadyExistsError(text) from error
                    case "InvalidPasswordException":
                        raise _weak(error) from error
                raise
        group = {Role.ADMIN: self.admin_group, Role.OPERATOR: self.operator_group}.get(member.role)
        if group is not None:
            with self._asked("AdminAddUserToGroup"):
                self.client.admin_add_user_to_group(
                    UserPoolId=self.pool, Username=member.name, GroupName=group
                )
        return None

    def remove(self, customer_id: str, name: str) -> None:
        """See Identities.remove. The person stays in the pool, disabled."""
        unknown = NotFoundError(f"{customer_id} has no member called {name[:80]}")
        with self._asked("AdminGetUser"):
            try:
                found = self.client.admin_get_user(UserPoolId=self.pool, Username=name)
            except ClientError as error:
                if code(error) not in {"UserNotFoundException", "InvalidParameterException"}:
                    raise
                raise unknown from error
        if not found["Enabled"] or _attributes(found["UserAttributes"]).get(CUSTOMER) != customer_id:
            raise unknown
        with self._asked("AdminDisableUser"):
            self.client.admin_disable_user(UserPoolId=self.pool, Username=name)
        with self._asked("AdminUserGlobalSignOut"):
            self.client.admin_user_global_sign_out(UserPoolId=self.pool, Username=name)

    def members(self, customer_id: str) -> tuple[Member, ...]:
        """See Identities.members. Asks for everybody: a pool finds nobody by such an attribute."""
        roles = dict.fromkeys(self._in_group(self.admin_group), Role.ADMIN)
        roles |= dict.fromkeys(self._in_group(self.operator_group), Role.OPERATOR)
        found = []
        for user in self._all("list_users", "ListUsers"):
            attributes = _attributes(user["Attributes"])
            if user["Enabled"] and attributes.get(CUSTOMER) == customer_id:
                found.append(
                    Member(
                        name=attributes.get("email", user["Username"]),
                        customer_id=customer_id,
                        role=roles.get(user["Username"], Role.USER),
                        added_at=user["UserCreateDate"],
                    )
                )
        return tuple(sorted(found, key=lambda each: each.name))

    def _in_group(self, group: str) -> Iterator[str]:
        for user in self._all("list_users_in_group", "ListUsersInGroup", GroupName=group):
            yield user["Username"]

    def _all(self, method: str, action: str, **arguments: Any) -> Iterator[Any]:
        with self._asked(action):
            try:
                pages = self.client.get_paginator(method).paginate(  # type: ignore[call-overload]
                    UserPoolId=self.pool, **arguments
                )
                for page in pages:
                    yield from page["Users"]
            except ClientError as error:
                if code(error) != "ResourceNotFoundException" or not arguments:
                    raise  # but a group that nobody has made has nobody in it

    @contextmanager
    def _told(self, action: str, refused: str) -> Iterator[None]:
        """Turn what the pool says to people who sign in into what the port promises."""
        with self._asked(action):
            try:
                yield
            except ParamValidationError as error:
                # Too short, too long, or of odd letters: what the pool gives out is not.
                raise UnauthenticatedError(refused) from error
            except ClientError as error:
                word = code(error)
                if word in _MANY:
                    raise TooManyTriesError("too many tries; wait a few minutes") from error
                if word == "InvalidPasswordException":
                    raise _weak(error) from error
                if word in _STRANGERS | _CODES:
                    raise UnauthenticatedError(refused) from error
                raise

    @contextmanager
    def _asked(self, action: str) -> Iterator[None]:
        with reported("cognito-idp", action, f"user pool {self.pool}"):
            yield


def _weak(error: ClientError) -> InvalidInputError:
    said = error.response["Error"].get("Message", "is too weak")
    return InvalidInputError.of("password", said.removeprefix("Password did not conform with policy: "))


def _signed_in(result: Any) -> SignedIn:
    # Of the two, only the ID token names the customer (contract 4.6).
    return SignedIn(
        token=result["IdToken"],
        expires_in=timedelta(seconds=result["ExpiresIn"]),
        refresh_token=result.get("RefreshToken"),
        access_token=result["AccessToken"],
    )


def _attributes(listed: Any) -> dict[str, str]:
    return {each["Name"]: each.get("Value", "") for each in listed}
