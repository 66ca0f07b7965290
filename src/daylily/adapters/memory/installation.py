"""What stores in memory need: nothing."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen

from daylily.domain.errors import InvalidInputError
from daylily.ports.installation import Finding, Role, Step


@frozen
class InMemoryInstallation:
    """An Installation that is always complete."""

    def plan(self, *, portal: str | None = None) -> Sequence[Step]:
        """See Installation.plan."""
        return ()

    def check(self) -> Iterator[Finding]:
        """See Installation.check."""
        yield Finding("database", "ok", "none: worksets are kept in memory")

    def policy(self, role: Role) -> Mapping[str, Any]:
        """See Installation.policy."""
        raise InvalidInputError.of("store", f"memory needs no policy, of {role} or any other role")
