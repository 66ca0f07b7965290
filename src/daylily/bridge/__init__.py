"""
The bridge under the names of the integration guide: ``WorksetStateDB`` and ``WorksetIntegration``.

Nothing is decided here (docs/adr/0031).
"""

from daylily.bridge.integration import WorksetIntegration
from daylily.bridge.state_db import WorksetStateDB, settings_for
from daylily.domain.lifecycle import Priority, State

__all__ = ["Priority", "State", "WorksetIntegration", "WorksetStateDB", "settings_for"]
