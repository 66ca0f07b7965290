"""IAM in miniature: which action on which resource a call is, and whether policies allow it."""

import fnmatch
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from attrs import field, frozen
from botocore.exceptions import ClientError

Need = tuple[str, str]
"""An action, and the resource it is done to."""
Policy = Mapping[str, Any]

_OBJECT: Final = {
    "AbortMultipartUpload": "AbortMultipartUpload",
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "DeleteObject": "DeleteObject",
    "GetObject": "GetObject",
    "HeadObject": "GetObject",
    "PutObject": "PutObject",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
}
_BUCKET: Final = {
    "CreateBucket": "CreateBucket",
    "GetBucketCors": "GetBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketVersioning": "GetBucketVersioning",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "PutBucketCors": "PutBucketCORS",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketVersioning": "PutBucketVersioning",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
}
"""Calls of S3 and their actions, as AWS's "Service Authorization Reference" has them."""


def needs(service: str, region: str, operation: str, params: Mapping[str, Any]) -> list[Need]:
    """Return what a call has to be allowed."""
    if service == "dynamodb":
        table = f"arn:aws:dynamodb:{region}:123456789012:table/{params['TableName']}"
        index = f"/index/{params['IndexName']}" if "IndexName" in params else ""
        return [(f"dynamodb:{operation}", table + index)]
    if service == "sns":
        return [(f"sns:{operation}", params["TopicArn"])]
    bucket = f"arn:aws:s3:::{params['Bucket']}"
    if operation in _BUCKET:
        return [(f"s3:{_BUCKET[operation]}", bucket)]
    if operation == "DeleteObjects":
        return [("s3:DeleteObject", f"{bucket}/{each['Key']}") for each in params["Delete"]["Objects"]]
    found = [(f"s3:{_OBJECT[operation]}", f"{bucket}/{params['Key']}")]
    if "CopySource" in params:
        source = params["CopySource"]
        found.append(("s3:GetObject", f"arn:aws:s3:::{source['Bucket']}/{source['Key']}"))
    return found


def actions(policy: Policy) -> list[str]:
    """Return the actions that a policy names, each once."""
    return sorted({action for each in policy["Statement"] for action in listed(each["Action"])})


def listed(value: str | Sequence[str]) -> list[str]:
    """Return one or several as several."""
    return [value] if isinstance(value, str) else list(value)


def without(policy: Policy, action: str) -> dict[str, Any]:
    """Return a policy that lacks an action."""
    kept = [
        {**each, "Action": [name for name in listed(each["Action"]) if name != action]}
        for each in policy["Statement"]
    ]
    return {**policy, "Statement": [each for each in kept if each["Action"]]}


def pairs(policy: Policy) -> set[Need]:
    """Return every action of a policy with every resource it is allowed on."""
    return {
        (action, resource)
        for each in policy["Statement"]
        for action in listed(each["Action"])
        for resource in listed(each["Resource"])
    }


def allowing(policy: Policy, need: Need) -> set[Need]:
    """Return the parts of a policy that allow something."""
    action, resource = need
    return {
        (name, pattern)
        for name, pattern in pairs(policy)
        if name == action and fnmatch.fnmatchcase(resource, pattern)
    }


@frozen
class Guard:
    """
    Stands before clients, and notes what their calls need.

    Args:
        policy: Refuse what it does not allow; None lets everything through.
    """

    policy: Policy | None = None
    needed: set[Need] = field(factory=set)
    denied: set[str] = field(factory=set)
    """Actions that the store has refused."""

    def watch(self, *clients: Any) -> None:
        """Stand before clients."""
        for client in clients:
            client.meta.events.register("provide-client-params", self._stand_before(client))
            client.meta.events.register("after-call", self._stand_behind(client))

    def actions(self) -> set[str]:
        """Return what was asked for, whatever it was done to."""
        return {action for action, _ in self.needed}

    def _stand_before(self, client: Any) -> Callable[..., None]:
        service = client.meta.service_model.service_name

        def check(params: dict[str, Any], model: Any, **_: object) -> None:
            for need in needs(service, client.meta.region_name, model.name, params):
                self.needed.add(need)
                if self.policy is not None and not allowing(self.policy, need):
                    said: Any = {"Code": "AccessDenied", "Message": f"not authorized: {need}"}
                    raise ClientError({"Error": said}, model.name)

        return check

    def _stand_behind(self, client: Any) -> Callable[..., None]:
        service = client.meta.service_model.service_name

        def note(parsed: dict[str, Any], model: Any, **_: object) -> None:
            errors = [parsed.get("Error", {}), *parsed.get("Errors", ())]
            if {each.get("Code") for each in errors} & {"AccessDenied", "AccessDeniedException", "403"}:
                actions = (
                    _OBJECT | _BUCKET | {"DeleteObjects": "DeleteObject"} if service == "s3" else {}
                )
                self.denied.add(f"{service}:{actions.get(model.name, model.name)}")

        return note


def unused(policy: Policy, needed: Collection[Need]) -> set[Need]:
    """Return the parts of a policy that nothing has needed."""
    used = {part for need in needed for part in allowing(policy, need)}
    return pairs(policy) - used
