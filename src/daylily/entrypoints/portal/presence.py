"""Whether somebody still is signed in, for pages that were left open, and for their forms."""

from typing import Final

from litestar import get

from daylily.entrypoints.portal.context import Person


@get("/live/session", sync_to_thread=False)
def present(request: Person) -> dict[str, str]:
    """Return the token for the forms of a page that somebody has come back to, and who they are."""
    return {"csrf": request.auth.csrf, "who": f"{request.user.customer_id}/{request.user.name}"}


ROUTES: Final = (present,)
