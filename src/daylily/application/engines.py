"""The engines of this installation: one, or one for each cluster."""

from collections.abc import Mapping

from attrs import field, frozen

from daylily.domain.clusters import Cluster
from daylily.domain.errors import UnavailableError
from daylily.ports.compute import Compute


@frozen
class Engines:
    """
    Which engine has what.

    Args:
        default: What runs worksets that are in no cluster: all of them, where there are no clusters.
        clusters: The clusters, each with its engine.
    """

    default: Compute
    clusters: Mapping[Cluster, Compute] = field(factory=dict)

    def of(self, name: str | None) -> Compute:
        """
        Return the engine of the cluster of that name.

        Raises:
            UnavailableError: This installation has no such cluster; another may.
        """
        if name is None:
            return self.default
        for cluster, engine in self.clusters.items():
            if cluster.name == name:
                return engine
        raise UnavailableError(f"cluster {name} is not among those of the settings")
