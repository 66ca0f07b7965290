"""Who asks: where boto3 found the credentials, and what to do when it found none that hold."""

from typing import Final

from attrs import frozen
from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError

_SOURCES: Final = {
    "env": "the environment (AWS_ACCESS_KEY_ID)",
    "shared-credentials-file": "the credentials file",
    "config-file": "the config file",
    "assume-role": "a role that the profile assumes",
    "assume-role-with-web-identity": "a role assumed with a web identity",
    "sso": "a sign-in (SSO)",
    "login": "a sign-in (aws login)",
    "custom-process": "the profile's credential_process",
    "container-role": "the role of this container",
    "iam-role": "the role of this machine",
}
_GRANTS: Final = frozenset(
    {
        "AssumeRole",
        "AssumeRoleWithWebIdentity",
        "AssumeRoleWithSAML",
        "CreateToken",
        "GetRoleCredentials",
        "GetSessionToken",
    }
)
"""Calls that boto3 makes by itself, to get credentials for the call that was asked for."""
_SIGNED_OUT: Final = (exceptions.SSOError, exceptions.TokenRetrievalError)
_WRONG: Final = (
    exceptions.ConfigParseError,
    exceptions.CredentialRetrievalError,
    exceptions.InvalidConfigError,
    exceptions.MetadataRetrievalError,
    exceptions.PartialCredentialsError,
    exceptions.ProfileNotFound,
    exceptions.UnknownCredentialError,
)
SIGN_IN: Final = "sign in: `aws sso login`, with the --profile that AWS_PROFILE names"
NONE: Final = (
    "set AWS_PROFILE to a profile of yours, sign in (`aws sso login`), or work where a role is attached"
    " to the machine or the container"
)


@frozen
class Identity:
    """Where credentials come from: no part of them."""

    method: str
    """As boto3 calls it."""
    profile: str
    """The profile in use, ``default`` if none was named."""

    @property
    def in_the_environment(self) -> bool:
        """Whether they are keys in the environment, which jobs do not inherit."""
        return self.method == "env"

    def __str__(self) -> str:
        found = _SOURCES.get(self.method, self.method)
        return found if self.profile == "default" else f"{found}; profile {self.profile}"


def trouble(error: Exception) -> str | None:
    """Return what is wrong with the credentials, and what to do; None if *error* is another matter."""
    if isinstance(error, exceptions.NoCredentialsError):
        return f"there are no AWS credentials: {NONE}"
    if isinstance(error, _SIGNED_OUT):
        return f"the sign-in to AWS has run out: {SIGN_IN} ({error})"
    if isinstance(error, exceptions.LoginError):
        return f"the sign-in to AWS has run out: sign in by `aws login` ({error})"
    if isinstance(error, ClientError) and error.operation_name in _GRANTS:
        return (
            f"boto3 cannot get credentials by {error.operation_name}: look at the profile that"
            f" AWS_PROFILE names, and at whom its role trusts ({error.response['Error']['Message']})"
        )
    if isinstance(error, BotoCoreError) and isinstance(error, _WRONG):
        return f"boto3 cannot get credentials: look at AWS_PROFILE and what it names ({error})"
    return None
