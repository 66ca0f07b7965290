"""The table of worksets, and the words in it; they live in ``daylily.bridge``."""

from daylily.bridge import Priority as WorksetPriority
from daylily.bridge import State as WorksetState
from daylily.bridge import WorksetStateDB

__all__ = ["WorksetPriority", "WorksetState", "WorksetStateDB"]
