"""What it takes to have a bucket of S3 that is fit for people's genomes."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen
from botocore.exceptions import ClientError

from daylily.adapters.aws.errors import NotOfferedError, code, reported
from daylily.adapters.aws.setup_tables import NOT_OFFERED, optional
from daylily.domain.errors import ConflictError
from daylily.ports.installation import Step, Tell

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import PublicAccessBlockConfigurationTypeDef

PARTS_DAYS: Final = 7
"""Days after which the parts of an upload that never ended are removed."""
VERSIONS_DAYS: Final = 30
"""Days for which what was replaced or removed can be had back."""
_NO_LOCATION: Final = "us-east-1"
"""The one region that CreateBucket does not take by its name."""
_UNSET: Final = frozenset(
    {
        "NoSuchCORSConfiguration",
        "NoSuchLifecycleConfiguration",
        "NoSuchPublicAccessBlockConfiguration",
        "ServerSideEncryptionConfigurationNotFoundError",
    }
)
_BLOCKED: "Final[PublicAccessBlockConfigurationTypeDef]" = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}


@frozen(kw_only=True, eq=False)
class BucketSetup:
    """
    Plans what a bucket lacks. Others may keep things in it, too: their rules and objects stay.

    Args:
        client: A low-level client, which threads may share.
        name: Its name.
        region: Where it is created if there is none.
        prefixes: Folders in it that are ours.
    """

    client: "S3Client"
    name: str
    region: str
    prefixes: tuple[str, ...]

    def steps(self, portal: str | None = None) -> Iterator[Step]:
        """
        Yield what is there, and what is to be done.

        Args:
            portal: Origin of pages that are to send files here; None leaves what they may do as it is.
        """
        there = self.is_there()
        if there:
            region = self.where()
            yield Step(thing=self._called, now=f"there, in {region}" if region else "there")
        else:
            change = f"create it in {self.region}"
            yield Step(thing=self._called, now="missing", change=change, carry_out=self._create)
        parts: list[tuple[str, Callable[[str, bool], Step]]] = [
            (f"versions in {self.name}", self._versions),
            (f"encryption of {self.name}", self._encryption),
            (f"public access to {self.name}", self._public_access),
            (f"lifecycle of {self.name}", self._lifecycle),
        ]
        if portal is not None:
            parts.append((f"uploads by pages to {self.name}", partial(self._uploads, portal)))
        for thing, part in parts:
            try:
                yield optional(part(thing, there))
            except NotOfferedError:
                yield Step(thing=thing, now=NOT_OFFERED)

    def is_there(self) -> bool:
        """Tell whether there is such a bucket, that the caller may list."""
        with reported("s3", "ListBucket", self._called):
            try:
                # Unlike HeadBucket, it says in words what is wrong.
                self.client.list_objects_v2(Bucket=self.name, MaxKeys=1)
            except ClientError as error:
                if code(error) != "NoSuchBucket":
                    raise
                return False
        return True

    def where(self) -> str | None:
        """Return the region of the bucket, if the store tells."""
        with reported("s3", "ListBucket", self._called):
            try:
                answer = self.client.head_bucket(Bucket=self.name)
            except ClientError:
                return None
        return answer.get("BucketRegion")

    def _create(self, _: Tell) -> None:
        where: Any = {}
        if self.region != _NO_LOCATION:
            where = {"CreateBucketConfiguration": {"LocationConstraint": self.region}}
        with reported("s3", "CreateBucket", self._called):
            try:
                self.client.create_bucket(Bucket=self.name, **where)
            except ClientError as error:
                if code(error) == "BucketAlreadyExists":
                    raise ConflictError(
                        f"{self.name} is the name of somebody else's bucket: choose another S3_BUCKET"
                    ) from error
                if code(error) != "BucketAlreadyOwnedByYou":  # somebody of ours was faster
                    raise

    # What it is to be like

    def versioned(self) -> bool:
        """Tell whether versions are kept of what is replaced or removed."""
        with reported("s3", "GetBucketVersioning", self._called):
            return self.client.get_bucket_versioning(Bucket=self.name).get("Status") == "Enabled"

    def _versions(self, thing: str, there: bool) -> Step:
        if there and self.versioned():
            return Step(thing=thing, now="kept")
        change = "keep what is replaced or removed"
        return Step(thing=thing, now="not kept", change=change, carry_out=self._keep_versions)

    def _keep_versions(self, _: Tell) -> None:
        with reported("s3", "PutBucketVersioning", self._called):
            self.client.put_bucket_versioning(
                Bucket=self.name, VersioningConfiguration={"Status": "Enabled"}
            )

    def _encryption(self, thing: str, there: bool) -> Step:
        found = self._asked("GetEncryptionConfiguration", "get_bucket_encryption") if there else None
        if found:
            rule = found["ServerSideEncryptionConfiguration"]["Rules"][0]
            return Step(thing=thing, now=rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"])
        change = "turn it on (AES256)"
        return Step(thing=thing, now="off", change=change, carry_out=self._encrypt)

    def _encrypt(self, _: Tell) -> None:
        with reported("s3", "PutEncryptionConfiguration", self._called):
            self.client.put_bucket_encryption(
                Bucket=self.name,
                ServerSideEncryptionConfiguration={
                    "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
                },
            )

    def blocked(self) -> bool:
        """
        Tell whether all ways are blocked by which a bucket becomes public.

        Raises:
            NotOfferedError: The store has no such ways.
        """
        found = self._asked("GetBucketPublicAccessBlock", "get_public_access_block")
        return found is not None and found["PublicAccessBlockConfiguration"] == _BLOCKED

    def _public_access(self, thing: str, there: bool) -> Step:
        if there and self.blocked():
            return Step(thing=thing, now="blocked")
        return Step(thing=thing, now="not blocked", change="block it", carry_out=self._block)

    def _block(self, _: Tell) -> None:
        with reported("s3", "PutBucketPublicAccessBlock", self._called):
            self.client.put_public_access_block(
                Bucket=self.name, PublicAccessBlockConfiguration=_BLOCKED
            )

    # What goes by itself

    def missing_rules(self) -> Sequence[Any]:
        """
        Return rules of ours that the bucket has not got.

        Raises:
            NotOfferedError: It can have none.
        """
        found = self._asked("GetLifecycleConfiguration", "get_bucket_lifecycle_configuration") or {}
        # CloudFormation may write the form of old.
        present = {each.get("ID"): _modern(each) for each in found.get("Rules", ())}
        return [rule for rule in self._rules() if not _covers(present.get(rule["ID"], {}), rule)]

    def _lifecycle(self, thing: str, there: bool) -> Step:
        missing = self.missing_rules() if there else self._rules()
        if not missing:
            return Step(thing=thing, now="has our rules")
        return Step(
            thing=thing,
            now=f"lacks {len(missing)} of our {len(self._rules())} rules",
            change=f"below {' and '.join(self.prefixes)}, remove parts of broken uploads after"
            f" {PARTS_DAYS} days, and what was replaced or removed after {VERSIONS_DAYS}",
            carry_out=self._add_rules,
        )

    def _add_rules(self, _: Tell) -> None:
        # S3 takes all rules at once, so those of others have to be handed in again.
        found = self._asked("GetLifecycleConfiguration", "get_bucket_lifecycle_configuration") or {}
        ours = self._rules()
        names = {rule["ID"] for rule in ours}
        others = [_modern(each) for each in found.get("Rules", ()) if each.get("ID") not in names]
        more: Any = {}
        if smallest := found.get("TransitionDefaultMinimumObjectSize"):
            more = {"TransitionDefaultMinimumObjectSize": smallest}
        with reported("s3", "PutLifecycleConfiguration", self._called):
            self.client.put_bucket_lifecycle_configuration(
                Bucket=self.name, LifecycleConfiguration={"Rules": [*others, *ours]}, **more
            )

    def _rules(self) -> list[Any]:
        rules: list[Any] = []
        for prefix in self.prefixes:
            name = prefix.strip("/").replace("/", "-")
            rules += [
                {
                    "ID": f"daylily-parts-{name}",
                    "Status": "Enabled",
                    "Filter": {"Prefix": prefix},
                    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": PARTS_DAYS},
                },
                {
                    "ID": f"daylily-versions-{name}",
                    "Status": "Enabled",
                    "Filter": {"Prefix": prefix},
                    "NoncurrentVersionExpiration": {"NoncurrentDays": VERSIONS_DAYS},
                    # Each sentinel that is withdrawn leaves a marker, which listings have to pass.
                    "Expiration": {"ExpiredObjectDeleteMarker": True},
                },
            ]
        return rules

    # What pages may send

    def _uploads(self, portal: str, thing: str, there: bool) -> Step:
        wanted = _upload_rule(portal)
        if there and any(_covers(each, wanted) for each in self._cors()):
            return Step(thing=thing, now=f"taken from {portal}")
        return Step(
            thing=thing,
            now=f"not taken from {portal}",
            change="let its pages send files, each to an address that the API has signed",
            carry_out=partial(self._take_uploads, wanted),
        )

    def _cors(self) -> list[Any]:
        found = self._asked("GetBucketCORS", "get_bucket_cors") or {}
        return list(found.get("CORSRules", ()))

    def _take_uploads(self, wanted: Any, _: Tell) -> None:
        # S3 takes all rules at once, so those of others have to be handed in again.
        others = [each for each in self._cors() if each.get("ID") != wanted["ID"]]
        with reported("s3", "PutBucketCORS", self._called):
            self.client.put_bucket_cors(
                Bucket=self.name, CORSConfiguration={"CORSRules": [*others, wanted]}
            )

    def _asked(self, action: str, method: str) -> Any:
        """Return how the bucket is set; None if it is not."""
        with reported("s3", action, self._called):
            try:
                return getattr(self.client, method)(Bucket=self.name)
            except ClientError as error:
                if code(error) not in _UNSET:
                    raise
                return None

    @property
    def _called(self) -> str:
        return f"bucket {self.name}"


def _upload_rule(portal: str) -> Any:
    return {
        "ID": "daylily-uploads",
        "AllowedOrigins": [portal],
        "AllowedMethods": ["PUT"],
        "AllowedHeaders": ["content-type"],
        "ExposeHeaders": ["ETag"],
        "MaxAgeSeconds": 3600,
    }


def _covers(there: Any, wanted: Any) -> bool:
    return all(there.get(name) == value for name, value in wanted.items())


def _modern(rule: Any) -> Any:
    """Return a rule in the form of today: S3 takes no mixture with rules of the form of old."""
    if "Prefix" not in rule:
        return rule
    return {**{k: v for k, v in rule.items() if k != "Prefix"}, "Filter": {"Prefix": rule["Prefix"]}}
