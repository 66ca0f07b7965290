"""The portal's routes: each page has a module of its own, and names its routes in ROUTES."""

import secrets
from typing import Final

from litestar import Router
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from daylily.bootstrap import App
from daylily.domain.customers import Principal
from daylily.entrypoints.http.accounts import Gate
from daylily.entrypoints.http.auth import Authenticator
from daylily.entrypoints.portal import (
    account_page,
    dashboard,
    files_page,
    fleet_customers,
    fleet_ledger,
    fleet_pages,
    list_bell,
    login,
    oidc_login,
    presence,
    submit_page,
    usage_page,
    workset_actions,
    workset_log,
    workset_page,
    workset_results,
    workset_story,
    worksets_page,
    yaml_page,
)
from daylily.entrypoints.portal.assets import asset
from daylily.entrypoints.portal.bells import ListBells
from daylily.entrypoints.portal.desk import Desk, Pending, behind
from daylily.entrypoints.portal.sessions import LoginForms, Session, Sessions
from daylily.entrypoints.portal.uploading import UPLOADS
from daylily.entrypoints.tries import Tries

PAGES: Final[tuple[ControllerRouterHandler, ...]] = (
    *dashboard.ROUTES,
    *worksets_page.ROUTES,
    *list_bell.ROUTES,
    *presence.ROUTES,
    *workset_page.ROUTES,
    *workset_log.ROUTES,
    *workset_results.ROUTES,
    *workset_story.ROUTES,
    *workset_actions.ROUTES,
    *submit_page.ROUTES,
    *files_page.ROUTES,
    *yaml_page.ROUTES,
    UPLOADS,
    *usage_page.ROUTES,
    *account_page.ROUTES,
    *fleet_pages.ROUTES,
    *fleet_customers.ROUTES,
)
"""For who is signed in."""


def create_portal(app: App, authenticator: Authenticator, *, needs_token: bool) -> Router:
    """
    Return the portal's routes.

    Args:
        needs_token: Whether people have to sign in; if not, they are whom *authenticator* says.
    """
    clock = app.world.clock

    def verify(token: str) -> Principal:
        return authenticator({"authorization": f"Bearer {token}"})

    desk = Desk(
        app=app,
        verify=verify,
        sessions=Sessions(clock, verify),
        gate=Gate(Tries(clock)),
        forms=LoginForms(),
        challenges=Pending(clock),
        journeys=Pending(clock),
        bells=ListBells(),
        everybody=None if needs_token else Session(authenticator({}), secrets.token_urlsafe(32)),
    )
    pages = [*PAGES, fleet_ledger.routes(app), login.logout]
    inside = Router("/", route_handlers=pages, guards=[behind(desk)])
    return Router(
        "/portal",
        route_handlers=[inside, *login.ROUTES, *oidc_login.ROUTES, asset],
        dependencies={"desk": Provide(lambda: desk, sync_to_thread=False)},
        include_in_schema=False,
    )
