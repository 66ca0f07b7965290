"""The portal's routes: each page has a module of its own, and names its routes in ROUTES."""

import secrets
from typing import Final

from litestar import Router
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from daylily.bootstrap import App
from daylily.entrypoints.http.auth import Authenticator
from daylily.entrypoints.portal import (
    dashboard,
    files_page,
    login,
    submit_page,
    workset_actions,
    workset_log,
    workset_page,
    workset_results,
    workset_story,
    worksets_page,
    yaml_page,
)
from daylily.entrypoints.portal.assets import asset
from daylily.entrypoints.portal.sessions import LoginForms, Session, Sessions
from daylily.entrypoints.portal.uploading import UPLOADS
from daylily.entrypoints.tries import Tries

PAGES: Final[tuple[ControllerRouterHandler, ...]] = (
    *dashboard.ROUTES,
    *worksets_page.ROUTES,
    *workset_page.ROUTES,
    *workset_log.ROUTES,
    *workset_results.ROUTES,
    *workset_story.ROUTES,
    *workset_actions.ROUTES,
    *submit_page.ROUTES,
    *files_page.ROUTES,
    *yaml_page.ROUTES,
    UPLOADS,
)
"""For who is signed in."""


def create_portal(app: App, authenticator: Authenticator, *, needs_token: bool) -> Router:
    """
    Return the portal's routes.

    Args:
        needs_token: Whether people have to sign in; if not, they are whom *authenticator* says.
    """
    clock = app.world.clock
    everybody = None if needs_token else Session(authenticator({}), secrets.token_urlsafe(32))
    desk = login.Desk(authenticator, Sessions(clock), Tries(clock), LoginForms(), everybody)
    inside = Router("/", route_handlers=[*PAGES, login.logout], guards=[login.behind(desk)])
    return Router(
        "/portal",
        route_handlers=[inside, login.login_page, login.login, asset],
        dependencies={"desk": Provide(lambda: desk, sync_to_thread=False)},
        include_in_schema=False,
    )
