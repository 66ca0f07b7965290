"""Where one may go from any page."""

from typing import Final

from attrs import frozen
from litestar import Litestar

from daylily.domain.customers import Principal


@frozen
class Entry:
    """A place in the navigation."""

    path: str
    label: str
    current: bool = False


_PLACES: Final = (
    Entry("/portal", "Dashboard"),
    Entry("/portal/worksets", "Worksets"),
    Entry("/portal/submit", "Submit"),
    Entry("/portal/files", "Files"),
    Entry("/portal/usage", "Usage"),
    Entry("/portal/account", "Account"),
    Entry("/portal/yaml", "YAML"),
)
_OPERATORS: Final = (Entry("/portal/fleet", "Fleet"),)


def entries(app: Litestar, who: Principal, path: str) -> tuple[Entry, ...]:
    """Return where *who* may go; only to what there is, and marked where it is that *path* belongs."""
    there = {route.path for route in app.routes}
    places = (*_PLACES, *(_OPERATORS if who.operator else ()))
    return tuple(
        Entry(each.path, each.label, current=_within(path, each.path))
        for each in places
        if each.path in there
    )


def _within(path: str, place: str) -> bool:
    if place == "/portal":
        return path == place
    return path == place or path.startswith(f"{place}/")
