"""
Every page of the portal: what is not in here has not been looked at, and a test says so.

A page that is new needs a line in PAGES, with a way to its address on a site that has something of
everything (see site.py: whatever a page wants to show is put there).
"""

from collections.abc import Callable
from typing import Final

from attrs import frozen
from tests.integration.portal.site import Site


@frozen
class Shown:
    """A page that people look at, as the operator unless it is for everybody."""

    name: str
    """Of its screenshots, too."""
    route: str
    """As it was registered."""
    address: Callable[[Site], str]
    signed_in: bool = True
    reading: bool = True
    """Whether it is for reading, which must be possible where scripts do not run."""
    status: int = 200


def _at(path: str) -> Callable[[Site], str]:
    return lambda _: path


_WORKSET: Final = "/portal/worksets/{workset_id:str}"

PAGES: Final = (
    Shown("sign-in", "/portal/login", _at("/portal/login"), signed_in=False),
    Shown("dashboard", "/portal", _at("/portal")),
    Shown("worksets", "/portal/worksets", _at("/portal/worksets")),
    Shown("worksets-none", "/portal/worksets", _at("/portal/worksets?name=nothing-of-that-name")),
    Shown("workset-complete", _WORKSET, lambda site: f"/portal/worksets/{site.complete}"),
    Shown("workset-failed", _WORKSET, lambda site: f"/portal/worksets/{site.failed}"),
    Shown("workset-running", _WORKSET, lambda site: f"/portal/worksets/{site.running}"),
    Shown("workset-waiting", _WORKSET, lambda site: f"/portal/worksets/{site.waiting}"),
    Shown(
        "confirm-cancel",
        f"{_WORKSET}/{{action:str}}",
        lambda site: f"/portal/worksets/{site.waiting}/cancel",
    ),
    Shown(
        "confirm-retry",
        f"{_WORKSET}/{{action:str}}",
        lambda site: f"/portal/worksets/{site.failed}/retry",
    ),
    Shown("problem", _WORKSET, _at("/portal/worksets/ws-nowhere"), status=404),
)

NO_PAGES: Final = {
    "/portal/static/{name:str}": "files that pages load",
    f"{_WORKSET}/files/{{key:path}}": "results, as pipelines wrote them",
}
"""What else answers GET, and why nobody looks at it; what is below /portal/live neither."""
