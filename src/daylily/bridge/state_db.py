"""What the guide's constructors are given, and the settings that it stands for."""

from types import EllipsisType
from typing import Final

from attrs import field, frozen

from daylily.config import NO_TABLE, Settings, load

REGION: Final = "us-west-2"
LOCK_SECONDS: Final = 3600.0
"""How long locks of old last: who takes one through the bridge may count on it."""


@frozen
class WorksetStateDB:
    """
    Names the table in which worksets are kept; nothing is asked of it yet.

    Args:
        table_name: Of DynamoDB.
        region: Of AWS.
        lock_timeout_seconds: How long ``acquire_lock`` keeps monitors away.
    """

    table_name: str
    region: str = REGION
    lock_timeout_seconds: float = field(default=LOCK_SECONDS, kw_only=True)


def settings_for(
    state_db: WorksetStateDB | EllipsisType | None,
    bucket: str | None,
    prefix: str | None,
    region: str | None,
) -> Settings:
    """
    Return the settings that the arguments of the guide's constructors stand for.

    Raises:
        ConfigError: Something is wrong with them, or with the others; every fault is listed.
    """
    said: dict[str, object] = {"bucket": bucket, "region": region}
    said["prefix"] = f"{prefix.strip('/')}/" if prefix else None
    if not isinstance(state_db, EllipsisType):
        said["store"] = "aws"
        said["table"] = state_db.table_name if state_db else NO_TABLE
        said["region"] = state_db.region if state_db else region
    return load(said).settings
