"""The dashboard: how things stand, and what wants attention first."""

from typing import Final

from litestar import Response, get
from litestar.response import Redirect

from daylily.entrypoints.http.wiring import UseCases
from daylily.entrypoints.portal.context import Person, shown


@get("/", sync_to_thread=True)
def dashboard(request: Person, app: UseCases) -> Response[str] | Redirect:
    """Show how things stand; whoever kept an address of the list that was here is led on to it."""
    if request.url.query:
        return Redirect(f"/portal/worksets?{request.url.query}", status_code=302)
    return shown(request, "dashboard.html")


ROUTES: Final = (dashboard,)
