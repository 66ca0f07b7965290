"""The bridge between the table and the bucket; it lives in ``daylily.bridge``."""

from daylily.bridge import WorksetIntegration

__all__ = ["WorksetIntegration"]
