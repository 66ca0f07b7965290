"""How the local stores write worksets and customers: as JSON text."""

from daylily.adapters.records import from_record, to_record

__all__ = ["from_record", "to_record"]
